/**
 * How what is entered in the ledger reaches the others: at once those who might have to act on it, the rest a
 * little later, with all that has come of it by then.
 */
import { tellLater } from "./entries.ts";
import { firstHearers, type Lines } from "./first-hearers.ts";
import type { Effect } from "./io.ts";
import { keyOf } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { LEDGER_NEWS_MAX, PARCEL_CHARS } from "./limits.ts";
import type { Peer } from "./peer.ts";
import { overStream, urgent } from "./post.ts";
import type { News, Turn } from "./state.ts";
import { storedRecord } from "./stored-ledger.ts";

/** The part of a step that writes and tells what it entered: one write, and as few messages as hold it all. */
export function spreadNews(turn: Turn): void {
  const { news, state } = turn;
  if (news.length === 0) return;
  // What was entered first may have changed in the same step.
  const latest = (entered: readonly News[]): LedgerRecord[] => {
    const keys = new Set(entered.flatMap(({ records }) => records.map(keyOf)));
    return [...keys].flatMap((key) => state.ledger.records.get(key) ?? []);
  };
  const lines: Lines = new Map();
  const first = news.map(({ records, audience }) => {
    if (audience === "everyone") return undefined;
    return audience === "by-part" ? firstHearers(turn, records, lines) : audience;
  });
  const effects: Effect[] = [];
  const parcelled = new Map<string, LedgerRecord[][]>();
  for (const peer of state.acquaintances) {
    const isFirst = first.map((hearers) => hearers?.has(peer.id) ?? true);
    const made = parcelled.get(isFirst.join()) ?? parcels(latest(news.filter((_, at) => isFirst[at])));
    parcelled.set(isFirst.join(), made);
    for (const records of made) effects.push(...urgent(turn, peer, { t: "ledger", records }));
    for (const [at, { records, audience }] of news.entries())
      if (audience === "by-part" && isFirst[at] === false) tellLater(turn, peer.id, records);
  }
  turn.effects.push({
    type: "persist",
    records: latest(news).map(storedRecord),
    afterwards: [...effects, ...news.flatMap(({ afterwards }) => afterwards)],
  });
  news.length = 0;
}

/** The part of a step that tells what could wait. */
export function spreadLater(turn: Turn): void {
  const { later } = turn.state;
  if (later.at === undefined || turn.env.now < later.at) return;
  const told = whatCouldWait(turn);
  // They were handed to the disk when they were entered: this waits for that.
  if (told.length > 0) turn.effects.push({ type: "persist", records: [], afterwards: told });
}

/** All of it, now. Who has no session is told with the next one, unless it is down: returned, it finds what it lacks by the digest. */
export function whatCouldWait({ state: { later, peers, ledger } }: Turn): Effect[] {
  later.at = undefined;
  const told: Effect[] = [];
  for (const [id, keys] of later.keys) {
    const peer = peers.get(id);
    const isGone = peer === undefined || peer.condition.kind === "down";
    if (!isGone && peer.session === undefined) continue;
    later.keys.delete(id);
    if (isGone) continue;
    const records = [...keys].flatMap((key) => ledger.records.get(key) ?? []);
    for (let at = 0; at < records.length; at += LEDGER_NEWS_MAX)
      told.push(overStream(peer, { t: "ledger", records: records.slice(at, at + LEDGER_NEWS_MAX) }));
  }
  return told;
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
