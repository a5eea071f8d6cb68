/** Sends by a Telegram bot: `sendMessage` of https://core.telegram.org/bots/api#sendmessage. */
import type { Notification } from "../../../core/notification.ts";
import { ok, type Result } from "../../../kit/result.ts";
import { seconds } from "../../../kit/time.ts";
import type { Channel } from "../../../ports/channel.ts";
import {
  TELEGRAM_TOKEN,
  TELEGRAM_URL_DEFAULT,
  type TelegramConfig,
  telegramKey,
} from "../../../wire/channels/telegram.ts";
import { under } from "../address.ts";
import type { Answered } from "../exchange.ts";
import { type HttpRequest, httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import { outcomeOf, type Reading } from "../judge.ts";
import { numberAt, numbered, wordAt } from "../reply-fields.ts";
import { readSecrets } from "../secret-file.ts";
import { shaped } from "../secret-shape.ts";
import { shorten } from "../shorten.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { type Urgency, urgencyOf } from "../urgency.ts";
import { callingNobody, wordsOf } from "../words.ts";

/** Counted in UTF-16 units here, which are never fewer than what Telegram counts. */
export const TELEGRAM_TEXT_CHARS_MAX: number = 4096;
export const TELEGRAM_TITLE_CHARS_MAX: number = 250;

/** A chat has no colours, so a sign stands for it. */
const SIGNS: Readonly<Record<Urgency, string>> = {
  alarm: "🔴",
  warning: "🟠",
  recovery: "🟢",
  test: "🔵",
  note: "⚪",
};

export function createTelegram(config: TelegramConfig, around: ChannelSurroundings): Channel {
  const server = config.url ?? TELEGRAM_URL_DEFAULT;
  /** A group that grows into a supergroup gets another number; Telegram names it when it refuses the old one. */
  let chat = config.chatId;
  return httpChannel({
    config,
    around,
    url: server,
    secrets: secretsOf(config),
    send: async (notification, { request, secrets }) => {
      const address = under(server, `bot${secrets.token}/sendMessage`);
      let movedTo: number | undefined;
      const read = (answer: Answered): Reading | undefined => {
        movedTo = numberAt(jsonFields(answer), "parameters", "migrate_to_chat_id");
        return readAnswer(answer);
      };
      let outcome = await request(message(address, config, chat, notification), read);
      if (movedTo !== undefined) {
        chat = movedTo;
        outcome = await request(message(address, config, chat, notification), readAnswer);
      }
      if (chat === config.chatId) return outcome;
      return {
        ...outcome,
        detail: `${outcome.detail}; the group is a supergroup now: set chatId to ${chat}`,
      };
    },
  });
}

/** The key within the token is kept besides it, so that it is hidden alone too. */
function secretsOf(config: TelegramConfig): Result<{ readonly token?: string; readonly key?: string }> {
  const read = shaped(readSecrets(config, { token: 1 }), { token: TELEGRAM_TOKEN });
  if (!read.ok || read.value.token === undefined) return read;
  const { token } = read.value;
  return ok({ token, key: telegramKey(token) });
}

/** Without `parse_mode` nothing in the text is markup; the title is set in bold by its place. */
function message(
  address: string,
  config: TelegramConfig,
  chat: number | string,
  notification: Notification,
): HttpRequest {
  const words = wordsOf(notification);
  const urgency = urgencyOf(notification);
  const title = shorten(callingNobody(words.title), TELEGRAM_TITLE_CHARS_MAX);
  const start = `${SIGNS[urgency]} `;
  const text = shorten(`${start}${title}\n\n${callingNobody(words.text)}`, TELEGRAM_TEXT_CHARS_MAX);
  return {
    url: address,
    ...jsonBody({
      chat_id: chat,
      ...(config.topic === undefined ? {} : { message_thread_id: config.topic }),
      text,
      // Counted in UTF-16 units.
      entities: [{ type: "bold", offset: start.length, length: title.length }],
      link_preview_options: { is_disabled: true },
      disable_notification: urgency === "note",
    }),
  };
}

/** The answer's own `ok` and `error_code` count; a proxy between may have set any status. */
function readAnswer(answer: Answered): Reading | undefined {
  const reply = jsonFields(answer);
  if (reply.ok === true) {
    return { outcome: "delivered", said: numbered("message", wordAt(reply, "result", "message_id")) };
  }
  if (answer.cut && /^\s*\{\s*"ok"\s*:\s*true\b/.test(answer.reply)) return { outcome: "delivered" };
  const said = wordAt(reply, "description");
  const wait = numberAt(reply, "parameters", "retry_after");
  return {
    outcome: refusalOf(numberAt(reply, "error_code") ?? answer.status),
    said: said ?? (outcomeOf(answer.status) === "delivered" ? "not the answer of a Bot API" : undefined),
    retryAfterMs: wait === undefined ? undefined : seconds(wait),
  };
}

/** Without `ok`, no code makes a delivery. */
const refusalOf = (code: number): Reading["outcome"] => {
  const outcome = outcomeOf(code);
  return outcome === "delivered" ? "temporary" : outcome;
};
