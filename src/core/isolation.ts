/** Hearing nobody and without an uplink of its own, a node claims nothing about the others. */
import { after, type Instant, type WallTime } from "../kit/time.ts";
import { openIncident } from "./incidents.ts";
import type { Ledger } from "./ledger.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import {
  CUT_OFF_LEAST,
  DETAIL_MAX,
  ISOLATION_RECHECK,
  RETURN_PATIENCE,
  UPLINK_LEARN_EVERY,
} from "./limits.ts";
import { aliveCount, become, type NodeState, nameOf, notice, type Turn } from "./state.ts";
import type { NodeId, Uplink } from "./types.ts";

export function isolate(turn: Turn, detail: string): void {
  const { env, state } = turn;
  if (state.isolated === undefined) {
    state.isolated = { since: env.wall, detail, recheckAt: after(env.now, ISOLATION_RECHECK) };
    if (isMember(state)) state.cutOff ??= { since: lastHeard(state) ?? env.wall, detail };
    notice(turn, { type: "isolated", isolated: true, detail });
  }
  for (const peer of state.peers.values()) {
    const { condition } = peer;
    const isUndecided = condition.kind === "suspect" || condition.kind === "link-problem";
    // A death that it has yet to enter is looked into again once it is back.
    if (isUndecided || (condition.kind === "down" && condition.enter !== undefined)) {
      become(turn, peer, { kind: "unknown" }, "this node is cut off itself");
    } else if (condition.kind === "down") {
      condition.inquiry = undefined;
    }
  }
}

/**
 * Who let this node in has lost, and nobody has confirmed it: the others do not speak with it, so their
 * silence says nothing about them. It claims nothing until a roster holds it again.
 */
export function followMembership(turn: Turn): void {
  const { state } = turn;
  if (!isMember(state)) isolate(turn, WAITING);
  else if (state.isolated?.detail === WAITING) endIsolation(turn, "the roster holds this node again");
}

const WAITING = "this node is not in the roster, and waits to be confirmed";

const isMember = ({ roster, self }: NodeState): boolean => roster.members.some(({ id }) => id === self);

export function endIsolation(turn: Turn, why: string): void {
  const { env, state } = turn;
  if (state.isolated === undefined || !isMember(state)) return;
  state.isolated = undefined;
  notice(turn, { type: "isolated", isolated: false, detail: why });
  for (const peer of state.peers.values()) {
    if (peer.condition.kind !== "unknown") continue;
    // Whom it never heard it has yet to miss: that time begins anew.
    peer.changedAt = env.now;
    if (peer.heardAt === undefined) continue;
    peer.condition = { kind: "unknown", doubtAt: after(env.now, RETURN_PATIENCE) };
  }
}

function lastHeard(state: NodeState): WallTime | undefined {
  let latest: WallTime | undefined;
  for (const { heardWall } of state.peers.values())
    if (heardWall !== undefined && (latest === undefined || heardWall > latest)) latest = heardWall;
  return latest;
}

/** The first word after it was cut off: says so, once, in a note. */
export function tellCutOff(turn: Turn): void {
  const { state, env } = turn;
  const { cutOff, self } = state;
  if (cutOff === undefined) return;
  state.cutOff = undefined;
  if (env.wall - cutOff.since < CUT_OFF_LEAST) return;
  openIncident(turn, {
    kind: "cut-off",
    subject: self,
    name: nameOf(state, self),
    incarnation: state.incarnation,
    verdict: "alive",
    since: cutOff.since,
    until: env.wall,
    topic: String(cutOff.since),
    detail: cutOff.detail.slice(0, DETAIL_MAX),
  });
}

/** What a host has said of having been cut off, at a time that reaches beyond `since`. */
export function accountsOf({ records }: Ledger, subject: NodeId, since: WallTime): IncidentRecord[] {
  const accounts: IncidentRecord[] = [];
  for (const record of records.values()) {
    if (record.t !== "incident" || record.kind !== "cut-off" || record.subject !== subject) continue;
    if ((record.until ?? since) >= since) accounts.push(record);
  }
  return accounts;
}

/** Looks now and then while others are heard: what a gateway shows then tells what its silence means later. */
export function learnUplink(turn: Turn): void {
  const { state, env } = turn;
  if (env.now < state.uplinkLearnAt || aliveCount(state) === 1) return;
  state.uplinkLearnAt = after(env.now, UPLINK_LEARN_EVERY);
  state.uplink = { askedAt: env.now, seen: undefined };
  turn.effects.push({ type: "look-at-uplink" });
}

export function recheckUplink(turn: Turn): void {
  const { env, state } = turn;
  if (state.isolated === undefined || env.now < state.isolated.recheckAt) return;
  state.isolated.recheckAt = after(env.now, ISOLATION_RECHECK);
  turn.effects.push({ type: "look-at-uplink" });
}

export function uplinkSeen(turn: Turn, uplink: Uplink): void {
  const { state, env } = turn;
  const askedAt = state.uplink?.askedAt ?? env.now;
  state.uplink = { askedAt, seen: uplink };
  if (uplink.up) endIsolation(turn, uplink.detail);
  else takeBack(turn, askedAt, uplink.detail);
}

/** The look took longer than the verdicts that wait for it do: what was claimed meanwhile is taken back. */
function takeBack(turn: Turn, askedAt: Instant, detail: string): void {
  const { state } = turn;
  if (state.isolated !== undefined) return;
  const claimed = [...state.watched].filter(
    ({ condition, changedAt }) =>
      condition.kind === "down" && condition.verdict === "unreachable" && changedAt >= askedAt,
  );
  if (claimed.length === 0) return;
  isolate(turn, detail);
  // The incidents stand until their subjects are heard: others may have entered the same with more right.
  for (const peer of claimed) become(turn, peer, { kind: "unknown" }, "this node is cut off itself");
}
