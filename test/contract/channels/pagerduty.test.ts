/** PagerDuty's Events API v2 as its documentation describes it. */
import * as z from "zod";
import { channelContract } from "../channel-contract.ts";
import { type Answer, type Received, startReceiver, status, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const ROUTING_KEY = "0123456789abcdefABCDEF0123456789";
const BODY_BYTES_MAX = 512 * 1024;

const payload = z.object({
  summary: z.string().min(1).max(1024),
  source: z.string().min(1),
  timestamp: z.iso.datetime(),
  custom_details: z.looseObject({}),
});
const alert = z.strictObject({
  routing_key: z.literal(ROUTING_KEY),
  event_action: z.enum(["trigger", "acknowledge", "resolve"]),
  dedup_key: z.string().min(1).max(255),
  client: z.string().optional(),
  payload: payload
    .extend({ severity: z.enum(["critical", "error", "warning", "info"]), class: z.string().optional() })
    .strict(),
});
const change = z.strictObject({ routing_key: z.literal(ROUTING_KEY), payload: payload.strict() });

const invalid = (...errors: string[]): Answer =>
  json(400, { status: "invalid event", message: "Event object is invalid", errors });

const pagerduty: Manners = {
  refusal: (received) => {
    const { method, path, body } = received;
    const shape = { "/v2/enqueue": alert, "/v2/change/enqueue": change }[path];
    if (method !== "POST" || shape === undefined) return status(404, "Not Found");
    if (Buffer.byteLength(body) > BODY_BYTES_MAX) return status(413, "Payload Too Large");
    const problem = problemWith(received, shape);
    return problem === undefined ? undefined : invalid(problem);
  },
  accepts: (saying) => json(202, { status: "success", message: `Event processed ${saying}`, dedup_key: "x" }),
  busy: (wait) => status(429, "Too Many Requests", { "retry-after": String(wait) }),
  refuses: (saying) => invalid(saying),
  acceptance: '{"status": "success", "message": "',
};

const arrivedAs = ({ body }: Received) => {
  const event = JSON.parse(body) as Partial<z.infer<typeof alert>>;
  return { key: event.dedup_key, words: event.payload?.summary ?? "" };
};

channelContract(
  "pagerduty",
  async () => {
    const receiver = await startReceiver();
    const settings = { type: "pagerduty", url: `http://127.0.0.1:${receiver.port}`, routingKey: ROUTING_KEY };
    return underTest(receiver, settings, [ROUTING_KEY], arrivedAs, answerOf(pagerduty));
  },
  { keyedByIncident: true },
);
