/**
 * A notification's words as chats and phones take them. Names and details in them come from hosts,
 * so nothing in them may steer a screen, be taken for markup, or call people.
 */
import type { Notification } from "../../core/notification.ts";
import { shorten } from "./shorten.ts";

export interface Words {
  readonly title: string;
  readonly text: string;
}

/** Line breaks and tabs stay; other control characters, lone surrogates and turned writing directions do not. */
const clean = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, " ")
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, "")
    .trim();

/** Neither is ever empty: services refuse empty messages, and templates can give them. */
export function wordsOf(notification: Notification): Words {
  const title = clean(notification.title).replace(/\s*\n\s*/g, " ") || "Balefire";
  return { title, text: clean(notification.text) || title };
}

/** An invisible character (WORD JOINER) behind `@`: it looks the same and names nobody. */
export const callingNobody = (text: string): string => text.replaceAll("@", "@\u2060");

/** The three characters that Slack, and HTML, give a meaning; https://docs.slack.dev/messaging/formatting-message-text. */
export const escapeEntities = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * Markdown that shows the text as it is, in CommonMark and the dialects of chats: a backslash before
 * what has a meaning anywhere, or at the beginning of a line (headings, lists, rules).
 */
export const escapeMarkdown = (text: string): string =>
  text
    .replace(/[\\`*_~[\]|]/g, "\\$&")
    .split("\n")
    .map(escapeLineStart)
    .join("\n");

const escapeLineStart = (line: string): string =>
  line
    // Four spaces or a tab make a block of code.
    .replace(/^[ \t]{4,}|^ {0,3}\t/, "   ")
    .replace(/^(\s*)([#+=>-])/, "$1\\$2")
    .replace(/^(\s*\d+)([.)])/, "$1\\$2");

/**
 * The longest beginning of a text that passes, shortened as `shorten` does; empty where none passes.
 * `passes` holds for every shorter beginning of what it holds for.
 */
export function longestPassing(text: string, passes: (shortened: string) => boolean): string {
  if (passes(text)) return text;
  // shorten(text, low) passes or is empty; shorten(text, high) does not pass.
  let low = 0;
  let high = text.length;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (passes(shorten(text, middle))) low = middle;
    else high = middle;
  }
  return shorten(text, low);
}

/** Escaped, and then within the limit (UTF-16 units): never cut within an escape. */
export const escapedWithin = (text: string, most: number, escaped: (text: string) => string): string =>
  escaped(longestPassing(text, (shortened) => escaped(shortened).length <= most));
