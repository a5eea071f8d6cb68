import { createHmac } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  endlessReply,
  type Receiver,
  reset,
  resetInReply,
  silence,
  startReceiver,
  status,
} from "../../../../test/contract/channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import type { DeliveryOutcome } from "../../../core/io.ts";
import { wallTime } from "../../../kit/time.ts";
import { channelConfig } from "../../../wire/channel-config.ts";
import type { WebhookConfig } from "../../../wire/channels/webhook.ts";
import { createWebhook } from "./webhook.ts";

const WALL = wallTime(Date.parse("2026-03-01T02:13:01.900Z"));

describe("webhook", () => {
  let receiver: Receiver;
  let folder: string;
  beforeEach(async () => {
    receiver = await startReceiver();
    folder = mkdtempSync(join(tmpdir(), "balefire-webhook-"));
  });
  afterEach(async () => {
    await receiver.close();
    rmSync(folder, { recursive: true });
  });

  const deliver = (settings: Record<string, unknown> = {}, timeoutMs = 5000): Promise<DeliveryOutcome> => {
    const url = `http://127.0.0.1:${receiver.port}/hook`;
    const config = channelConfig.parse({ name: "phone", type: "webhook", url, ...settings }) as WebhookConfig;
    return createWebhook(config, { wall: () => WALL }).deliver(SAMPLE_NOTIFICATION, timeoutMs);
  };
  const arrived = () => {
    const [first] = receiver.received;
    if (first === undefined) throw new Error("nothing arrived");
    return first;
  };

  it("posts the notification as JSON, with its id as the idempotency key", async () => {
    expect(await deliver()).toEqual({ outcome: "delivered", detail: "HTTP 200: ok" });
    const { method, path, headers, body } = arrived();
    expect({ method, path }).toEqual({ method: "POST", path: "/hook" });
    expect(JSON.parse(body)).toEqual(SAMPLE_NOTIFICATION);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "balefire-event": "open",
      "balefire-id": SAMPLE_NOTIFICATION.id,
      "idempotency-key": SAMPLE_NOTIFICATION.id,
      "balefire-timestamp": "1772331181",
      "user-agent": "Balefire",
      connection: "close",
    });
    expect(headers["balefire-signature"]).toBeUndefined();
    expect(headers.authorization).toBeUndefined();
  });

  it("signs timestamp and body, so that a receiver can verify both", async () => {
    await deliver({ secret: "a shared secret" });
    const { headers, body } = arrived();
    const expected = createHmac("sha256", "a shared secret").update(
      `${headers["balefire-timestamp"]}.${body}`,
    );
    expect(headers["balefire-signature"]).toBe(`sha256=${expected.digest("hex")}`);
  });

  it("sends user and password as Basic, and the settings' headers", async () => {
    const url = `http://user:p%40ss%zz@127.0.0.1:${receiver.port}/hook?a=1`;
    await deliver({ url, headers: { "X-Priority": "5", "user-agent": "mine" } });
    const { path, headers } = arrived();
    expect(path).toBe("/hook?a=1");
    expect(headers.authorization).toBe(`Basic ${Buffer.from("user:p%40ss%zz").toString("base64")}`);
    expect(headers).toMatchObject({ "x-priority": "5", "user-agent": "mine" });
  });

  describe("reads its secret from a file", () => {
    const secretFile = (content: string, mode = 0o600): string => {
      const path = join(folder, "secret");
      writeFileSync(path, content);
      chmodSync(path, mode);
      return path;
    };

    it("and signs with it", async () => {
      await deliver({ secretFile: secretFile("from a file\n") });
      const { headers, body } = arrived();
      const expected = createHmac("sha256", "from a file").update(`${headers["balefire-timestamp"]}.${body}`);
      expect(headers["balefire-signature"]).toBe(`sha256=${expected.digest("hex")}`);
    });

    it("and hides it like any other", async () => {
      receiver.answer(status(401, "signature with from-a-file is wrong"));
      const { detail } = await deliver({ secretFile: secretFile("from-a-file") });
      expect(detail).toMatch(/signature with \*\*\* is wrong$/);
    });

    it.each([
      ["is missing", () => join(folder, "none"), /cannot be read: ENOENT/],
      ["everyone may read", () => secretFile("long enough", 0o604), /can be read by everyone/],
      ["is too short", () => secretFile(" short \n"), /fewer than 8 characters/],
      ["is too long", () => secretFile("x".repeat(5000)), /larger than 4096 bytes/],
      ["is a folder", () => folder, /is not a file/],
    ])("and says so, sending nothing unsigned, when it %s", async (_, path, expected) => {
      const result = await deliver({ secretFile: path() });
      expect(result.outcome).toBe("permanent");
      expect(result.detail).toMatch(expected);
      expect(receiver.received).toHaveLength(0);
    });
  });

  it.each([
    [200, "delivered"],
    [204, "delivered"],
    [400, "permanent"],
    [401, "permanent"],
    [404, "permanent"],
    [408, "temporary"],
    [410, "permanent"],
    [425, "temporary"],
    [429, "temporary"],
    [500, "temporary"],
    [502, "temporary"],
    [503, "temporary"],
  ])("takes HTTP %i for %s", async (code, outcome) => {
    receiver.answer(status(code));
    expect((await deliver()).outcome).toBe(outcome);
  });

  it.each([
    ["12", 12_000],
    ["Sun, 01 Mar 2026 02:13:31 GMT", 29_100],
    ["Sun, 01 Mar 2026 02:10:00 GMT", 0],
    ["Mon, 02 Mar 2026 02:13:31 GMT", 300_000],
    ["soon", undefined],
    ["-5", undefined],
  ])("understands Retry-After: %s", async (value, expected) => {
    receiver.answer(status(429, "", { "retry-after": value }));
    const result = await deliver();
    expect(result.outcome === "temporary" ? result.retryAfterMs : "not temporary").toBe(expected);
  });

  it("does not follow a redirect, and shows no more of it than its origin", async () => {
    const elsewhere = await startReceiver();
    receiver.answer(status(307, "", { location: `http://127.0.0.1:${elsewhere.port}/hidden?t0ken` }));
    const result = await deliver();
    expect(result.outcome).toBe("permanent");
    expect(result.detail).toContain(`redirects to http://127.0.0.1:${elsewhere.port}, which is not followed`);
    expect(result.detail).not.toContain("hidden");
    expect(elsewhere.received).toHaveLength(0);
    await elsewhere.close();
  });

  it("counts as delivered once the receiver has said so, whatever happens to the rest of the reply", async () => {
    receiver.answer(resetInReply);
    const result = await deliver();
    expect(result.outcome).toBe("delivered");
    expect(result.detail).toMatch(/^HTTP 200: the beginning of it \.+…$/);
  });

  it("shows the first 120 characters of a long reply", async () => {
    receiver.answer(endlessReply);
    expect((await deliver()).detail).toMatch(/^HTTP 200: [0-9a-f]{119}…$/);
  });

  it("keeps to its own timeout when more time is offered", async () => {
    receiver.answer(silence);
    const begun = performance.now();
    const result = await deliver({ timeout: "1s" }, 60_000);
    expect(result).toEqual({
      outcome: "temporary",
      uncertain: true,
      detail: `http://127.0.0.1:${receiver.port}: no answer within 1.0 s`,
    });
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it("says that a broken connection was one", async () => {
    receiver.answer(reset);
    expect((await deliver()).detail).toMatch(/the connection was reset before an answer came$/);
  });

  it("shows the origin of the URL and nothing else of it", async () => {
    const url = `http://someone:s3cret-word@127.0.0.1:${receiver.port}/p4th-token?q=t0ken-value`;
    await receiver.close();
    const { detail } = await deliver({ url });
    expect(detail).toBe(`http://127.0.0.1:${receiver.port}: connection refused`);
  });

  describe("with a template", () => {
    it("fills in a JSON body whatever the values hold", async () => {
      const template = '{"chat": 17, "msg": "{{title}}: {{ text }}", "who": "{{subjects}}", "all": {{json}}}';
      await deliver({ template });
      expect(JSON.parse(arrived().body)).toEqual({
        chat: 17,
        msg: `${SAMPLE_NOTIFICATION.title}: ${SAMPLE_NOTIFICATION.text}`,
        who: "pve2",
        all: SAMPLE_NOTIFICATION,
      });
    });

    it("fills in plain text as it is", async () => {
      await deliver({
        template: "{{state}} {{verdict}}: {{title}}",
        contentType: "text/plain; charset=utf-8",
      });
      expect(arrived().body).toBe(`open host-down: ${SAMPLE_NOTIFICATION.title}`);
      expect(arrived().headers["content-type"]).toBe("text/plain; charset=utf-8");
    });

    it("fills in a form so that a value stays in its field", async () => {
      await deliver({ template: "m={{text}}&p=1", contentType: "application/x-www-form-urlencoded" });
      const form = new URLSearchParams(arrived().body);
      expect([...form]).toEqual([
        ["m", SAMPLE_NOTIFICATION.text],
        ["p", "1"],
      ]);
    });

    it("signs what is sent", async () => {
      await deliver({ template: '"{{id}}"', secret: "a shared secret" });
      const { headers, body } = arrived();
      const expected = createHmac("sha256", "a shared secret").update(`1772331181.${body}`).digest("hex");
      expect(headers["balefire-signature"]).toBe(`sha256=${expected}`);
    });
  });
});
