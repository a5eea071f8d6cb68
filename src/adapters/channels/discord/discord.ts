/** Executes a Discord webhook: https://discord.com/developers/docs/resources/webhook#execute-webhook. */
import type { Notification } from "../../../core/notification.ts";
import { seconds } from "../../../kit/time.ts";
import type { Channel } from "../../../ports/channel.ts";
import type { DiscordConfig } from "../../../wire/channels/discord.ts";
import { type HttpRequest, httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import type { ReadAnswer } from "../judge.ts";
import { numberAt, numbered, wordAt } from "../reply-fields.ts";
import { readSecrets } from "../secret-file.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { COLOURS, urgencyOf } from "../urgency.ts";
import { escapedWithin, escapeMarkdown, wordsOf } from "../words.ts";

export const DISCORD_CONTENT_CHARS_MAX: number = 2000;
export const DISCORD_DESCRIPTION_CHARS_MAX: number = 4096;

/** Message flag: shown, but without a push or a sound. */
const SUPPRESS_NOTIFICATIONS: number = 1 << 12;

export const createDiscord = (config: DiscordConfig, around: ChannelSurroundings): Channel =>
  httpChannel({
    config,
    around,
    url: config.url,
    secrets: readSecrets(config, {}),
    send: (notification, { request }) => request(message(config, notification), readAnswer),
  });

/** The title is the message's content, since phones show that and not the embed. */
function message(config: DiscordConfig, notification: Notification): HttpRequest {
  const { title, text } = wordsOf(notification);
  const urgency = urgencyOf(notification);
  return {
    url: saved(config.url),
    ...jsonBody({
      content: escapedWithin(title, DISCORD_CONTENT_CHARS_MAX, escapeText),
      embeds: [
        {
          description: escapedWithin(text, DISCORD_DESCRIPTION_CHARS_MAX, escapeText),
          color: COLOURS[urgency],
        },
      ],
      // Not even @everyone calls anybody.
      allowed_mentions: { parse: [] },
      ...(urgency === "note" ? { flags: SUPPRESS_NOTIFICATIONS } : {}),
    }),
  };
}

/** Besides Markdown, Discord reads `<@…>`, `<#…>` and `<t:…>`. */
const escapeText = (text: string): string => escapeMarkdown(text).replaceAll("<", "\\<");

/** Without `wait`, Discord answers before it has tried to save the message, and never says that it failed. */
function saved(address: string): string {
  const url = URL.parse(address);
  if (url === null) return address;
  url.searchParams.set("wait", "true");
  return url.href;
}

const readAnswer: ReadAnswer = (answer) => {
  const reply = jsonFields(answer);
  // To the millisecond, where the header is rounded; that of Cloudflare, before Discord, is all there is then.
  const wait = numberAt(reply, "retry_after");
  return {
    said: wordAt(reply, "message") ?? numbered("message", wordAt(reply, "id")),
    retryAfterMs: wait === undefined ? undefined : Math.ceil(seconds(wait)),
  };
};
