/** Discord's Execute Webhook, as its developer documentation describes it. */
import * as z from "zod";
import { channelContract } from "../channel-contract.ts";
import { type Received, startReceiver, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const ID = "1181234567890123456";
const TOKEN = "kJ-t0ken_of-the_webhook-9aZ";

const embed = z.strictObject({
  title: z.string().max(256).optional(),
  description: z.string().min(1).max(4096).optional(),
  color: z.int().min(0).max(0xffffff).optional(),
  timestamp: z.iso.datetime().optional(),
});
const message = z
  .strictObject({
    content: z.string().max(2000).optional(),
    embeds: z.array(embed).max(10).optional(),
    allowed_mentions: z.strictObject({ parse: z.array(z.enum(["roles", "users", "everyone"])) }).optional(),
    // SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS
    flags: z.literal([0, 4, 4096, 4100]).optional(),
  })
  .refine(
    ({ content = "", embeds = [] }) => content.trim() !== "" || embeds.length > 0,
    "Cannot send an empty message",
  )
  .refine(({ embeds = [] }) => {
    const total = embeds.map(({ title = "", description = "" }) => title.length + description.length);
    return total.reduce((sum, each) => sum + each, 0) <= 6000;
  }, "Embed size exceeds maximum size of 6000");

const discord: Manners = {
  refusal: (received) => {
    const url = new URL(received.path, "http://discord.test");
    const [, api, webhooks, id, token, ...rest] = url.pathname.split("/");
    if (received.method !== "POST" || api !== "api" || webhooks !== "webhooks" || rest.length > 0)
      return json(404, { message: "404: Not Found", code: 0 });
    if (id !== ID) return json(404, { message: "Unknown Webhook", code: 10015 });
    if (token !== TOKEN) return json(401, { message: "Invalid Webhook Token", code: 50027 });
    // Without it, the answer would be an empty 204 that proves nothing.
    if (url.searchParams.get("wait") !== "true" || received.headers["content-type"] !== "application/json")
      return json(400, { message: "Invalid Form Body", code: 50035 });
    const problem = problemWith(received, message);
    if (problem === undefined) return undefined;
    return json(400, { message: `Invalid Form Body: ${problem}`, code: 50035, errors: {} });
  },
  accepts: (saying, { body }) => json(200, { id: saying, type: 0, ...JSON.parse(body) }),
  // The header is the same, rounded up.
  busy: (wait) =>
    json(
      429,
      { message: "You are being rate limited.", retry_after: wait, global: false },
      { "retry-after": "9999" },
    ),
  refuses: (saying) => json(400, { message: saying, code: 50035 }),
  acceptance: '{"id":"1180000000000000001","content":"',
};

/** What Discord's Markdown shows of an escaped text. */
const shown = (text: string): string => text.replace(/\\([^0-9A-Za-z\s])/g, "$1");

channelContract(
  "discord",
  async () => {
    const receiver = await startReceiver();
    const url = `http://127.0.0.1:${receiver.port}/api/webhooks/${ID}/${TOKEN}`;
    const arrivedAs = ({ body }: Received) => {
      const { content, embeds } = JSON.parse(body) as { content: string; embeds: { description: string }[] };
      return { words: shown([content, ...embeds.map(({ description }) => description)].join("\n")) };
    };
    return underTest(receiver, { type: "discord", url }, [TOKEN, ID], arrivedAs, answerOf(discord));
  },
  { keyless: true },
);
