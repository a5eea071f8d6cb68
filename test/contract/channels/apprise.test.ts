/** An Apprise API server as its README describes it: once with a key, once with the services in each message. */
import * as z from "zod";
import { channelContract } from "../channel-contract.ts";
import { type Answer, type Received, startReceiver, status, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const KEY = "T0KEN-of-the_phone";
const SERVICES = ["discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "mailto://user:pa55word@example.org"];
const BODY_BYTES_MAX = 3 * 1024 * 1024;

const message = z.strictObject({
  urls: z.literal(SERVICES.join(",")).optional(),
  title: z.string(),
  body: z.string().min(1),
  type: z.enum(["info", "success", "warning", "failure"]),
  format: z.enum(["text", "markdown", "html"]),
});

const answer = (code: number, error: string | null, ...log: readonly (readonly [string, string])[]): Answer =>
  json(code, { error, details: log.map(([level, words]) => [level, "2026-03-01 02:13:00,000", words]) });

const apprise: Manners = {
  refusal: (received) => {
    const { method, path, headers, body } = received;
    if (method !== "POST" || !/^\/notify(\/[\w-]{1,64})?$/.test(path)) return status(404, "not found");
    if (headers["content-type"] !== "application/json") return answer(400, "Bad FORM Payload provided");
    if (Buffer.byteLength(body) > BODY_BYTES_MAX) return answer(431, "JSON Payload provided is to large");
    const problem = problemWith(received, message);
    if (problem !== undefined) return answer(400, `Payload lacks minimum requirements: ${problem}`);
    return path === `/notify/${KEY}` || body.includes('"urls"') ? undefined : status(204);
  },
  accepts: (saying) => answer(200, null, ["INFO", `Sent Discord notification. ${saying}`]),
  busy: () => answer(424, "One or more notifications could not be sent", ["WARNING", "Failed to send."]),
  refuses: (saying) => answer(403, saying),
  acceptance: '{"error": null, "details": [["INFO", "',
};

const arrivedAs = ({ body }: Received) => {
  const { title, body: text } = JSON.parse(body) as z.infer<typeof message>;
  return { words: `${title}\n${text}` };
};

const exceptions = { keyless: true, neverSaysWhen: true };

channelContract(
  "apprise with a key",
  async () => {
    const receiver = await startReceiver();
    const settings = { type: "apprise", url: `http://127.0.0.1:${receiver.port}/`, key: KEY };
    return underTest(receiver, settings, [KEY], arrivedAs, answerOf(apprise));
  },
  exceptions,
);

channelContract(
  "apprise with services",
  async () => {
    const receiver = await startReceiver();
    const settings = { type: "apprise", url: `http://127.0.0.1:${receiver.port}`, services: SERVICES };
    return underTest(receiver, settings, [...SERVICES, "pa55word"], arrivedAs, answerOf(apprise));
  },
  exceptions,
);
