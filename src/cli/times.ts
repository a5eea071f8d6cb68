/** Points in time as people type them. */
import { failure, ok, type Result } from "../kit/result.ts";
import { parseDuration } from "../kit/time.ts";

const CIVIL = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;
const FIX = "Write -2h (two hours ago), now, 2026-03-01T02:13:00Z, or 2026-03-01 02:13 by this host's clock.";

/**
 * `now`, `-2h` and other lengths of time before `now`, or a date and time (ISO 8601): by this host's
 * own time zone unless it names one; a date alone is its midnight. Milliseconds since 1970.
 */
export function parseTime(text: string, now: number): Result<number> {
  if (text === "now") return ok(now);
  const ago = text.startsWith("-") ? parseDuration(text.slice(1)) : undefined;
  if (ago !== undefined) return ok(Math.max(0, Math.round(now - ago)));
  const at = CIVIL.test(text) ? Date.parse(withTime(text)) : Number.NaN;
  if (Number.isNaN(at) || at < 0) return failure("usage", `"${text}" is not a time`, FIX);
  return ok(at);
}

/** ECMAScript takes a date without a time for one in UTC (ECMA-262, "Date Time String Format"). */
const withTime = (text: string): string => (text.length === 10 ? `${text}T00:00` : text.replace(" ", "T"));
