/** Who is away without having fallen silent: never heard, stopped on purpose, restarted, removed. */
import { after, between, type Duration, type WallTime } from "../kit/time.ts";
import { FAREWELL_WORDS } from "./farewell-words.ts";
import { type Opening, openIncident, resolveIncident } from "./incidents.ts";
import type { Stored } from "./io.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import type { Beat, FarewellReason, Goodbye } from "./messages.ts";
import { maintenanceOf } from "./mutes.ts";
import type { Peer } from "./peer.ts";
import { noteStop } from "./planned.ts";
import { become, type Turn } from "./state.ts";
import type { Incarnation } from "./types.ts";
import { suspect } from "./watch.ts";

/** Looks for who has been away for too long; the others are asked before anything is said. */
export function reviewAbsences(turn: Turn): void {
  const { state, env } = turn;
  const { missingAfter, plannedFor } = state.policy;
  if (state.isolated !== undefined) return;
  for (const peer of state.watched) {
    const { condition, changedAt } = peer;
    if (condition.kind === "unknown" && condition.doubtAt === undefined) {
      if (between(changedAt, env.now) >= missingAfter) suspect(turn, peer, "absence");
    } else if (condition.kind === "planned") {
      if (between(condition.since, env.now) >= plannedFor) suspect(turn, peer, "absence");
    }
  }
}

const FAREWELL_PREFIX = "farewell/";

/** A goodbye outlives this node's own restart: else who left on purpose would be missed too early. */
interface StoredFarewell {
  readonly incarnation: Incarnation;
  readonly at: WallTime;
  readonly why?: FarewellReason;
}

export const isFarewellKey = (key: string): boolean => key.startsWith(FAREWELL_PREFIX);

export function saidGoodbye(turn: Turn, peer: Peer, goodbye: Goodbye): void {
  const { env } = turn;
  const { condition } = peer;
  const { incarnation, reason, why } = goodbye;
  if (incarnation < peer.incarnation) return;
  if (condition.kind === "planned" && condition.incarnation >= incarnation) return;
  peer.farewell = incarnation;
  peer.farewellWhy = why;
  const said = why === undefined ? "it said goodbye" : `it said goodbye: ${FAREWELL_WORDS[why]}`;
  const words = reason === "stop" ? said : "it was removed";
  become(turn, peer, { kind: "planned", incarnation, since: env.now }, words);
  const stored: StoredFarewell = { incarnation, at: env.wall, ...(why === undefined ? {} : { why }) };
  keep(turn, { key: FAREWELL_PREFIX + peer.id, value: JSON.stringify(stored) });
  if (why === "thermal") openIncident(turn, thermalDeath(turn, peer, incarnation));
  // Of a member in maintenance nobody is told.
  else if (reason === "stop" && maintenanceOf(turn.state, peer.id, env.wall) === undefined)
    noteStop(turn, peer, goodbye);
}

/** Announced, and yet nobody's intention: told as a death is, over when the host returns. */
const thermalDeath = ({ env }: Turn, peer: Peer, incarnation: Incarnation): Opening => ({
  kind: "down",
  subject: peer.id,
  name: peer.member.name,
  incarnation,
  verdict: "host-down",
  since: peer.heardWall ?? env.wall,
  detail: FAREWELL_WORDS.thermal,
});

/** It lives again, or is none of ours any more. */
export function forgetFarewell(turn: Turn, peer: Peer): void {
  if (peer.farewell === undefined) return;
  peer.farewell = undefined;
  peer.farewellWhy = undefined;
  keep(turn, { key: FAREWELL_PREFIX + peer.id, value: undefined });
}

const keep = (turn: Turn, record: Stored): void => {
  turn.effects.push({ type: "persist", records: [record], afterwards: [] });
};

/** Whatever the wall clock did meanwhile, the time that was announced is neither over before nor begun anew twice. */
export function restoreFarewell(turn: Turn, key: string, value: string): void {
  const peer = turn.state.peers.get(key.slice(FAREWELL_PREFIX.length));
  if (peer === undefined) {
    keep(turn, { key, value: undefined });
    return;
  }
  const { incarnation, at, why } = JSON.parse(value) as StoredFarewell;
  const past = Math.min(Math.max(0, turn.env.wall - at), turn.state.policy.plannedFor);
  peer.incarnation = incarnation;
  peer.farewell = incarnation;
  peer.farewellWhy = why;
  peer.condition = { kind: "planned", incarnation, since: after(turn.env.now, -past as Duration) };
}

/** Before a beat is learnt from: whether the host has booted by itself since the last one. */
export function noteRestart(turn: Turn, peer: Peer, beat: Beat): void {
  const { state, env } = turn;
  if (beat.incarnation <= peer.incarnation) return;
  const { boot, farewell, lastBeatAt, member } = peer;
  forgetFarewell(turn, peer);
  if (boot === undefined || boot === beat.boot || lastBeatAt === undefined) return;
  if (farewell !== undefined || maintenanceOf(state, peer.id, env.wall) !== undefined) return;
  const away = between(lastBeatAt, env.now);
  openIncident(turn, {
    kind: "restarted",
    subject: peer.id,
    name: member.name,
    // Observers may hear the new boot in different lives of it: the boot itself tells one restart from another.
    incarnation: 0,
    topic: beat.boot.slice(0, TOPIC_MAX),
    verdict: "alive",
    since: Math.max(0, env.wall - away) as WallTime,
    until: env.wall,
    detail: `away ${Math.round(away / 1000)} s`,
  });
}

/** What peers accept as a topic. */
const TOPIC_MAX = 96;

/** Who has left the mesh is nobody's concern any more: whatever is open about it, or was said by it, ends. */
export function memberLeft(turn: Turn, peer: Peer): void {
  forgetFarewell(turn, peer);
  turn.state.departed.add(peer.id);
  for (const open of turn.state.ledger.open.values()) endIfLeft(turn, open);
}

/** Nodes that have yet to learn of it may open more. */
export function endIfLeft(turn: Turn, open: IncidentRecord): void {
  const { departed } = turn.state;
  if (departed.has(open.subject) || departed.has(open.topic ?? "")) resolveIncident(turn, open, "replaced");
}
