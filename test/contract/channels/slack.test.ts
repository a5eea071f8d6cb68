/** Incoming webhooks: Slack's, with its documented one-word errors, and Mattermost's, which says JSON. */
import * as z from "zod";
import { type ChannelUnderTest, channelContract } from "../channel-contract.ts";
import { type Received, startReceiver, status, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const SLACK_PATH = "/services/T0TEAM123/B0HOOK456/s1acKt0kenXYZ";
const MATTERMOST_PATH = "/chat/hooks/mmk3yxjpq3nibjhwmx4tqwhc5r";

const attachment = { fallback: z.string().min(1), color: z.string().regex(/^#[0-9a-f]{6}$/) };
/** `<`, `>` and `&` are Slack's control characters: what is not escaped is a link or calls somebody. */
const inert = z.string().regex(/^(?:[^<>&]|&(?:amp|lt|gt);)*$/, "holds a control sequence");
const slackMessage = z.strictObject({
  text: inert.max(4000),
  mrkdwn: z.literal(false),
  attachments: z
    .array(z.strictObject({ ...attachment, text: inert.max(4000), mrkdwn_in: z.array(z.never()) }))
    .max(100),
});

const slack: Manners = {
  refusal: (received) => {
    if (received.path !== SLACK_PATH) return status(404, "no_service");
    if (received.method !== "POST" || received.headers["content-type"] !== "application/json")
      return status(400, "invalid_payload");
    return problemWith(received, slackMessage) === undefined ? undefined : status(400, "invalid_payload");
  },
  // It never says more than this; a proxy may.
  accepts: (saying) => status(200, `ok ${saying}`.trim()),
  busy: (wait) => status(429, "rate_limited", { "retry-after": String(wait) }),
  refuses: (saying) => status(403, saying),
  acceptance: "ok ",
};

/** The server's own limit of a post, and of old servers' database. */
const post = z.string().max(4000);
const mattermostMessage = z.strictObject({
  text: post,
  attachments: z.array(z.strictObject({ ...attachment, text: post })),
});

const appError = (code: number, id: string, message: string) =>
  json(code, {
    id,
    message,
    detailed_error: "",
    request_id: "x9sk3dnmcpyw8nf4qbe1t7jaco",
    status_code: code,
  });

const mattermost: Manners = {
  refusal: (received) => {
    if (received.path !== MATTERMOST_PATH)
      return appError(400, "web.incoming_webhook.invalid.app_error", "Invalid webhook.");
    const problem = problemWith(received, mattermostMessage);
    if (problem === undefined) return undefined;
    return appError(400, "web.incoming_webhook.parse.app_error", `Unable to parse incoming data: ${problem}`);
  },
  accepts: (saying) => status(200, `ok ${saying}`.trim()),
  busy: (wait) => status(429, "limit exceeded", { "retry-after": String(wait) }),
  refuses: (saying) => appError(403, "web.incoming_webhook.permissions.app_error", saying),
  acceptance: "ok ",
};

const ENTITIES: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const withoutEntities = (text: string): string =>
  text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? "");
const withoutJoiners = (text: string): string => text.replaceAll("\u2060", "");
const withoutBackslashes = (text: string): string => text.replace(/\\([\\`*_~[\]|#+=>.)-])/g, "$1");

const under =
  (type: string, path: string, secret: string, manners: Manners, shown: (text: string) => string) =>
  async (): Promise<ChannelUnderTest> => {
    const receiver = await startReceiver();
    const arrivedAs = ({ body }: Received) => {
      const { text, attachments } = JSON.parse(body) as { text: string; attachments: { text: string }[] };
      return { words: shown([text, ...attachments.map((each) => each.text)].join("\n")) };
    };
    const url = `http://127.0.0.1:${receiver.port}${path}`;
    return underTest(receiver, { type, url }, [secret, path], arrivedAs, answerOf(manners));
  };

channelContract(
  "slack",
  under("slack", SLACK_PATH, "s1acKt0kenXYZ", slack, (text) => withoutEntities(withoutJoiners(text))),
  { keyless: true },
);

channelContract(
  "mattermost",
  under("mattermost", MATTERMOST_PATH, "mmk3yxjpq3nibjhwmx4tqwhc5r", mattermost, (text) =>
    withoutEntities(withoutBackslashes(withoutJoiners(text))),
  ),
  { keyless: true },
);
