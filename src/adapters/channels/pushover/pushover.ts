/** Sends by Pushover: `POST /1/messages.json` of https://pushover.net/api. */
import type { DeliveryOutcome } from "../../../core/io.ts";
import type { Notification } from "../../../core/notification.ts";
import { type Duration, seconds } from "../../../kit/time.ts";
import type { Channel } from "../../../ports/channel.ts";
import {
  PUSHOVER_KEY,
  PUSHOVER_URL_DEFAULT,
  type PushoverConfig,
  pushoverEmergency,
} from "../../../wire/channels/pushover.ts";
import { under } from "../address.ts";
import type { Answered } from "../exchange.ts";
import { type HttpRequest, httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import { outcomeOf, type Reading } from "../judge.ts";
import { numberAt, numbered, wordAt, wordsAt } from "../reply-fields.ts";
import { readSecrets } from "../secret-file.ts";
import { shaped } from "../secret-shape.ts";
import { shorten } from "../shorten.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { type Urgency, urgencyOf } from "../urgency.ts";
import { wordsOf } from "../words.ts";

/** Of characters of up to four bytes, so code points; counted in UTF-16 units, which are never fewer. */
export const PUSHOVER_MESSAGE_CHARS_MAX: number = 1024;
export const PUSHOVER_TITLE_CHARS_MAX: number = 250;

/** The service asks for this much after its own faults, and blocks for a while who does not keep to it. */
export const PUSHOVER_RETRY_AFTER_MIN: Duration = seconds(5);

/** 1 rings in the user's quiet hours too, 0 outside of them, -1 never. */
const PRIORITIES: Readonly<Record<Urgency, number>> = {
  alarm: 1,
  warning: 0,
  recovery: 0,
  test: 0,
  note: -1,
};
/** Rings until somebody acknowledges it. */
const EMERGENCY: number = 2;

export function createPushover(config: PushoverConfig, around: ChannelSurroundings): Channel {
  const server = config.url ?? PUSHOVER_URL_DEFAULT;
  return httpChannel({
    config,
    around,
    url: server,
    secrets: shaped(readSecrets(config, { token: 1, user: 1 }), { token: PUSHOVER_KEY, user: PUSHOVER_KEY }),
    send: async (notification, { request, secrets }) => {
      const post: HttpRequest = {
        url: under(server, "1/messages.json"),
        ...jsonBody({ ...secrets, ...message(config, notification) }),
      };
      return notTooSoon(await request(post, readAnswer));
    },
  });
}

function message(config: PushoverConfig, notification: Notification): Readonly<Record<string, unknown>> {
  const { title, text } = wordsOf(notification);
  const urgency = urgencyOf(notification);
  const emergency = urgency === "alarm" ? pushoverEmergency(config) : undefined;
  return {
    ...(config.device === undefined ? {} : { device: config.device }),
    title: shorten(title, PUSHOVER_TITLE_CHARS_MAX),
    message: shorten(text, PUSHOVER_MESSAGE_CHARS_MAX),
    priority: emergency === undefined ? PRIORITIES[urgency] : EMERGENCY,
    ...(emergency === undefined
      ? {}
      : { retry: wholeSeconds(emergency.retry), expire: wholeSeconds(emergency.expire) }),
  };
}

const wholeSeconds = (length: Duration): number => Math.round(length / 1000);

/**
 * `status` 1 is a delivery, and nothing else is. Whatever else the API itself says with less than
 * 500 stays wrong, 429 included: it means that the month's messages are used up.
 */
function readAnswer(answer: Answered): Reading | undefined {
  const reply = jsonFields(answer);
  const status = numberAt(reply, "status");
  if (status === 1) return { outcome: "delivered", said: numbered("request", wordAt(reply, "request")) };
  if (answer.cut && /^\s*\{\s*"status"\s*:\s*1\b/.test(answer.reply)) return { outcome: "delivered" };
  const said = wordsAt(reply, "errors");
  if (status !== undefined && answer.status < 500) return { outcome: "permanent", said };
  if (outcomeOf(answer.status) !== "delivered") return { said };
  return { outcome: "temporary", said: "not the answer of Pushover" };
}

function notTooSoon(result: DeliveryOutcome): DeliveryOutcome {
  if (result.outcome !== "temporary") return result;
  return { ...result, retryAfterMs: Math.max(result.retryAfterMs ?? 0, PUSHOVER_RETRY_AFTER_MIN) };
}
