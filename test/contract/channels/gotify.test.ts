/** Gotify as its API is documented (https://gotify.net/api-docs): `POST /message`. */
import * as z from "zod";
import { channelContract } from "../channel-contract.ts";
import { type Answer, type Received, startReceiver, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const TOKEN = "AWkd-3.t0_ken4U";

/** A TEXT column of MySQL. */
const text = z.string().refine((value) => Buffer.byteLength(value) <= 65_535, "Data too long for column");
const message = z.strictObject({
  title: text.optional(),
  message: text.min(1),
  priority: z.int().optional(),
  extras: z.record(z.string().includes("::"), z.unknown()).optional(),
});

const error = (code: number, name: string, errorDescription: string): Answer =>
  json(code, { error: name, errorCode: code, errorDescription });

const gotify: Manners = {
  refusal: (received: Received) => {
    if (`${received.method} ${received.path}` !== "POST /gotify/message")
      return error(404, "Not Found", "page not found");
    if (received.headers["x-gotify-key"] !== TOKEN) {
      const description = "you need to provide a valid access token or user credentials to access this api";
      return error(401, "Unauthorized", description);
    }
    const problem = problemWith(received, message);
    return problem === undefined ? undefined : error(400, "Bad Request", problem);
  },
  accepts: (saying, { body }) =>
    json(200, { id: saying, appid: 1, ...JSON.parse(body), date: "2026-03-01T02:13:02Z" }),
  // Gotify itself limits nothing; the proxy before it does.
  busy: (wait) => json(503, {}, { "retry-after": String(wait) }),
  refuses: (saying) => error(403, "Forbidden", saying),
  acceptance: '{"id":25,"appid":1,"message":"',
};

channelContract(
  "gotify",
  async () => {
    const receiver = await startReceiver();
    const url = `http://127.0.0.1:${receiver.port}/gotify/`;
    const arrivedAs = ({ body }: Received) => {
      const arrived = JSON.parse(body) as { title: string; message: string };
      return { words: `${arrived.title}\n${arrived.message}` };
    };
    return underTest(receiver, { type: "gotify", url, token: TOKEN }, [TOKEN], arrivedAs, answerOf(gotify));
  },
  { keyless: true },
);
