import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver, status } from "../../../../test/contract/channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import type { DeliveryOutcome } from "../../../core/io.ts";
import type { Notification } from "../../../core/notification.ts";
import { wallTime } from "../../../kit/time.ts";
import { channelConfig, channelSecrets, describeChannel } from "../../../wire/channel-config.ts";
import { createChannel } from "../registry.ts";
import { NTFY_BODY_BYTES_MAX } from "./ntfy.ts";

const MINIMAL = { name: "phone", type: "ntfy", topic: "mesh-alerts" } as const;

describe("ntfy", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  const deliver = (
    settings: Record<string, unknown> = {},
    changed: Partial<Notification> = {},
  ): Promise<DeliveryOutcome> => {
    const config = channelConfig.parse({ ...MINIMAL, url: `http://127.0.0.1:${receiver.port}`, ...settings });
    if (config.type !== "ntfy") throw new Error("it is another channel");
    const channel = createChannel(config, { wall: () => wallTime(0) });
    return channel.deliver({ ...SAMPLE_NOTIFICATION, ...changed }, 5000);
  };
  const published = (): Record<string, unknown> => JSON.parse(receiver.received.at(-1)?.body ?? "{}");

  it("publishes JSON to the server, under the path it is served from", async () => {
    await deliver({ url: `http://127.0.0.1:${receiver.port}/push/` });
    expect(receiver.received[0]).toMatchObject({ method: "POST", path: "/push/" });
    expect(published()).toEqual({
      topic: "mesh-alerts",
      title: SAMPLE_NOTIFICATION.title,
      message: SAMPLE_NOTIFICATION.text,
      priority: 5,
      tags: ["rotating_light"],
      sequence_id: SAMPLE_NOTIFICATION.id,
    });
    expect(receiver.received[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    [{ state: "open", severity: "critical" }, 5, "rotating_light"],
    [{ state: "open", severity: "warning" }, 4, "warning"],
    [{ state: "resolved", severity: "critical" }, 3, "white_check_mark"],
    [{ state: "note", severity: "info" }, 2, "information_source"],
    [{ state: "note", severity: "info", kind: "test" }, 3, "mega"],
  ] as const)("is as loud as the message: %j", async (changed, priority, tag) => {
    await deliver({}, changed);
    expect(published()).toMatchObject({ priority, tags: [tag] });
  });

  it.each([
    [{ token: "tk_0123456789" }, "Bearer tk_0123456789"],
    [{ user: "ünal", password: "pass:word" }, `Basic ${Buffer.from("ünal:pass:word").toString("base64")}`],
  ])("proves who it is: %j", async (settings, expected) => {
    await deliver(settings);
    expect(receiver.received[0]?.headers.authorization).toBe(expected);
  });

  it("keeps the JSON within what the server reads, although escapes make it longer", async () => {
    await deliver({}, { text: '"\\'.repeat(4000) });
    const { body } = receiver.received[0] ?? { body: "" };
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(NTFY_BODY_BYTES_MAX);
    expect(Buffer.byteLength(body)).toBeGreaterThan(NTFY_BODY_BYTES_MAX - 10);
    expect(published().message).toMatch(/^"\\"\\.*…$/);
  });

  it("shows the server's own words", async () => {
    receiver.answer(
      status(429, '{"code":42908,"http":429,"error":"limit reached: daily message quota reached"}'),
    );
    expect(await deliver()).toEqual({
      outcome: "temporary",
      detail: `http://127.0.0.1:${receiver.port}: HTTP 429: limit reached: daily message quota reached`,
    });
  });
});

describe("the settings of ntfy", () => {
  it.each([
    [{ topic: "a b" }, "topic", /letters, digits/],
    [{ topic: "x".repeat(65) }, "topic", /letters, digits/],
    [{ token: "short" }, "token", /8 or more/],
    [{ token: "tk_0123456789", tokenFile: "/t" }, "tokenFile", /together/],
    [{ user: "me" }, "password", /missing/],
    [{ password: "secret" }, "password", /needs a `user`/],
    [{ passwordFile: "/secret" }, "passwordFile", /needs a `user`/],
    [{ user: "me:you", password: "secret" }, "user", /colon/],
    [{ user: "me", password: "secret", token: "tk_0123456789" }, "user", /together/],
    [{ url: "ntfy.example" }, "url", /begin with https/],
  ])("are refused with the key and the fix: %j", (settings, path, message) => {
    const [issue] = channelConfig.safeParse({ ...MINIMAL, ...settings }).error?.issues ?? [];
    expect(issue?.path.join(".")).toBe(path);
    expect(issue?.message).toMatch(message);
  });

  it("keep the topic, the token and the password secret", () => {
    const config = channelConfig.parse({ ...MINIMAL, user: "someone", password: "pass-word" });
    const secrets = ["mesh-alerts", "someone", "pass-word", "someone:pass-word"];
    expect(channelSecrets(config)).toEqual(expect.arrayContaining(secrets));
    expect(describeChannel(config)).toBe("phone (ntfy, ntfy.sh)");
    expect(channelSecrets(channelConfig.parse({ ...MINIMAL, token: "tk_0123456789" }))).toContain(
      "tk_0123456789",
    );
  });
});
