/** Posts to a Gotify server: `POST /message` of https://gotify.net/api-docs. */
import type { Notification } from "../../../core/notification.ts";
import type { Channel } from "../../../ports/channel.ts";
import { GOTIFY_TOKEN, type GotifyConfig } from "../../../wire/channels/gotify.ts";
import { under } from "../address.ts";
import { type HttpRequest, httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import type { ReadAnswer } from "../judge.ts";
import { numbered, wordAt } from "../reply-fields.ts";
import { readSecrets } from "../secret-file.ts";
import { shaped } from "../secret-shape.ts";
import { shorten } from "../shorten.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { type Urgency, urgencyOf } from "../urgency.ts";
import { wordsOf } from "../words.ts";

/** Gotify sets no limit of its own, but keeps both in columns that hold this many bytes in MySQL (TEXT). */
export const GOTIFY_TEXT_BYTES_MAX: number = 65_535;
/** What a phone shows of a title. */
export const GOTIFY_TITLE_CHARS_MAX: number = 250;

/** As Gotify's app takes them: 1 to 3 make no sound, 4 to 7 a sound, 8 and more vibrate as well. */
const PRIORITIES: Readonly<Record<Urgency, number>> = {
  alarm: 8,
  warning: 5,
  recovery: 5,
  test: 5,
  note: 2,
};

export const createGotify = (config: GotifyConfig, around: ChannelSurroundings): Channel =>
  httpChannel({
    config,
    around,
    url: config.url,
    secrets: shaped(readSecrets(config, { token: 1 }), { token: GOTIFY_TOKEN }),
    send: (notification, { request, secrets }) =>
      request(message(config, notification, secrets.token ?? ""), readAnswer),
  });

function message(config: GotifyConfig, notification: Notification, token: string): HttpRequest {
  const { title, text } = wordsOf(notification);
  const { body, headers } = jsonBody({
    title: shorten(title, GOTIFY_TITLE_CHARS_MAX),
    message: shorten(text, GOTIFY_TEXT_BYTES_MAX, "bytes"),
    priority: PRIORITIES[urgencyOf(notification)],
    extras: { "client::display": { contentType: "text/plain" } },
  });
  return { url: under(config.url, "message"), body, headers: { ...headers, "X-Gotify-Key": token } };
}

const readAnswer: ReadAnswer = (answer) => {
  const reply = jsonFields(answer);
  return { said: wordAt(reply, "errorDescription") ?? numbered("message", wordAt(reply, "id")) };
};
