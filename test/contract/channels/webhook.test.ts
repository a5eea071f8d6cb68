import { channelContract } from "../channel-contract.ts";
import { startReceiver, underTest } from "../channel-receiver.ts";

const SECRETS = {
  user: "webhook-user",
  password: "p@ss/word with=odd&signs",
  path: "T0KEN-in-the-path",
  query: "t0ken+in?the query",
  header: "header-t0ken-value",
  hmac: 'shared "hmac" secret',
};

channelContract("webhook", async () => {
  const receiver = await startReceiver();
  const credentials = [SECRETS.user, SECRETS.password].map(encodeURIComponent).join(":");
  const settings = {
    type: "webhook",
    url: `http://${credentials}@127.0.0.1:${receiver.port}/hooks/${SECRETS.path}?key=${encodeURIComponent(SECRETS.query)}`,
    secret: SECRETS.hmac,
    headers: { "X-Token": `Bearer ${SECRETS.header}` },
  };
  return underTest(receiver, settings, Object.values(SECRETS), ({ headers, body }) => {
    const { title, text } = JSON.parse(body) as { title: string; text: string };
    return { key: String(headers["idempotency-key"]), words: `${title}\n${text}` };
  });
});
