/** A homeserver as the Matrix client-server API describes it, as far as sending goes. */
import * as z from "zod";
import { channelContract } from "../channel-contract.ts";
import { type Answer, type Received, startReceiver, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const TOKEN = "syt_cGhvbmU_T0KEN/with+signs=";
const ROOM = "!odd/room:example.org";
const PATH =
  /^\/prefix\/_matrix\/client\/v3\/rooms\/!odd%2Froom%3Aexample\.org\/send\/m\.room\.message\/([\w-]+)$/;
const EVENT_BYTES_MAX = 65_536;

const message = z.strictObject({
  msgtype: z.literal("m.text"),
  body: z.string().min(1),
  format: z.literal("org.matrix.custom.html"),
  formatted_body: z.string().min(1),
});

const error = (code: number, errcode: string, words: string, more: Record<string, unknown> = {}): Answer =>
  json(code, { errcode, error: words, ...more });

const homeserver: Manners = {
  refusal: (received) => {
    const { method, path, headers, body } = received;
    if (method !== "PUT" || !PATH.test(path)) return error(404, "M_UNRECOGNIZED", "Unrecognized request");
    if (headers.authorization !== `Bearer ${TOKEN}`) return error(401, "M_UNKNOWN_TOKEN", "Unknown token");
    if (Buffer.byteLength(body) > EVENT_BYTES_MAX) return error(413, "M_TOO_LARGE", "event too large");
    const problem = problemWith(received, message);
    return problem === undefined ? undefined : error(400, "M_BAD_JSON", problem);
  },
  accepts: (saying) => json(200, { event_id: `$${saying}` }),
  busy: (wait) => error(429, "M_LIMIT_EXCEEDED", "Too Many Requests", { retry_after_ms: wait * 1000 }),
  refuses: (saying) => error(403, "M_FORBIDDEN", saying),
  acceptance: '{"event_id": "$',
};

channelContract("matrix", async () => {
  const receiver = await startReceiver();
  const url = `http://127.0.0.1:${receiver.port}/prefix/`;
  const arrivedAs = ({ path, body }: Received) => ({
    key: PATH.exec(path)?.[1],
    words: (JSON.parse(body) as z.infer<typeof message>).body,
  });
  const settings = { type: "matrix", url, room: ROOM, token: TOKEN };
  return underTest(receiver, settings, [TOKEN], arrivedAs, answerOf(homeserver));
});
