import { createChannel, inbox } from "../../src/adapters/channels/registry.ts";
import { wallTime } from "../../src/kit/time.ts";
import { channelConfig } from "../../src/wire/channel-config.ts";
import { type ChannelUnderTest, channelContract, type ServiceMood } from "./channel-contract.ts";
import {
  type Answer,
  endlessReply,
  type Receiver,
  reset,
  silence,
  startReceiver,
  status,
} from "./channel-receiver.ts";

const SECRETS = {
  user: "webhook-user",
  password: "p@ss/word with=odd&signs",
  path: "T0KEN-in-the-path",
  query: "t0ken+in?the query",
  header: "header-t0ken-value",
  hmac: 'shared "hmac" secret',
};

function answerOf(mood: ServiceMood): Answer {
  switch (mood.type) {
    case "accepts":
      return status(200, mood.saying);
    case "busy":
      return status(503, "busy", { "retry-after": String(mood.retryAfterSeconds) });
    case "refuses":
      return status(403, mood.saying);
    case "mute":
      return silence;
    case "resets":
      return reset;
    case "babbles":
      return endlessReply;
    case "gone":
      return silence;
  }
}

async function webhookUnderTest(): Promise<ChannelUnderTest> {
  const receiver: Receiver = await startReceiver();
  const credentials = [SECRETS.user, SECRETS.password].map(encodeURIComponent).join(":");
  const config = channelConfig.parse({
    name: "phone",
    type: "webhook",
    url: `http://${credentials}@127.0.0.1:${receiver.port}/hooks/${SECRETS.path}?key=${encodeURIComponent(SECRETS.query)}`,
    secret: SECRETS.hmac,
    headers: { "X-Token": `Bearer ${SECRETS.header}` },
  });
  return {
    channel: createChannel(config, { wall: () => wallTime(Date.now()) }),
    secrets: Object.values(SECRETS),
    service: {
      mood: async (mood) => {
        receiver.answer(answerOf(mood));
        if (mood.type === "gone") await receiver.close();
      },
      keys: () => receiver.received.map(({ headers }) => String(headers["idempotency-key"])),
    },
    close: () => receiver.close(),
  };
}

channelContract("webhook", webhookUnderTest);
channelContract("inbox", async () => ({ channel: inbox, secrets: [], close: async () => undefined }), true);
