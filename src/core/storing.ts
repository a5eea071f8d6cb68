/** What is done about the store besides writing to it: a disk that fails, and records past their time. */
import { after } from "../kit/time.ts";
import type { Effect } from "./io.ts";
import { prune } from "./ledger.ts";
import { PRUNE_EVERY, REWRITE_RECORDS, STORE_RETRY } from "./limits.ts";
import { storedSelf } from "./links.ts";
import type { NodeState, Turn } from "./state.ts";
import { forgotten, storedRecord } from "./stored-ledger.ts";

/** After a time without a working disk: all that is held in memory, in writes that the store takes. */
export function writeEverything(state: NodeState): Effect[] {
  const all = [storedSelf(state), ...[...state.ledger.records.values()].map(storedRecord)];
  const writes: Effect[] = [];
  for (let at = 0; at < all.length; at += REWRITE_RECORDS)
    writes.push({ type: "persist", records: all.slice(at, at + REWRITE_RECORDS), afterwards: [] });
  return writes;
}

/** While the disk fails: tries it now and then, also when there is nothing new to write. */
export function retryStore(turn: Turn): void {
  const { state, env } = turn;
  if (state.storeRetryAt === undefined || env.now < state.storeRetryAt) return;
  state.storeRetryAt = after(env.now, STORE_RETRY);
  turn.effects.push({ type: "persist", records: [storedSelf(state)], afterwards: [] });
}

/** Drops ledger records past their time. */
export function tidyLedger(turn: Turn): void {
  const { state, env } = turn;
  if (env.now < state.pruneAt) return;
  state.pruneAt = after(env.now, PRUNE_EVERY);
  const gone = prune(state.ledger, env.wall);
  if (gone.length > 0)
    turn.effects.push({ type: "persist", records: gone.map(forgotten), afterwards: [], canWait: true });
}
