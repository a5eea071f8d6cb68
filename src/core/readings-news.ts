/**
 * Readings between nodes. Each pass goes to the peers that watch this node; what changed is sent by
 * its place in a table that is asked for once. What a node is not told by a host itself it asks its
 * neighbours for, one after the other, and gets what is later.
 */
import { after, between } from "../kit/time.ts";
import {
  PASSES_PER_MESSAGE_MAX,
  READINGS_GOSSIP_EVERY,
  READINGS_GOSSIP_PASSES,
  READINGS_GOSSIP_SETTLED,
  READINGS_HELD_MAX,
  SYNC_EVERY,
} from "./limits.ts";
import type {
  PassNews,
  PeerMessage,
  ReadingsHeld,
  ReadingsNews,
  ReadingsTable,
  ReadingsWant,
} from "./messages.ts";
import { getsBeats, type Peer } from "./peer.ts";
import { compareRanks, rankIn } from "./roster.ts";
import { isTelling, latestOf, takeOwnPass, takePass, takeTable } from "./senses.ts";
import type { Turn } from "./state.ts";
import type { Taken } from "./thermal/black-box.ts";
import { type Change, changesBetween, isLater, type PassRank } from "./thermal/pass.ts";
import type { Reading } from "./thermal/reading.ts";
import type { NodeId } from "./types.ts";

function send(turn: Turn, peer: Peer, message: PeerMessage): void {
  turn.effects.push({ type: "send", to: peer.id, plane: "stream", envelope: { message } });
}

/** One pass over this host's sensors: kept, and told to all who are connected. */
export function shareOwnReadings(turn: Turn, readings: readonly Reading[]): void {
  const { state } = turn;
  const before = latestOf(state, state.self);
  const taken = takeOwnPass(turn, readings);
  turn.effects.push({ type: "felt", node: state.self, pass: taken });
  const changes = before === undefined ? undefined : changesBetween(before, taken);
  for (const peer of state.peers.values()) {
    if (peer.session === undefined || !getsBeats(peer)) continue;
    const sent = state.senses.sent.get(peer.id);
    const follows = sent !== undefined && sent.session === peer.session.id && isSame(sent, before);
    const since = follows && before !== undefined && changes !== undefined ? { before, changes } : undefined;
    sendOwn(turn, peer, taken, since);
  }
}

const isSame = (a: PassRank, b: PassRank | undefined): boolean => a.life === b?.life && a.pass === b.pass;

/** To a peer that is newly connected: all values of the latest pass. */
export function sendOwnReadings(turn: Turn, peer: Peer): void {
  const latest = latestOf(turn.state, turn.state.self);
  if (latest !== undefined && getsBeats(peer)) sendOwn(turn, peer, latest);
}

function sendOwn(turn: Turn, peer: Peer, taken: Taken, since?: Since): void {
  const { life, pass } = taken;
  if (peer.session === undefined) return;
  turn.state.senses.sent.set(peer.id, { life, pass, session: peer.session.id });
  send(turn, peer, { t: "readings", passes: [newsOf(turn, taken, since)] });
}

interface Since {
  readonly before: PassRank;
  readonly changes: readonly Change[];
}

function newsOf({ env }: Turn, taken: Taken, since: Since | undefined): PassNews {
  const { life, pass, table, values, alarms } = taken;
  const age = Math.round(between(taken.at, env.now));
  const follows =
    since !== undefined && since.before.life === life && 2 * since.changes.length < values.length;
  return {
    life,
    pass,
    table: table.id,
    ...(age > 0 ? { age } : {}),
    ...(follows ? { since: since.before.pass, changed: since.changes } : { all: values }),
    ...(alarms.length > 0 ? { alarms } : {}),
  };
}

/** What a peer says of its own sensors, or, asked for it, of others'. */
export function takeReadingsNews(turn: Turn, peer: Peer, { passes }: ReadingsNews): void {
  for (const news of passes) {
    const node = news.node ?? peer.id;
    const reception = takePass(turn, peer.id, news);
    if (reception === "ask") ask(turn, peer, node);
    const pass = reception === "taken" ? latestOf(turn.state, node) : undefined;
    if (pass !== undefined) turn.effects.push({ type: "felt", node, pass });
  }
}

/** Once every two seconds a host: what is asked for comes over the stream, and may be on its way. */
function ask(turn: Turn, peer: Peer, node: NodeId): void {
  const { state, env } = turn;
  const { askedAt, tables } = state.senses;
  const last = askedAt.get(node);
  if (last !== undefined && env.now < after(last, SYNC_EVERY)) return;
  askedAt.set(node, env.now);
  const table = (tables.get(node)?.table ?? latestOf(state, node)?.table)?.id;
  send(turn, peer, { t: "readings-want", node, ...(table === undefined ? {} : { table }) });
}

export function answerReadingsWant(turn: Turn, peer: Peer, { node, table }: ReadingsWant): void {
  const latest = latestOf(turn.state, node);
  if (latest === undefined) return;
  if (table !== latest.table.id) send(turn, peer, { t: "readings-table", node, table: latest.table });
  if (node === turn.state.self) sendOwn(turn, peer, latest);
  else send(turn, peer, { t: "readings", passes: [{ node, ...newsOf(turn, latest, undefined) }] });
}

export function takeReadingsTable(turn: Turn, peer: Peer, { node, table }: ReadingsTable): void {
  takeTable(turn, peer.id, node, table);
}

/** Asks one neighbour after the other for the readings of those that do not tell this node themselves. */
export function gossipReadings(turn: Turn): void {
  const { state, env } = turn;
  const { senses, roster } = state;
  if (env.now < senses.gossipAt) return;
  senses.gossipAt = after(env.now, READINGS_GOSSIP_EVERY);
  const held = roster.members.flatMap(({ id }, place): ReadingsHeld["held"][number][] => {
    const peer = state.peers.get(id);
    if (peer === undefined || isTelling(peer)) return [];
    const { life = 0, pass = 0 } = latestOf(state, id) ?? {};
    return [[place, life, pass]];
  });
  if (held.length === 0) return;
  const askable = [...state.peers.values()].filter(
    (peer) => isTelling(peer) && peer.condition.kind === "alive",
  );
  const peer = askable[senses.gossiped % Math.max(askable.length, 1)];
  if (peer === undefined) return;
  senses.gossiped += 1;
  send(turn, peer, { t: "readings-held", roster: rankIn(roster), held: held.slice(0, READINGS_HELD_MAX) });
}

export function answerReadingsHeld(turn: Turn, peer: Peer, { roster, held }: ReadingsHeld): void {
  const { state } = turn;
  const { members } = state.roster;
  // With another roster the places mean other nodes; rosters become equal within seconds.
  if (compareRanks(roster, state.roster) !== 0) return;
  const passes = held.flatMap(([place, life, pass]): PassNews[] => {
    const node = members[place]?.id;
    if (node === undefined || node === peer.id) return [];
    const latest = latestOf(state, node);
    if (latest === undefined || !isWorthSending(turn, latest, { life, pass })) return [];
    return [{ node, ...newsOf(turn, latest, sinceHeld(turn, node, latest, { life, pass })) }];
  });
  for (let at = 0; at < passes.length; at += PASSES_PER_MESSAGE_MAX)
    send(turn, peer, { t: "readings", passes: passes.slice(at, at + PASSES_PER_MESSAGE_MAX) });
}

function isWorthSending({ env }: Turn, latest: Taken, theirs: PassRank): boolean {
  if (!isLater(latest, theirs)) return false;
  if (latest.life > theirs.life || latest.pass >= theirs.pass + READINGS_GOSSIP_PASSES) return true;
  return between(latest.at, env.now) >= READINGS_GOSSIP_SETTLED;
}

/** The changes from the pass they hold, where it is still known here. */
function sinceHeld({ state }: Turn, node: NodeId, latest: Taken, theirs: PassRank): Since | undefined {
  const before = state.senses.boxes.get(node)?.findLast((pass) => isSame(pass, theirs));
  const changes = before === undefined ? undefined : changesBetween(before, latest);
  return before === undefined || changes === undefined ? undefined : { before, changes };
}
