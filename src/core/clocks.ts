/**
 * Which clocks are right. Each beat bears its sender's wall clock; what most clocks agree on counts as the
 * mesh's time. A node whose own clock is off goes by the mesh's, so that what it enters in the ledger
 * makes sense to others, and people are told which clock is off, by how much.
 */
import {
  between,
  civilTime,
  type Duration,
  formatDuration,
  type Instant,
  type WallTime,
} from "../kit/time.ts";
import { episode, openIncident, openOf, resolveIncident } from "./incidents.ts";
import type { Env } from "./io.ts";
import {
  CLOCK_CONFIRM,
  CLOCK_CONFIRM_OWN,
  CLOCK_DRIFT,
  CLOCK_OFF_FROM,
  CLOCK_OVER,
  CLOCK_RIGHT_WITHIN,
  CLOCK_STEP,
} from "./limits.ts";
import { type NodeState, nameOf, type Turn } from "./state.ts";
import type { NodeId } from "./types.ts";

export interface Clocks {
  /** This host's clock plus this is the time the node goes by: not 0 only while its clock is off. */
  correction: Duration;
  /** What was last found to be added to this host's clock for the mesh's time, however little; undefined = never. */
  reference: Duration | undefined;
  /** Both of this host's clocks at the last step: where they part, the wall clock was set. */
  now: Instant;
  wall: WallTime;
  /** Since when a clock has been off that nobody has said so of, or right again that somebody has. */
  readonly changing: Map<NodeId, Instant>;
}

export const startClocks = ({ now, wall }: Pick<Env, "now" | "wall">): Clocks => ({
  correction: 0 as Duration,
  reference: undefined,
  now,
  wall,
  changing: new Map(),
});

/** The time a node goes by, from its host's clock: that clock itself, or the mesh's while it is off. */
export const meshTime = ({ clocks }: Pick<NodeState, "clocks">, host: WallTime): WallTime =>
  (host + clocks.correction) as WallTime;

/** What the host's clock says at that time; beats bear it. */
export const hostTime = ({ clocks }: Pick<NodeState, "clocks">, wall: WallTime): WallTime =>
  (wall - clocks.correction) as WallTime;

/** The surroundings of a step, with the time to go by. */
export function keepTime(state: NodeState, host: Env): Env {
  const { clocks } = state;
  const step = host.wall - clocks.wall - between(clocks.now, host.now);
  clocks.now = host.now;
  clocks.wall = host.wall;
  if (Math.abs(step) > CLOCK_STEP) forgetOffsets(state, step as Duration);
  return clocks.correction === 0 ? host : { ...host, wall: meshTime(state, host.wall) };
}

/**
 * Set by hand or by a time service, or the host slept, during which monotonic time stands still: what was
 * measured before says nothing any more, and the next beats tell.
 */
function forgetOffsets({ clocks, peers }: NodeState, step: Duration): void {
  clocks.correction = 0 as Duration;
  if (clocks.reference !== undefined) clocks.reference = (clocks.reference - step) as Duration;
  for (const peer of peers.values()) peer.clockOffset = undefined;
}

/** A clock as seen from here; this node's own is 0. */
interface Reading {
  readonly node: NodeId;
  /** It minus this host's. */
  readonly offset: number;
}

/** What the clocks of this node and of those it watches show; undefined while most of these are not known. */
function readings(state: NodeState): readonly Reading[] | undefined {
  const known: Reading[] = [{ node: state.self, offset: 0 }];
  let alive = 0;
  for (const { id, condition, clockOffset } of state.watched) {
    if (condition.kind !== "alive") continue;
    alive += 1;
    if (clockOffset !== undefined) known.push({ node: id, offset: clockOffset });
  }
  if (alive === 0 || (known.length - 1) * 2 <= alive) return undefined;
  return known.sort((a, b) => a.offset - b.offset);
}

/**
 * What to add to this host's clock for the mesh's time: the median. Where as many clocks are on one side as
 * on the other, what was right before is, else whom nobody has called wrong, else the keymaster.
 */
function referenceOf(state: NodeState, sorted: readonly Reading[]): number {
  const low = sorted[Math.ceil(sorted.length / 2) - 1] ?? { node: state.self, offset: 0 };
  const high = sorted[Math.floor(sorted.length / 2)] ?? low;
  const middle = (low.offset + high.offset) / 2;
  if (high.offset - low.offset < CLOCK_RIGHT_WITHIN) return middle;
  const nearer = (to: number): number => (to < middle ? low.offset : high.offset);
  if (state.clocks.reference !== undefined) return nearer(state.clocks.reference);
  const isAccused = ({ node }: Reading): boolean => openOf({ state }, "clock", node) !== undefined;
  if (isAccused(low) !== isAccused(high)) return isAccused(low) ? high.offset : low.offset;
  const keymaster = sorted.find(({ node }) => node === state.roster.keymaster);
  return nearer(keymaster?.offset ?? 0);
}

/** How this host's clock differs from the mesh's time (ahead is positive); undefined while nobody can tell. */
export function ownClockError(state: NodeState): Duration | undefined {
  const sorted = readings(state);
  return sorted === undefined ? undefined : ((0 - referenceOf(state, sorted)) as Duration);
}

/** Compares the clocks; opens what has lasted, and ends what is over. */
export function reviewClocks(turn: Turn): void {
  const { state } = turn;
  for (const id of state.clocks.changing.keys())
    if (id !== state.self && !state.peers.has(id)) state.clocks.changing.delete(id);
  const sorted = readings(state);
  if (sorted === undefined) return;
  const reference = referenceOf(state, sorted);
  state.clocks.reference = reference as Duration;
  state.clocks.correction = correctedBy(state.clocks.correction, reference);
  const agreeing = sorted.filter(({ offset }) => Math.abs(offset - reference) < CLOCK_OFF_FROM).length;
  for (const { node, offset } of sorted)
    judge(turn, node, (offset - reference) as Duration, agreeing * 2 > sorted.length);
}

/** Not moved by every beat, or time would stagger with their delays. */
function correctedBy(correction: Duration, reference: number): Duration {
  const off = Math.abs(reference);
  if (off < CLOCK_RIGHT_WITHIN || (correction === 0 && off < CLOCK_OFF_FROM)) return 0 as Duration;
  return (Math.abs(reference - correction) > CLOCK_DRIFT ? Math.round(reference) : correction) as Duration;
}

function judge(turn: Turn, node: NodeId, error: Duration, isMajority: boolean): void {
  const { state, env } = turn;
  const { changing } = state.clocks;
  const open = openOf(turn, "clock", node);
  const isOff = Math.abs(error) >= (open === undefined ? CLOCK_OFF_FROM : CLOCK_RIGHT_WITHIN);
  if (isOff === (open !== undefined)) {
    changing.delete(node);
    return;
  }
  const since = changing.get(node) ?? env.now;
  changing.set(node, since);
  if (between(since, env.now) < patienceWith(state, node, isOff)) return;
  changing.delete(node);
  if (open !== undefined) resolveIncident(turn, open, "returned");
  else accuse(turn, node, error, isMajority);
}

/** Of its own clock others may say it sooner: what a node says itself bears the time in doubt. */
function patienceWith({ self }: NodeState, node: NodeId, isOff: boolean): Duration {
  if (!isOff) return CLOCK_OVER;
  return node === self ? CLOCK_CONFIRM_OWN : CLOCK_CONFIRM;
}

function accuse(turn: Turn, node: NodeId, error: Duration, isMajority: boolean): void {
  const { state, env } = turn;
  const mesh = meshTime(state, hostTime(state, env.wall));
  const shown = civilTime((mesh + error) as WallTime);
  const doubt = isMajority ? "" : "; as many clocks say otherwise, so it may be theirs that is wrong";
  openIncident(turn, {
    kind: "clock",
    subject: node,
    name: nameOf(state, node),
    incarnation: episode(turn, "clock", node),
    verdict: "alive",
    since: env.wall,
    detail: `${clockWords(error)}: it says ${shown}${doubt}`,
  });
}

/** `60 min ahead of the others`. */
export const clockWords = (error: Duration): string =>
  `${formatDuration(Math.abs(error) as Duration)} ${error > 0 ? "ahead of" : "behind"} the others`;
