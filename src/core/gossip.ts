/** Spreads the ledger: news at once to everyone, differences found by digest and repaired over the stream. */
import { after, between, ms } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { Effect, Stored } from "./io.ts";
import { digestOf, isForgotten, keyOf, merge, mutesInForce, versionOf } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import {
  LEDGER_FULL,
  LEDGER_NEWS_MAX,
  LIFE_LEAP_MAX,
  LOSSY_ABOVE,
  MUTES_MAX,
  OPEN_MAX,
  PARCEL_CHARS,
  RESEND_FIRST,
  RESEND_FIRST_LOSSLESS,
  RESEND_FIRST_MAX,
  SUMMARY_MAX,
  SYNC_AFTER,
  SYNC_EVERY,
} from "./limits.ts";
import type { LedgerNews, LedgerSummary, PeerMessage, Plane } from "./messages.ts";
import { dueAgain, enqueue } from "./outbox.ts";
import { type Peer, pathOf } from "./peer.ts";
import { patience } from "./stall.ts";
import type { News, Turn } from "./state.ts";

const STORE_PREFIX = "ledger/";

export const storedRecord = (record: LedgerRecord): Stored => ({
  key: STORE_PREFIX + keyOf(record),
  value: JSON.stringify(record),
});

export const isLedgerKey = (key: string): boolean => key.startsWith(STORE_PREFIX);
export const forgotten = (key: string): Stored => ({ key: STORE_PREFIX + key, value: undefined });

/** Enters this node's own records. They are on disk before the peers are told, and these before `afterwards`. */
export function publish(
  turn: Turn,
  records: readonly LedgerRecord[],
  afterwards: readonly Effect[] = [],
  isTold: (peer: Peer) => boolean = () => true,
): void {
  const news = records.filter((record) => merge(turn.state.ledger, record));
  if (news.length === 0) turn.effects.push(...afterwards);
  else turn.news.push({ records: news, afterwards, isTold });
}

/** The part of a step that writes and tells what it entered: one write, and as few messages as hold it all. */
export function spreadNews(turn: Turn): void {
  const { news, state } = turn;
  if (news.length === 0) return;
  // What was entered first may have changed in the same step.
  const latest = (entered: readonly News[]): LedgerRecord[] => {
    const keys = new Set(entered.flatMap(({ records }) => records.map(keyOf)));
    return [...keys].flatMap((key) => state.ledger.records.get(key) ?? []);
  };
  const effects: Effect[] = [];
  const parcelled = new Map<string, LedgerRecord[][]>();
  for (const peer of state.acquaintances) {
    const told = news.map(({ isTold }) => isTold(peer));
    const made = parcelled.get(told.join()) ?? parcels(latest(news.filter((_, at) => told[at])));
    parcelled.set(told.join(), made);
    for (const records of made) effects.push(...urgent(turn, peer, { t: "ledger", records }));
  }
  turn.effects.push({
    type: "persist",
    records: latest(news).map(storedRecord),
    afterwards: [...effects, ...news.flatMap(({ afterwards }) => afterwards)],
  });
  news.length = 0;
}

/** Where not everyone has a session with everyone, news goes on from neighbour to neighbour. */
export function passOn(turn: Turn, from: Peer, news: readonly LedgerRecord[]): void {
  for (const peer of turn.state.watched) {
    if (peer.id === from.id) continue;
    for (const records of parcels(news)) turn.effects.push(...urgent(turn, peer, { t: "ledger", records }));
  }
}

/** As many records together as fit a datagram with room to spare. */
function parcels(records: readonly LedgerRecord[]): LedgerRecord[][] {
  const made: LedgerRecord[][] = [];
  let room = 0;
  for (const record of records) {
    const chars = JSON.stringify(record).length;
    if (chars > room || made.length === 0) {
      made.push([]);
      room = PARCEL_CHARS;
    }
    made.at(-1)?.push(record);
    room -= chars;
  }
  return made;
}

/** Takes in what a peer knows; returns what was new here. */
export function takeIn(turn: Turn, records: readonly LedgerRecord[]): LedgerRecord[] {
  const { ledger } = turn.state;
  const news = records.filter((record) => isAcceptable(turn, record) && merge(ledger, record));
  if (news.length > 0) keep(turn, news.map(storedRecord));
  return news;
}

/** What nothing waits for goes to disk together. */
function keep({ effects }: Turn, records: readonly Stored[]): void {
  // With the last write of this step, if at all: of two versions of a record the later one must stay.
  const last = effects.findLastIndex((effect) => effect.type === "persist");
  const kept = effects[last];
  if (kept?.type === "persist" && kept.afterwards.length === 0)
    effects[last] = { ...kept, records: [...kept.records, ...records] };
  else effects.push({ type: "persist", records, afterwards: [] });
}

/** Any member may be mistaken or worse: what it says must fit what it speaks of, and stay within bounds. */
function isAcceptable({ state, env }: Turn, record: LedgerRecord): boolean {
  const { ledger } = state;
  if (isForgotten(ledger, record)) return false;
  if (ledger.records.size >= LEDGER_FULL && !ledger.records.has(keyOf(record))) return false;
  if (record.t === "mute")
    return ledger.records.has(keyOf(record)) || mutesInForce(ledger, env.wall).length < MUTES_MAX;
  if (record.t !== "incident") return true;
  const { kind, subject, incarnation, topic } = record;
  const opens = !ledger.records.has(keyOf(record)) && !ledger.records.has(`r/${record.incident}`);
  if (opens && ledger.open.size >= OPEN_MAX) return false;
  const known = subject === state.self ? state.incarnation : (state.peers.get(subject)?.incarnation ?? 0);
  if (incarnation > known + LIFE_LEAP_MAX) return false;
  return record.incident === incidentId(state.roster.mesh, kind, subject, incarnation, topic);
}

/**
 * Repeated datagrams where they pass; the stream repeats by itself. Of datagrams that have stopped coming
 * nobody knows: after an outage they pass again seconds before the stream does.
 */
function urgent(turn: Turn, peer: Peer, message: PeerMessage): Effect[] {
  const { session, condition } = peer;
  if (session === undefined) return [];
  const isStream = pathOf(peer, turn.env.now) === "stream";
  const overStream = isStream ? [send(peer, "stream", message)] : [];
  if (isStream && (session.datagramAt === undefined || condition.kind === "down")) return overStream;
  const { now } = turn.env;
  const interval = peer.loss > LOSSY_ABOVE ? RESEND_FIRST : RESEND_FIRST_LOSSLESS;
  const wait = ms(Math.min(interval + patience(turn.state, now), RESEND_FIRST_MAX));
  const number = enqueue(turn.state.outbox, peer.id, message, now, wait);
  return [...overStream, { type: "send", to: peer.id, plane: "datagram", envelope: { number, message } }];
}

const send = (peer: Peer, plane: Plane, message: PeerMessage): Effect => ({
  type: "send",
  to: peer.id,
  plane,
  envelope: { message },
});

export function resend(turn: Turn): void {
  for (const { to, number, message } of dueAgain(turn.state.outbox, turn.env.now)) {
    // Whoever is down does not hear it; returned, it finds what it lacks by the digest.
    if (turn.state.peers.get(to)?.condition.kind === "down") continue;
    turn.effects.push({ type: "send", to, plane: "datagram", envelope: { number, message } });
  }
}

/** After a beat: when our ledgers have differed for a while, tell the peer what we hold. */
export function reconcile(turn: Turn, peer: Peer): void {
  const { now } = turn.env;
  if (peer.ledgerDigest === undefined || peer.ledgerDigest === digestOf(turn.state.ledger)) {
    // News on its way makes ledgers differ for a beat; only what lasts longer is a reunion.
    if (peer.ledgerDiffersSince !== undefined && between(peer.ledgerDiffersSince, now) >= 2 * peer.period)
      peer.ledgerAgreesSince = now;
    peer.ledgerDiffersSince = undefined;
    return;
  }
  peer.ledgerDiffersSince ??= now;
  const settled = between(peer.ledgerDiffersSince, now) >= SYNC_AFTER;
  const allowed = peer.ledgerSyncAt === undefined || now >= after(peer.ledgerSyncAt, SYNC_EVERY);
  if (!settled || !allowed || peer.session === undefined) return;
  peer.ledgerSyncAt = now;
  const held = [...turn.state.ledger.records].slice(-SUMMARY_MAX);
  const keys = held.map(([key, record]) => [key, versionOf(record)] as const);
  turn.effects.push(send(peer, "stream", { t: "ledger-summary", keys }));
}

/** Sends a peer what its summary lacks; incidents last, so that it never holds one without what became of it. */
export function supply(turn: Turn, peer: Peer, summary: LedgerSummary): void {
  const theirs = new Map(summary.keys);
  const missing: LedgerRecord[] = [];
  for (const [key, record] of turn.state.ledger.records) {
    const version = theirs.get(key);
    if (version === undefined || version > versionOf(record)) missing.push(record);
  }
  missing.sort((a, b) => Number(a.t === "incident") - Number(b.t === "incident"));
  for (let at = 0; at < missing.length; at += LEDGER_NEWS_MAX) {
    const message: LedgerNews = { t: "ledger", records: missing.slice(at, at + LEDGER_NEWS_MAX) };
    turn.effects.push(send(peer, "stream", message));
  }
}
