/** What the end of an exchange with a service means for the message. */
import type { DeliveryOutcome } from "../../core/io.ts";
import { type Duration, formatDuration, minutes, ms, seconds, type WallTime } from "../../kit/time.ts";
import { replyForPeople, type Scrubber } from "./detail.ts";
import type { Answered, ExchangeEnd } from "./exchange.ts";

/** A receiver that asks for more is asked again after this: an alert that waits for hours is none. */
export const RETRY_AFTER_MAX: Duration = minutes(5);

/** Request Timeout, Too Early, Too Many Requests; with all of 5xx, what may pass by itself. */
const TEMPORARY_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/** A service's own reading of its answer, where the status does not say it all. */
export interface Reading {
  /** Default: by the status. */
  readonly outcome?: DeliveryOutcome["outcome"] | undefined;
  /** The service's words, taken out of their wrapping; shown in place of the whole reply. */
  readonly said?: string | undefined;
  /** When the answer says so elsewhere than in Retry-After. */
  readonly retryAfterMs?: number | undefined;
}

/** Undefined leaves all of it to the status. */
export type ReadAnswer = (answer: Answered) => Reading | undefined;

export interface Circumstances {
  /** Scheme, host and port of the service: all of a URL that may be shown. */
  readonly origin: string;
  readonly wall: WallTime;
  readonly scrubber: Scrubber;
}

export function judge(
  end: ExchangeEnd,
  around: Circumstances,
  read: ReadAnswer = () => undefined,
): DeliveryOutcome {
  const { origin } = around;
  switch (end.type) {
    case "answered":
      return judgeAnswer(end, around, read(end));
    case "failed":
      return {
        outcome: "temporary",
        detail: `${origin}: ${end.reason}`,
        ...(end.sent ? { uncertain: true } : {}),
      };
    case "timed-out":
      return {
        outcome: "temporary",
        detail: `${origin}: no ${end.waitingFor} within ${formatDuration(ms(end.afterMs))}`,
        // Who was connected may have taken the message and only been slow to say so.
        ...(end.waitingFor === "answer" ? { uncertain: true } : {}),
      };
  }
}

function judgeAnswer(
  answer: Answered,
  { origin, wall, scrubber }: Circumstances,
  reading: Reading | undefined,
): DeliveryOutcome {
  const { status } = answer;
  const outcome = reading?.outcome ?? outcomeOf(status);
  const reply =
    reading?.said === undefined
      ? replyForPeople(answer.reply, answer.cut, scrubber)
      : replyForPeople(reading.said, false, scrubber);
  const said = reply === "" ? `HTTP ${status}` : `HTTP ${status}: ${reply}`;
  if (outcome === "delivered") return { outcome, detail: said };
  if (status >= 300 && status < 400) return { outcome, detail: redirected(answer, origin) };
  const detail = `${origin}: ${said}`;
  if (outcome === "permanent") return { outcome, detail };
  const asked = reading?.retryAfterMs ?? retryAfter(answer.retryAfter, wall);
  if (asked === undefined || !(asked >= 0)) return { outcome, detail };
  return { outcome, detail, retryAfterMs: Math.min(asked, RETRY_AFTER_MAX) };
}

/** What a status alone means. */
export function outcomeOf(status: number): DeliveryOutcome["outcome"] {
  if (status >= 200 && status < 300) return "delivered";
  return status >= 500 || TEMPORARY_STATUSES.has(status) ? "temporary" : "permanent";
}

/** Followed, a redirect would carry the message and its headers to a host nobody configured. */
function redirected(answer: Answered, origin: string): string {
  const to = answer.location === undefined ? null : URL.parse(answer.location, origin);
  const where = to === null ? "" : ` to ${to.origin}`;
  return `${origin}: HTTP ${answer.status}: redirects${where}, which is not followed; set \`url\` to the final address`;
}

/** Retry-After (RFC 9110, section 10.2.3): seconds or a date. Undefined when it is neither. */
function retryAfter(value: string | undefined, wall: WallTime): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return seconds(Number(text));
  // Date.parse makes a date of nearly anything; those of HTTP begin with the day's name.
  const at = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - wall);
}
