/** What the end of a POST means for the message. */
import type { DeliveryOutcome } from "../../../core/io.ts";
import { type Duration, formatDuration, minutes, ms, seconds, type WallTime } from "../../../kit/time.ts";
import { replyForPeople, type Scrubber } from "../detail.ts";
import type { PostAnswered, PostEnd } from "../post.ts";

/** A receiver that asks for more is asked again after this: an alert that waits for hours is none. */
export const RETRY_AFTER_MAX: Duration = minutes(5);

/** Request Timeout, Too Early, Too Many Requests; with all of 5xx, what may pass by itself. */
const TEMPORARY_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

export function judge(end: PostEnd, origin: string, wall: WallTime, scrubber: Scrubber): DeliveryOutcome {
  switch (end.type) {
    case "answered":
      return judgeAnswer(end, origin, wall, scrubber);
    case "failed":
      return { outcome: "temporary", detail: `${origin}: ${end.reason}` };
    case "timed-out":
      return {
        outcome: "temporary",
        detail: `${origin}: no ${end.waitingFor} within ${formatDuration(ms(end.afterMs))}`,
      };
  }
}

function judgeAnswer(
  answer: PostAnswered,
  origin: string,
  wall: WallTime,
  scrubber: Scrubber,
): DeliveryOutcome {
  const { status } = answer;
  const reply = replyForPeople(answer.reply, answer.cut, scrubber);
  const said = reply === "" ? `HTTP ${status}` : `HTTP ${status}: ${reply}`;
  if (status >= 200 && status < 300) return { outcome: "delivered", detail: said };
  if (status >= 300 && status < 400) return { outcome: "permanent", detail: redirected(answer, origin) };
  if (status < 500 && !TEMPORARY_STATUSES.has(status))
    return { outcome: "permanent", detail: `${origin}: ${said}` };
  const retryAfterMs = retryAfter(answer.retryAfter, wall);
  return {
    outcome: "temporary",
    detail: `${origin}: ${said}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Followed, a redirect would carry the message and its headers to a host nobody configured. */
function redirected(answer: PostAnswered, origin: string): string {
  const to = answer.location === undefined ? null : URL.parse(answer.location, origin);
  const where = to === null ? "" : ` to ${to.origin}`;
  return `${origin}: HTTP ${answer.status}: redirects${where}, which is not followed; set \`url\` to the final address`;
}

/** Retry-After (RFC 9110, section 10.2.3): seconds or a date. Undefined when it is neither. */
function retryAfter(value: string | undefined, wall: WallTime): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Math.min(seconds(Number(text)), RETRY_AFTER_MAX);
  // Date.parse makes a date of nearly anything; those of HTTP begin with the day's name.
  const at = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - wall), RETRY_AFTER_MAX);
}
