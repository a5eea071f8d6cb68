/** What this node knows of all hosts' sensors: its own passes, and what the others let it know. */
import { after, type Duration, type Instant, type WallTime } from "../kit/time.ts";
import { LIFE_LEAP_MAX } from "./limits.ts";
import type { PassNews } from "./messages.ts";
import { getsBeats, type Peer } from "./peer.ts";
import type { NodeState, Turn } from "./state.ts";
import { type BlackBox, type Taken, withPass } from "./thermal/black-box.ts";
import { isLater, type PassRank, passOf, withChanges } from "./thermal/pass.ts";
import type { Reading } from "./thermal/reading.ts";
import { type SensorTable, tableOf } from "./thermal/sensor-table.ts";
import type { NodeId } from "./types.ts";

/** What was last sent to a peer, and in which session: changes refer to it. */
export interface SentPass extends PassRank {
  readonly session: string;
}

export interface Senses {
  /** By host, this one included. */
  readonly boxes: Map<NodeId, BlackBox>;
  /** The tables peers described, by host; values may be yet to come. */
  readonly tables: Map<NodeId, { readonly table: SensorTable; readonly direct: boolean }>;
  readonly sent: Map<NodeId, SentPass>;
  /** When each host's table or values were last asked for. */
  readonly askedAt: Map<NodeId, Instant>;
  /** When to ask the next peer for other hosts' readings, and how many were asked before. */
  gossipAt: Instant;
  gossiped: number;
}

export const emptySenses = (now: Instant): Senses => ({
  boxes: new Map(),
  tables: new Map(),
  sent: new Map(),
  askedAt: new Map(),
  gossipAt: now,
  gossiped: 0,
});

export const latestOf = ({ senses }: Pick<NodeState, "senses">, node: NodeId): Taken | undefined =>
  senses.boxes.get(node)?.at(-1);

/** Whether the peer's own word of its sensors can be expected: it is connected, and a neighbour. */
export const isTelling = (peer: Peer): boolean => peer.session !== undefined && getsBeats(peer);

/** This host's own pass; its number goes up by one each time. */
export function takeOwnPass(turn: Turn, readings: readonly Reading[]): Taken {
  const { state, env } = turn;
  const before = latestOf(state, state.self);
  const table = tableOf(readings, before?.table);
  const rank = { life: state.incarnation, pass: (before?.pass ?? 0) + 1 };
  const taken = { ...passOf(readings, table, rank), at: env.now, wall: env.wall, direct: true };
  keep(turn, state.self, taken);
  return taken;
}

/** `ask`: it cannot be read without the host's table, or without all of its values. */
export type Reception = "taken" | "ignored" | "ask";

/** Takes in what a peer says of its own sensors, or of another host's. */
export function takePass(turn: Turn, from: NodeId, news: PassNews): Reception {
  const { state, env } = turn;
  const node = news.node ?? from;
  const direct = node === from;
  const held = latestOf(state, node);
  if (!isWelcome(state, node, news, direct, held)) return "ignored";
  const table = held?.table.id === news.table ? held.table : state.senses.tables.get(node)?.table;
  if (table?.id !== news.table) return "ask";
  const values = valuesOf(news, held);
  if (values === undefined || values.length !== table.sensors.length) return "ask";
  const { life, pass, age = 0 } = news;
  const alarms = [...new Set(news.alarms)].filter((place) => place < values.length);
  const made = { at: after(env.now, -age as Duration), wall: Math.max(0, env.wall - age) as WallTime };
  keep(turn, node, { life, pass, table, values, alarms, ...made, direct });
  return "taken";
}

function isWelcome(
  state: NodeState,
  node: NodeId,
  news: PassNews,
  direct: boolean,
  held: Taken | undefined,
): boolean {
  const peer = state.peers.get(node);
  if (peer === undefined) return false;
  // A host's own word goes before whatever others have said of it.
  if (direct) return held === undefined || !held.direct || isLater(news, held);
  if (isTelling(peer) && held?.direct === true) return false;
  return (held === undefined || isLater(news, held)) && news.life <= peer.incarnation + LIFE_LEAP_MAX;
}

function valuesOf(
  { all, since, changed, life, table }: PassNews,
  held: Taken | undefined,
): Taken["values"] | undefined {
  if (all !== undefined) return all;
  const applies = held?.life === life && held.pass === since && held.table.id === table;
  return applies && changed !== undefined ? withChanges(held.values, changed) : undefined;
}

function keep({ state }: Turn, node: NodeId, taken: Taken): void {
  state.senses.boxes.set(node, withPass(state.senses.boxes.get(node) ?? [], taken));
}

export function takeTable({ state }: Turn, from: NodeId, node: NodeId, table: SensorTable): void {
  if (!state.peers.has(node)) return;
  const direct = node === from;
  const held = state.senses.tables.get(node);
  if (held?.direct === true && !direct && latestOf(state, node)?.direct === true) return;
  state.senses.tables.set(node, { table, direct });
}

export function forgetSenses({ state }: Turn, node: NodeId): void {
  const { boxes, tables, sent, askedAt } = state.senses;
  for (const map of [boxes, tables, sent, askedAt]) map.delete(node);
}
