/** Makes what a receiver says fit to be shown: one line, short, and without any of the channel's secrets. */
import type { DeliveryOutcome } from "../../core/io.ts";
import { SECRET_CHARS_MIN } from "../../wire/channels/common.ts";
import { shorten } from "./shorten.ts";

/** As `DeliveryOutcome` and the ledger's records have it. */
export const DETAIL_CHARS_MAX: number = 200;
/** How much of a receiver's own words is shown. */
export const REPLY_CHARS_SHOWN: number = 120;

const HIDDEN: string = "***";

/** The ways in which servers and libraries echo a value. Case is ignored later, for %2f and %2F. */
function forms(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    encodeURI(secret),
    encodeURIComponent(secret),
    encodeURIComponent(secret).replaceAll("%20", "+"),
    json,
    json.replaceAll("/", "\\/"),
    secret.replaceAll("&", "&amp;"),
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    Buffer.from(secret).toString("base64url"),
  ];
}

export interface Scrubber {
  scrub(text: string): string;
  /** Characters of the longest form: the end of a text that was cut off may hold that much of a secret. */
  readonly longest: number;
}

export function scrubberFor(secrets: readonly string[]): Scrubber {
  const all = new Set(secrets.filter((secret) => secret.length >= SECRET_CHARS_MIN).flatMap(safeForms));
  // Longest first: hiding a part before the whole would leave the rest of the whole to be read.
  const ordered = [...all].sort((a, b) => b.length - a.length);
  if (ordered.length === 0) return { scrub: (text) => text, longest: 0 };
  const pattern = new RegExp(ordered.map(literally).join("|"), "gi");
  return { scrub: (text) => text.replace(pattern, HIDDEN), longest: ordered[0]?.length ?? 0 };
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/** A lone surrogate cannot be percent-encoded, and cannot be sent either. */
function safeForms(secret: string): string[] {
  return secret.isWellFormed() ? forms(secret) : [secret];
}

/** Control, format and line-separating characters become spaces: a reply must not steer a terminal or a log. */
export const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();

/**
 * A receiver's reply for the detail; `cut` says that more of it was not read. Scrubbed twice:
 * a secret may hold a line break, and may be echoed with control characters inside it.
 */
export function replyForPeople(reply: string, cut: boolean, scrubber: Scrubber): string {
  const whole = cut ? reply.slice(0, Math.max(0, reply.length - scrubber.longest)) : reply;
  return shorten(scrubber.scrub(oneLine(scrubber.scrub(whole))), REPLY_CHARS_SHOWN);
}

/** The last step on the way out, whatever the detail was made of. */
export const hideSecrets = (result: DeliveryOutcome, scrubber: Scrubber): DeliveryOutcome => ({
  ...result,
  detail: shorten(scrubber.scrub(oneLine(result.detail)), DETAIL_CHARS_MAX),
});
