/** The whole of one node's mind: plain data, changed only inside `step`. */
import { type Duration, earliest, type Instant, type WallTime } from "../kit/time.ts";
import type { Clocks } from "./clocks.ts";
import type { Pulse } from "./heartbeat.ts";
import type { Effect, Env, Notice, RosterView } from "./io.ts";
import type { Ledger } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import type { NotifyState } from "./notify-state.ts";
import type { Outbox } from "./outbox.ts";
import { type Condition, type Peer, verdictOf } from "./peer.ts";
import type { Senses } from "./senses.ts";
import type { HeatState } from "./thermal/heat.ts";
import type { Topology } from "./topology.ts";
import type { ChannelRef, HeartbeatRef, Incarnation, NodeId, Policy, RosterRank, Uplink } from "./types.ts";

export interface NodeState {
  readonly self: NodeId;
  readonly boot: string;
  readonly period: Duration;
  roster: RosterView;
  channels: readonly ChannelRef[];
  policy: Policy;
  heartbeats: readonly HeartbeatRef[];
  incarnation: Incarnation;
  readonly startedAt: WallTime;
  readonly peers: Map<NodeId, Peer>;
  topology: Topology;
  /** Someone has come, gone, or changed since it was last settled who watches whom. */
  rolesStale: boolean;
  /** Derived from both, by subject (observersOf); empty while stale. */
  readonly observers: Map<NodeId, ReadonlySet<NodeId>>;
  /** In a mesh too large for sessions with everyone: with whom one is kept. */
  company: ReadonlySet<NodeId> | undefined;
  /** Of the peers, those that this node watches; */
  readonly watched: Set<Peer>;
  /** those it has or keeps a session with; */
  readonly acquaintances: Set<Peer>;
  /** and those that owe it an answer about another. */
  readonly owing: Set<Peer>;
  /** Members that have left the mesh since this node started. */
  readonly departed: Set<NodeId>;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  /** By peer, the keys of the records it is to be told of (spreading.ts), and when. */
  readonly later: { at: Instant | undefined; readonly keys: Map<NodeId, Set<string>> };
  readonly notify: NotifyState;
  readonly heat: HeatState;
  readonly senses: Senses;
  readonly clocks: Clocks;
  /** By name of the dead-man's heartbeat. */
  readonly pulses: Map<string, Pulse>;
  nextBeatAt: Instant;
  /** Nothing was under way after the last full look (routine.ts). */
  atRest: boolean;
  pruneAt: Instant;
  /** The deadline the daemon was last told; waking much later means that this node itself was stopped. */
  dueAt: Instant | undefined;
  /** Until then this node claims nothing, having been stopped. */
  drowsyUntil: Instant | undefined;
  /** When that last ended: what was heard before may have been lying in a buffer. */
  awakeSince: Instant | undefined;
  /** How late this node has woken lately, where that was later than it should. */
  late: { readonly by: Duration; readonly at: Instant } | undefined;
  /** When this node last heard someone after it had heard nobody. */
  returnedAt: Instant | undefined;
  /** What was last seen of our own uplink, asked for only where too few agree on a verdict. */
  uplink: { askedAt: Instant; seen: Uplink | undefined } | undefined;
  /** The uplink is looked at next while all is well, so that it is known what it shows then. */
  uplinkLearnAt: Instant;
  /** What takes seconds is looked at next. */
  reviewAt: Instant;
  /** Cut off since then, and nobody heard again yet. */
  cutOff: { readonly since: WallTime; readonly detail: string } | undefined;
  /** Hears nobody and has no uplink: claims nothing, and looks again at `recheckAt`. */
  isolated: { readonly since: WallTime; readonly detail: string; recheckAt: Instant } | undefined;
  /** The newest roster that was asked for, and when. */
  rosterWanted: { readonly rank: RosterRank; readonly at: Instant } | undefined;
  storeFailing: string | undefined;
  /** While the store fails: when to write again, so as to notice that it works. */
  storeRetryAt: Instant | undefined;
  stopping: boolean;
}

/** One step's surroundings: the state it changes, the time it happens, and what it causes. */
export interface Turn {
  readonly state: NodeState;
  readonly env: Env;
  readonly effects: Effect[];
  /** What the step enters in the ledger: written, and told to the peers, at its end and together. */
  readonly news: News[];
}

/** Whom this node tells: those who have a part in it at once and the rest later, all at once, or none but these. */
export type Audience = "by-part" | "everyone" | ReadonlySet<NodeId>;

export interface News {
  readonly records: readonly LedgerRecord[];
  /** What waits until they are on disk. */
  readonly afterwards: readonly Effect[];
  readonly audience: Audience;
}

export const notice = (turn: Turn, what: Notice): void => {
  turn.effects.push({ type: "notice", notice: what });
};

/** Nodes this one counts as alive, itself included. */
export function aliveCount(state: NodeState): number {
  let alive = 1;
  for (const peer of state.peers.values()) {
    if (peer.condition.kind === "alive" || peer.condition.kind === "link-problem") alive += 1;
  }
  return alive;
}

export const nameOf = (state: NodeState, id: NodeId): string =>
  state.roster.members.find((member) => member.id === id)?.name ?? id.slice(0, 8);

/** Not to be counted on to watch anyone. */
export const isAway = ({ kind }: Condition): boolean =>
  kind === "suspect" || kind === "down" || kind === "planned";

/** Moves a peer to another condition and says so where the verdict changes. */
export function become(turn: Turn, peer: Peer, condition: Condition, why: string): void {
  const before = peer.condition;
  const from = verdictOf(before);
  const to = verdictOf(condition);
  peer.condition = condition;
  if (isAway(before) !== isAway(condition) || turn.state.ledger.open.size > 0) turn.state.rolesStale = true;
  if (from === to) return;
  peer.since = turn.env.wall;
  peer.changedAt = turn.env.now;
  notice(turn, {
    type: "verdict",
    subject: peer.id,
    name: peer.member.name,
    from,
    to,
    incarnation: peer.incarnation,
    why,
  });
}

/** Just woken from being stopped, this node answers "unknown" and reaches no verdict. */
export const isDrowsy = (turn: Turn): boolean =>
  turn.state.drowsyUntil !== undefined && turn.env.now < turn.state.drowsyUntil;

/** People are to be thought of again by then at the latest. */
export const wakeBy = (turn: Turn, at: Instant): void => {
  turn.state.notify.wakeAt = earliest(turn.state.notify.wakeAt, at);
};
