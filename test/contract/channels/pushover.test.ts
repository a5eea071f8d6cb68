/** Pushover's Message API as https://pushover.net/api describes it. */
import * as z from "zod";
import { channelContract } from "../channel-contract.ts";
import { type Answer, type Received, startReceiver, status, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const TOKEN = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";
const USER = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
const REQUEST = "647d2300-702c-4b38-8b2f-d56326ae460b";

const codePoints = (text: string): number => [...text].length;
const message = z
  .strictObject({
    token: z.literal(TOKEN, "application token is invalid, see https://pushover.net/api"),
    user: z.literal(USER, "user identifier is not a valid user, group, or subscribed user key"),
    message: z
      .string()
      .min(1, "message cannot be blank")
      .refine((text) => codePoints(text) <= 1024, "message is too long"),
    title: z
      .string()
      .refine((text) => codePoints(text) <= 250, "title is too long")
      .optional(),
    device: z.string().optional(),
    priority: z.int().min(-2).max(2),
    retry: z.int().min(30, "retry must be at least 30 seconds").optional(),
    expire: z.int().max(10_800, "expire must be at most 10800 seconds").optional(),
  })
  .refine(
    ({ priority, retry, expire }) => priority < 2 || (retry !== undefined && expire !== undefined),
    "expire must be supplied with priority=2",
  );

const error = (errors: readonly string[]): Answer => json(400, { errors, status: 0, request: REQUEST });

const pushover: Manners = {
  refusal: (received) => {
    if (`${received.method} ${received.path}` !== "POST /1/messages.json") return status(404, "Not Found");
    if (received.headers["content-type"] !== "application/json") return error(["message cannot be blank"]);
    const problem = problemWith(received, message);
    return problem === undefined ? undefined : error([problem]);
  },
  accepts: (saying) => json(200, { status: 1, request: saying }),
  busy: (wait) => status(503, "<h1>temporary problems</h1>", { "retry-after": String(wait) }),
  refuses: (saying) => error([saying]),
  acceptance: `{"status":1,"request":"${REQUEST}`,
};

channelContract(
  "pushover",
  async () => {
    const receiver = await startReceiver();
    const url = `http://127.0.0.1:${receiver.port}`;
    const arrivedAs = ({ body }: Received) => {
      const arrived = JSON.parse(body) as { title: string; message: string };
      return { words: `${arrived.title}\n${arrived.message}` };
    };
    const settings = { type: "pushover", url, token: TOKEN, user: USER };
    return underTest(receiver, settings, [TOKEN, USER], arrivedAs, answerOf(pushover));
  },
  { keyless: true },
);
