/**
 * One node does not hear another that others hear: one incident a direction. Its subject is who is
 * not heard, its topic the id of the node that does not hear.
 */
import { between, type WallTime } from "../kit/time.ts";
import { episode, openAbsences, openIncident, openOf, ownEvidence, resolveIncident } from "./incidents.ts";
import type { IncidentRecord, LedgerRecord, ResolvedRecord } from "./ledger-records.ts";
import { DETAIL_MAX, LINK_PROBLEM_CONFIRM, LINK_PROBLEM_OVER, ON_BEHALF_AFTER } from "./limits.ts";
import type { Beat } from "./messages.ts";
import { isPath } from "./path-topic.ts";
import type { Inquiry, Peer } from "./peer.ts";
import { nameOf, type Turn } from "./state.ts";
import type { IncidentId, NodeId } from "./types.ts";

/** Opens what has lasted, and ends what is over. A node that is cut off says nothing of others. */
export function reviewLinkProblems(turn: Turn): void {
  const { state } = turn;
  if (state.isolated !== undefined) return;
  for (const peer of state.acquaintances) {
    // What it said before it went is no word about what it hears once it is back.
    if (isAway(peer)) expectNoHearing(peer);
    else if (peer.condition.kind === "link-problem") openOwn(turn, peer, peer.condition.inquiry);
    else if (peer.deafSince !== undefined) openOnBehalf(turn, peer);
  }
  for (const open of state.ledger.open.values()) {
    const end = open.kind === "link-problem" && !isPath(open) ? endOf(turn, open) : undefined;
    if (end !== undefined) resolveIncident(turn, open, end);
  }
}

function openOwn(turn: Turn, peer: Peer, inquiry: Inquiry): void {
  const { state, env } = turn;
  if (between(peer.changedAt, env.now) < LINK_PROBLEM_CONFIRM) return;
  const detail = [...hearersIn(turn, inquiry), ...addressesIn(inquiry), ...otherDirection(turn, peer)];
  const about = (incident: IncidentId): LedgerRecord[] => [ownEvidence(turn, peer, incident, inquiry)];
  open(turn, peer, state.self, peer.heardWall ?? env.wall, detail.join("; "), about);
}

/** Whoever is deaf to this node may be deaf to all, and its own word may not get through: said in its stead. */
function openOnBehalf(turn: Turn, deaf: Peer): void {
  const { state, env } = turn;
  const { deafSince, condition } = deaf;
  if (deafSince === undefined || condition.kind !== "alive") return;
  const lasted = between(deafSince, env.now);
  if (lasted < ON_BEHALF_AFTER) return;
  const self = { id: state.self, member: { name: nameOf(state, state.self) } };
  const since = Math.max(0, env.wall - lasted) as WallTime;
  const { name } = deaf.member;
  open(turn, self, deaf.id, since, `${name} says that it does not hear ${self.member.name}, which hears it`);
}

function open(
  turn: Turn,
  subject: { readonly id: NodeId; readonly member: { readonly name: string } },
  topic: NodeId,
  since: WallTime,
  detail: string,
  about: (incident: IncidentId) => LedgerRecord[] = () => [],
): void {
  const kind = "link-problem";
  // Of one that is away for others there is something else to say; but of itself a node knows better.
  const ends = [subject.id, topic].filter((id) => id !== turn.state.self);
  if (ends.some((id) => openAbsences(turn, id).length > 0)) return;
  if (openOf(turn, kind, subject.id, topic) !== undefined) return;
  const incarnation = episode(turn, kind, subject.id, topic);
  const { name } = subject.member;
  const words = detail === "" ? {} : { detail: detail.slice(0, DETAIL_MAX) };
  openIncident(
    turn,
    { kind, subject: subject.id, name, incarnation, verdict: kind, since, topic, ...words },
    about,
  );
}

const NAMES_SHOWN = 3;

function hearersIn({ state }: Turn, { testimonies }: Inquiry): string[] {
  const hearers = [...testimonies].filter(([, { state: says }]) => says === "hearing");
  if (hearers.length === 0) return [];
  const names = hearers.slice(0, NAMES_SHOWN).map(([id]) => nameOf(state, id));
  const more = hearers.length - names.length;
  return [`heard by ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
}

const WORDS = { accepted: "accepts connections", refused: "refuses connections", silent: "does not answer" };

const addressesIn = ({ probes }: Inquiry): string[] =>
  [...probes].map(([address, outcome]) => `${address} ${WORDS[outcome]} here`);

/** Whether the subject has said that it does not hear this node either. */
const otherDirection = (turn: Turn, peer: Peer): string[] =>
  openOf(turn, "link-problem", turn.state.self, peer.id) === undefined
    ? []
    : [`it does not hear ${nameOf(turn.state, turn.state.self)} either`];

/** Undefined while it lasts. */
function endOf(turn: Turn, { subject, topic = "" }: IncidentRecord): ResolvedRecord["how"] | undefined {
  const { state } = turn;
  const ends = [subject, topic].filter((id) => id !== state.self).map((id) => state.peers.get(id));
  // Between two of which one is away there is nothing to repair; what is true then is told otherwise.
  if (ends.some((end) => end !== undefined && isAway(end))) return "replaced";
  const [other] = ends;
  if (ends.length !== 1 || other === undefined) return undefined;
  const over = topic === state.self ? isHeardSteadily(turn, other) : hearsSteadily(turn, other);
  return over ? "returned" : undefined;
}

const isAway = ({ condition }: Peer): boolean => condition.kind === "down" || condition.kind === "planned";

const isHeardSteadily = ({ env }: Turn, { condition, changedAt }: Peer): boolean =>
  condition.kind === "alive" && between(changedAt, env.now) >= LINK_PROBLEM_OVER;

/** By its own word; it says that it is over itself, if that comes through. */
const hearsSteadily = ({ env }: Turn, { condition, hearsSince }: Peer): boolean =>
  condition.kind === "alive" &&
  hearsSince !== undefined &&
  between(hearsSince, env.now) >= 2 * LINK_PROBLEM_OVER;

/** In periods of this node: a datagram heard within so many is heard. */
const HEARD_PERIODS = 5;

/** What a beat says of whether its sender hears this node: its verdict, or datagrams that arrived a moment ago. */
export function noteHearing({ state, env }: Turn, peer: Peer, { view, heard }: Beat): void {
  const recently = heard !== undefined && heard < HEARD_PERIODS * state.period;
  if (view === "alive" || view === "planned" || recently) {
    peer.deafSince = undefined;
    peer.hearsSince ??= env.now;
    return;
  }
  peer.hearsSince = undefined;
  peer.deafSince ??= env.now;
}

/** It does not listen for this node: others do. */
export function expectNoHearing(peer: Peer): void {
  peer.deafSince = undefined;
  peer.hearsSince = undefined;
}
