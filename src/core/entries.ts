/** What a node enters in its ledger, and what it is to tell of it: done at the end of the step (spreading.ts). */
import { after } from "../kit/time.ts";
import type { Effect } from "./io.ts";
import { keyOf, merge } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { LATER_NEWS } from "./limits.ts";
import type { Audience, Turn } from "./state.ts";
import type { NodeId } from "./types.ts";

/** Enters this node's own records. They are on disk before the peers are told, and these before `afterwards`. */
export function publish(
  turn: Turn,
  records: readonly LedgerRecord[],
  afterwards: readonly Effect[] = [],
  audience: Audience = "by-part",
): void {
  const news = records.filter((record) => merge(turn.state.ledger, record));
  if (news.length === 0) turn.effects.push(...afterwards);
  else turn.news.push({ records: news, afterwards, audience });
}

/** What it is to hear of before long, as it will be then. */
export function tellLater({ state, env }: Turn, peer: NodeId, records: readonly LedgerRecord[]): void {
  const { later } = state;
  const keys = later.keys.get(peer) ?? new Set();
  later.keys.set(peer, keys);
  for (const record of records) keys.add(keyOf(record));
  later.at ??= after(env.now, LATER_NEWS);
}
