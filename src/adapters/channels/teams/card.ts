/**
 * The message that Teams' workflow templates take: one Adaptive Card (https://adaptivecards.io/explorer/).
 * All words are `TextRun`s, which, unlike `TextBlock`s, know no Markdown, so that nothing in them
 * can become a link. Version 1.2 is the first to have them, and shown by every client of Teams.
 */
import type { Notification } from "../../../core/notification.ts";
import { shorten } from "../shorten.ts";
import { type Urgency, urgencyOf } from "../urgency.ts";
import { longestPassing, wordsOf } from "../words.ts";

/**
 * Of the whole request. Microsoft says 28 KB; refusals are known from 21 KB on, as though it were
 * counted in base64.
 */
export const TEAMS_BODY_BYTES_MAX: number = 20 * 1024;
export const TEAMS_TITLE_CHARS_MAX: number = 250;

/** `style` of a Container. */
const STYLES: Readonly<Record<Urgency, string>> = {
  alarm: "attention",
  warning: "warning",
  recovery: "good",
  test: "accent",
  note: "emphasis",
};

export function cardMessage(notification: Notification): string {
  const { title, text } = wordsOf(notification);
  const render = (shortened: string): string =>
    JSON.stringify(envelope(card(shorten(title, TEAMS_TITLE_CHARS_MAX), shortened, urgencyOf(notification))));
  const fits = (shortened: string): boolean => Buffer.byteLength(render(shortened)) <= TEAMS_BODY_BYTES_MAX;
  return render(longestPassing(text, fits));
}

const envelope = (content: unknown): unknown => ({
  type: "message",
  attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content }],
});

const card = (title: string, text: string, urgency: Urgency): unknown => ({
  $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
  type: "AdaptiveCard",
  version: "1.2",
  msteams: { width: "full" },
  body: [
    { type: "Container", style: STYLES[urgency], bleed: true, items: [line(title, { weight: "Bolder" })] },
    // One block a line: a line break within a run is not shown everywhere.
    ...text
      .split("\n")
      .filter((each) => each.trim() !== "")
      .map((each) => ({ ...line(each), spacing: "Small" })),
  ],
});

const line = (
  text: string,
  look: Readonly<Record<string, string>> = {},
): Readonly<Record<string, unknown>> => ({
  type: "RichTextBlock",
  inlines: [{ type: "TextRun", text, ...look }],
});
