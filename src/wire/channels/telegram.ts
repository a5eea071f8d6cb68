/** Settings of a Telegram bot (https://core.telegram.org/bots/api). */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile } from "./secrets.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

export const TELEGRAM_URL_DEFAULT: string = "https://api.telegram.org";
/** The bot's number and its key; it becomes a part of the address, so nothing else may pass. */
export const TELEGRAM_TOKEN: RegExp = /^\d{1,20}:[A-Za-z0-9_-]{20,100}$/;

const CHAT_NAME: RegExp = /^(-?\d{1,16}|@[A-Za-z]\w{3,31})$/;

export interface TelegramConfig extends CommonChannelConfig {
  readonly type: "telegram";
  /** The bot's token, as BotFather gave it: `NUMBER:KEY`. One of the two is needed. */
  readonly token?: string | undefined;
  /** Absolute path of a file that holds the token instead. */
  readonly tokenFile?: string | undefined;
  /**
   * Whom to tell: the chat's number, which is negative for a group, or `@` and the public name of a
   * channel. The bot must be a member, and a person must have written to it first. No default.
   */
  readonly chatId: number | string;
  /** Number of the topic (message thread) within a group that has topics. Default: the general one. */
  readonly topic?: number | undefined;
  /** A Bot API server of one's own. Default: https://api.telegram.org. */
  readonly url?: string | undefined;
}

const chatId: z.ZodType<number | string> = z.custom<number | string>(
  (value) =>
    typeof value === "number"
      ? Number.isSafeInteger(value)
      : CHAT_NAME.test(typeof value === "string" ? value : ""),
  {
    message: "must be a chat's number or a channel's public name",
    params: { fix: 'Write chatId: -1001234567890, or chatId: "@name"' },
  },
);

const schema: ChannelSchema<TelegramConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("telegram"),
    token: z
      .string()
      .regex(TELEGRAM_TOKEN, "must be a bot's token as BotFather gave it, NUMBER:KEY")
      .optional(),
    tokenFile: secretFile.optional(),
    chatId,
    topic: z.int().positive().optional(),
    url: receiverUrl.optional(),
  })
  .superRefine((config, context) => checkSecretPair(config, "token", context, "required"));

/** As good as the whole token: the number before it is the bot's public id. */
export const telegramKey = (token: string): string => token.slice(token.indexOf(":") + 1);

export const telegramKind: ChannelKind<TelegramConfig> = {
  schema,
  secretsOf: ({ url, token }) => [
    ...(url === undefined ? [] : urlSecrets(url)),
    ...(token === undefined ? [] : [token, telegramKey(token)]),
  ],
  describe: (config) => hostOf(config.url ?? TELEGRAM_URL_DEFAULT),
};
