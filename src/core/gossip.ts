/** Keeps ledgers alike: takes in what peers tell, finds differences by digest and repairs them over the stream. */
import { after, between } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { Stored } from "./io.ts";
import { digestOf, isForgotten, keyOf, merge, mutesInForce, versionOf } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import {
  LATER_NEWS,
  LEDGER_FULL,
  LEDGER_NEWS_MAX,
  LIFE_LEAP_MAX,
  MUTES_MAX,
  OPEN_MAX,
  REUNION_LEAST,
  SUMMARY_MAX,
  SYNC_AFTER,
  SYNC_EVERY,
} from "./limits.ts";
import type { LedgerNews, LedgerSummary } from "./messages.ts";
import type { Peer } from "./peer.ts";
import { overStream } from "./post.ts";
import type { Turn } from "./state.ts";
import { storedRecord } from "./stored-ledger.ts";

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
  else effects.push({ type: "persist", records, afterwards: [], canWait: true });
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

/** After a beat: when our ledgers have differed for a while, tell the peer what we hold. */
export function reconcile(turn: Turn, peer: Peer): void {
  const { now } = turn.env;
  if (peer.ledgerDigest === undefined || peer.ledgerDigest === digestOf(turn.state.ledger)) {
    // News on its way makes ledgers differ for a moment; only what lasts longer is a reunion.
    const brief = Math.min(LATER_NEWS + 2 * peer.period, REUNION_LEAST);
    if (peer.ledgerDiffersSince !== undefined && between(peer.ledgerDiffersSince, now) >= brief)
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
  turn.effects.push(overStream(peer, { t: "ledger-summary", keys }));
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
    turn.effects.push(overStream(peer, message));
  }
}
