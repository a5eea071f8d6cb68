/** Publishes to a topic of an ntfy server, as JSON: https://docs.ntfy.sh/publish/#publish-as-json. */
import type { Notification } from "../../../core/notification.ts";
import type { Channel } from "../../../ports/channel.ts";
import { NTFY_SERVER_DEFAULT, NTFY_TOKEN, type NtfyConfig } from "../../../wire/channels/ntfy.ts";
import { httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import type { ReadAnswer } from "../judge.ts";
import { wordAt } from "../reply-fields.ts";
import { readSecrets } from "../secret-file.ts";
import { shaped } from "../secret-shape.ts";
import { shorten } from "../shorten.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { type Urgency, urgencyOf } from "../urgency.ts";
import { longestPassing, wordsOf } from "../words.ts";

/** Of UTF-8; what is longer, the server turns into an attachment, or refuses where it allows none. */
export const NTFY_MESSAGE_BYTES_MAX: number = 4096;
/** The server reads no more JSON than this: escapes count. */
export const NTFY_BODY_BYTES_MAX: number = 2 * NTFY_MESSAGE_BYTES_MAX;
/** What a phone shows of a title. */
export const NTFY_TITLE_CHARS_MAX: number = 250;

/** https://docs.ntfy.sh/publish/#message-priority: 5 rings loud and long, 4 longer, 3 once, 2 not at all. */
const PRIORITIES: Readonly<Record<Urgency, number>> = {
  alarm: 5,
  warning: 4,
  recovery: 3,
  test: 3,
  note: 2,
};

/** Shown as the emoji of that short code before the title: https://docs.ntfy.sh/emojis/. */
const TAGS: Readonly<Record<Urgency, string>> = {
  alarm: "rotating_light",
  warning: "warning",
  recovery: "white_check_mark",
  test: "mega",
  note: "information_source",
};

export const createNtfy = (config: NtfyConfig, around: ChannelSurroundings): Channel => {
  const url = config.url ?? NTFY_SERVER_DEFAULT;
  return httpChannel({
    config,
    around,
    url,
    secrets: shaped(readSecrets(config, { token: 1, password: 1 }), { token: NTFY_TOKEN, password: /^/ }),
    send: (notification, { request, secrets }) => {
      const { body, headers } = jsonBody(published(config.topic, notification));
      return request(
        { url, body, headers: { ...headers, ...authorization(config.user, secrets) } },
        readAnswer,
      );
    },
  });
};

function published(topic: string, notification: Notification): Readonly<Record<string, unknown>> {
  const { title, text } = wordsOf(notification);
  const urgency = urgencyOf(notification);
  const messageOf = (message: string) => ({
    topic,
    title: shorten(title, NTFY_TITLE_CHARS_MAX),
    message,
    priority: PRIORITIES[urgency],
    tags: [TAGS[urgency]],
    // From ntfy 2.16 on, a message takes the place of the one with the same: a repeated delivery shows once.
    sequence_id: notification.id,
  });
  const inBytes = shorten(text, NTFY_MESSAGE_BYTES_MAX, "bytes");
  const passes = (message: string): boolean =>
    Buffer.byteLength(JSON.stringify(messageOf(message))) <= NTFY_BODY_BYTES_MAX;
  return messageOf(longestPassing(inBytes, passes));
}

function authorization(
  user: string | undefined,
  { token, password }: { readonly token?: string; readonly password?: string },
): Record<string, string> {
  if (token !== undefined) return { Authorization: `Bearer ${token}` };
  if (user === undefined || password === undefined) return {};
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

/** https://docs.ntfy.sh/subscribe/api/#json-message-format; refusals hold `error`. */
const readAnswer: ReadAnswer = (answer) => {
  const reply = jsonFields(answer);
  const id = wordAt(reply, "id");
  return { said: wordAt(reply, "error") ?? (id === undefined ? undefined : `message ${id}`) };
};
