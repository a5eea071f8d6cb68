import { NTFY_BODY_BYTES_MAX, NTFY_MESSAGE_BYTES_MAX } from "../../../src/adapters/channels/ntfy/ntfy.ts";
import { channelContract, type ServiceMood } from "../channel-contract.ts";
import { type Answer, httpAnswer, startReceiver, status, underTest } from "../channel-receiver.ts";

const TOKEN = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2";
const TOPIC = "t0pic-that-is-a-secret";

const refused = (code: number, error: string, headers?: Record<string, string>): Answer =>
  status(Math.floor(code / 100), JSON.stringify({ code, http: Math.floor(code / 100), error }), headers);

/** As ntfy 2.x answers, with its limits. */
function answerOf(mood: ServiceMood): Answer {
  switch (mood.type) {
    case "accepts":
      return (response, received) => {
        if (received.headers.authorization !== `Bearer ${TOKEN}`)
          return refused(40_101, "unauthorized")(response, received);
        if (Buffer.byteLength(received.body) > NTFY_BODY_BYTES_MAX) {
          return refused(41_303, "too much JSON")(response, received);
        }
        const { topic, message } = JSON.parse(received.body) as Record<string, string>;
        if (Buffer.byteLength(message ?? "") > NTFY_MESSAGE_BYTES_MAX) {
          return refused(40_014, "attachments not allowed")(response, received);
        }
        const reply = { id: mood.saying, time: 1_772_331_181, event: "message", topic, message };
        return status(200, JSON.stringify(reply))(response, received);
      };
    case "busy":
      return refused(42_901, "limit reached: too many requests", {
        "retry-after": String(mood.retryAfterSeconds),
      });
    case "refuses":
      return refused(40_301, mood.saying);
    default:
      return httpAnswer(mood);
  }
}

channelContract("ntfy", async () => {
  const receiver = await startReceiver();
  const settings = { type: "ntfy", url: `http://127.0.0.1:${receiver.port}`, topic: TOPIC, token: TOKEN };
  return underTest(
    receiver,
    settings,
    [TOKEN, TOPIC],
    ({ body }) => {
      const message = JSON.parse(body) as Record<string, string>;
      return { key: message.sequence_id, words: `${message.title}\n${message.message}` };
    },
    answerOf,
  );
});
