/**
 * What goes, and when. Age is not what the calendar says but how much was recorded since: a clock that
 * is wrong for an hour, a year ahead or a year back, makes nothing older than an hour, and what it
 * wrote goes when its turn comes like everything else. A host that was off finds what it had.
 */
import { type HistoryFile, TIERS } from "./history-file.ts";
import type { Tier } from "./hour.ts";
import { MINUTES_KEPT, QUARTERS_KEPT, RAW_KEPT } from "./limits.ts";

const KEPT: Readonly<Record<Tier, number>> = {
  raw: RAW_KEPT,
  minute: MINUTES_KEPT,
  quarter: QUARTERS_KEPT,
};

/** Within a transaction. */
export function dropAged(file: HistoryFile, recorded: number): void {
  for (const tier of TIERS) {
    for (let oldest = file.oldest(tier); oldest !== undefined; oldest = file.oldest(tier)) {
      if (oldest.recorded >= recorded - KEPT[tier]) break;
      file.dropSlot(tier, oldest.slot);
    }
  }
}

/** Within a transaction: the oldest of the finest tier goes first, until no more than so many bytes are used. */
export function dropToFit(file: HistoryFile, bytes: number): void {
  for (const tier of TIERS) {
    while (file.bytesUsed() > bytes) {
      const oldest = file.oldest(tier);
      if (oldest === undefined) break;
      file.dropSlot(tier, oldest.slot);
    }
  }
}
