/** When a rotational disk may be asked for its temperature: neither woken nor kept awake. */
import { between, type Duration, type Instant, minutes, seconds } from "../../kit/time.ts";

/** Asking can set back the timer after which a drive sleeps, so it is done rarely. */
export const DISK_INTERVAL: Duration = minutes(5);
/**
 * Counters that moved since a look as long ago as this say that the disk turns; since an earlier look
 * they may have moved just after it, and the disk may sleep by now. The shortest timer drives have is 5 s
 * times a few; common ones are minutes.
 */
export const LOOK_FRESH: Duration = seconds(30);

/** What is remembered of one disk. */
export interface DiskLook {
  /** The text of its `stat`, which moves with each request to it. */
  readonly counters: string;
  readonly lookedAt: Instant;
  /** When it was last asked; undefined: never. */
  readonly askedAt: Instant | undefined;
}

/** Whether it may be asked now, having looked once before. At first sight nobody knows whether it sleeps. */
export function mayAsk(before: DiskLook | undefined, counters: string | null, now: Instant): boolean {
  if (before === undefined || counters === null) return false;
  if (between(before.lookedAt, now) > LOOK_FRESH) return false;
  if (before.askedAt !== undefined && between(before.askedAt, now) < DISK_INTERVAL) return false;
  return counters !== before.counters;
}
