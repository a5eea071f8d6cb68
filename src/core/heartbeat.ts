/**
 * The dead-man's heartbeat: an outside service raises the alarm when the whole mesh falls silent.
 * One node pings at a time; the others stand by, each a little longer than the one before it, so
 * that the last of them would ping within two periods of the last success.
 */
import { hashPairAgain } from "../kit/hash.ts";
import { after, type Duration, earlier, earliest, type Instant, later } from "../kit/time.ts";
import { publish } from "./entries.ts";
import type { DeliveryOutcome } from "./io.ts";
import { DETAIL_MAX } from "./limits.ts";
import { aliveCount, type NodeState, nameOf, notice, type Turn } from "./state.ts";
import type { HeartbeatRef, NodeId } from "./types.ts";

/** What a node remembers of one heartbeat. */
export interface Pulse {
  /** The mesh's last ping that this node knows of, and when it learned of it. */
  turn: number;
  seenAt: Instant;
  /** What that ping said, */
  condition: "alive" | "fail";
  /** and since when something else is the case; undefined where it is not. */
  otherwiseSince: Instant | undefined;
  /** When this node tries next, at the earliest, after a failure of its own. */
  retryAt: Instant;
  inFlight: boolean;
  failing: boolean;
}

/** Of the nodes that hear one another and have this heartbeat: who pings, who is next. */
function placeOf(state: NodeState, heartbeat: string): { place: number; of: number } {
  const able = [state.self];
  for (const peer of state.peers.values())
    if (peer.condition.kind === "alive" && peer.channels.includes(heartbeat)) able.push(peer.id);
  const order = able.map((node) => ({ node, hash: hashPairAgain("balefire-heartbeat-1", heartbeat, node) }));
  order.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return { place: order.findIndex(({ node }) => node === state.self), of: order.length };
}

/** More than half of the mesh is known to be gone. */
function conditionOf(state: NodeState): "alive" | "fail" {
  const gone = new Set<NodeId>();
  for (const { kind, subject } of state.ledger.open.values())
    if (kind === "down" || kind === "missing") gone.add(subject);
  return 2 * gone.size > state.roster.members.length ? "fail" : "alive";
}

export function keepHeartbeats(turn: Turn): void {
  const { state, env } = turn;
  if (state.heartbeats.length === 0 || state.stopping || state.isolated !== undefined) return;
  for (const heartbeat of state.heartbeats) {
    const pulse = pulseOf(turn, heartbeat);
    if (pulse.condition === conditionOf(state)) pulse.otherwiseSince = undefined;
    else pulse.otherwiseSince ??= env.now;
    if (!pulse.inFlight && dueAt(state, heartbeat, pulse) <= env.now) ping(turn, heartbeat, pulse);
  }
}

function pulseOf({ state, env }: Turn, { name }: HeartbeatRef): Pulse {
  const held = state.pulses.get(name);
  const record = state.ledger.records.get(`p/${name}`);
  const known = record?.t === "ping" ? record.turn : 0;
  if (held !== undefined) {
    if (known > held.turn)
      Object.assign(held, { turn: known, seenAt: env.now, condition: conditionOf(state) });
    return held;
  }
  const begun: Pulse = {
    turn: known,
    seenAt: env.now,
    condition: "alive",
    otherwiseSince: undefined,
    retryAt: env.now,
    inFlight: false,
    failing: false,
  };
  state.pulses.set(name, begun);
  return begun;
}

function dueAt(state: NodeState, { name, every }: HeartbeatRef, pulse: Pulse): Instant {
  const { place, of } = placeOf(state, name);
  const share = (every * place) / of;
  const routine = after(pulse.seenAt, (every + share) as Duration);
  // A mesh that has just lost, or regained, its majority says so without waiting for the period to end.
  const news = pulse.otherwiseSince;
  const due = news === undefined ? routine : earlier(routine, after(news, (share / 4) as Duration));
  return later(due, pulse.retryAt);
}

function ping(turn: Turn, { name }: HeartbeatRef, pulse: Pulse): void {
  pulse.inFlight = true;
  turn.effects.push({ type: "ping", heartbeat: name, ...pingNow(turn.state) });
}

/** What a ping says now. */
export const pingNow = (state: NodeState): { condition: "alive" | "fail"; detail: string } => ({
  condition: conditionOf(state),
  detail: `${nameOf(state, state.self)}: ${aliveCount(state)} of ${state.roster.members.length} hosts alive`,
});

export function pinged(turn: Turn, heartbeat: string, result: DeliveryOutcome): void {
  const { state, env } = turn;
  const pulse = state.pulses.get(heartbeat);
  if (pulse === undefined) return;
  pulse.inFlight = false;
  if (result.outcome !== "delivered") {
    if (!pulse.failing) notice(turn, { type: "warning", text: `heartbeat ${heartbeat}: ${result.detail}` });
    pulse.failing = true;
    const every = state.heartbeats.find(({ name }) => name === heartbeat)?.every;
    if (every !== undefined) pulse.retryAt = after(env.now, every);
    return;
  }
  Object.assign(pulse, {
    failing: false,
    turn: pulse.turn + 1,
    seenAt: env.now,
    condition: conditionOf(state),
  });
  publish(turn, [
    {
      t: "ping",
      channel: heartbeat,
      node: state.self,
      turn: pulse.turn,
      at: env.wall,
      outcome: "delivered",
      detail: result.detail.slice(0, DETAIL_MAX),
    },
  ]);
}

export function nextPingAt(state: NodeState): Instant | undefined {
  if (state.stopping || state.isolated !== undefined) return undefined;
  let next: Instant | undefined;
  for (const heartbeat of state.heartbeats) {
    const pulse = state.pulses.get(heartbeat.name);
    if (pulse !== undefined && !pulse.inFlight) next = earliest(next, dueAt(state, heartbeat, pulse));
  }
  return next;
}
