/** Telegram's Bot API, `sendMessage`, as https://core.telegram.org/bots/api describes it. */
import * as z from "zod";
import { channelContract } from "../channel-contract.ts";
import { type Answer, type Received, startReceiver, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const KEY = "AAF-t0ken_of_the-bot_1234567890abcdef";
const TOKEN = `123456789:${KEY}`;
const CHAT = -1001234567890;

const message = z
  .strictObject({
    chat_id: z.union([z.int(), z.string()]),
    message_thread_id: z.int().optional(),
    text: z.string().trim().min(1, "message text is empty").max(4096, "message is too long"),
    entities: z
      .array(z.strictObject({ type: z.literal("bold"), offset: z.int().min(0), length: z.int().positive() }))
      .optional(),
    link_preview_options: z.strictObject({ is_disabled: z.boolean() }).optional(),
    disable_notification: z.boolean().optional(),
  })
  .refine(
    ({ text, entities = [] }) => entities.every(({ offset, length }) => offset + length <= text.length),
    "can't parse entities",
  );

const error = (code: number, description: string, parameters?: Record<string, number>): Answer =>
  json(code, { ok: false, error_code: code, description, ...(parameters && { parameters }) });

const telegram: Manners = {
  refusal: (received) => {
    const [, bot, method] = received.path.split("/");
    if (!/^bot\d+:[\w-]+$/.test(bot ?? "") || method !== "sendMessage") return error(404, "Not Found");
    if (bot !== `bot${TOKEN}`) return error(401, "Unauthorized");
    const problem = problemWith(received, message);
    if (problem !== undefined) return error(400, `Bad Request: ${problem}`);
    const chat = (JSON.parse(received.body) as { chat_id: number }).chat_id;
    return chat === CHAT ? undefined : error(400, "Bad Request: chat not found");
  },
  accepts: (saying) =>
    json(200, {
      ok: true,
      result: { message_id: saying, chat: { id: CHAT, type: "supergroup" }, text: "…" },
    }),
  busy: (wait) => error(429, `Too Many Requests: retry after ${wait}`, { retry_after: wait }),
  refuses: (saying) => error(403, `Forbidden: ${saying}`),
  acceptance: '{"ok":true,"result":{"message_id":1,"text":"',
};

channelContract(
  "telegram",
  async () => {
    const receiver = await startReceiver();
    const settings = {
      type: "telegram",
      url: `http://127.0.0.1:${receiver.port}`,
      token: TOKEN,
      chatId: CHAT,
    };
    const arrivedAs = ({ body }: Received) => ({
      words: (JSON.parse(body) as { text: string }).text.replaceAll("\u2060", ""),
    });
    return underTest(receiver, settings, [TOKEN, KEY], arrivedAs, answerOf(telegram));
  },
  { keyless: true },
);
