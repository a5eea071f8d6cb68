import { describe, expect, it } from "vitest";
import { status } from "../../../../test/contract/channel-receiver.ts";
import {
  deliverOnce,
  HOSTILE,
  refusalOf,
  URGENCIES,
} from "../../../../test/contract/channels/one-delivery.ts";
import { json } from "../../../../test/contract/channels/strict-service.ts";

const TOKEN = "kJ-t0ken_of-the_webhook-9aZ";
const settings = (address: string) => ({
  type: "discord",
  url: `${address}/api/webhooks/1181234567890123456/${TOKEN}`,
});

describe("discord", () => {
  it("says who and what in the content, which phones show, and the rest in an embed", async () => {
    const { received, body } = await deliverOnce(settings, { title: "pve-2 is down", text: "one\ntwo" });
    expect(received[0]?.path).toBe(`/api/webhooks/1181234567890123456/${TOKEN}?wait=true`);
    expect(body).toEqual({
      content: "pve-2 is down",
      embeds: [{ description: "one\ntwo", color: 0xd92d20 }],
      allowed_mentions: { parse: [] },
    });
  });

  it("keeps a thread's number in the address", async () => {
    const { received } = await deliverOnce((address) => ({
      ...settings(address),
      url: `${settings(address).url}?thread_id=42`,
    }));
    expect(received[0]?.path).toMatch(/\?thread_id=42&wait=true$/);
  });

  it.each([
    ["alarm", 0xd92d20, undefined],
    ["warning", 0xf79009, undefined],
    ["recovery", 0x12a150, undefined],
    ["a grave note", 0xf79009, undefined],
    ["note", 0x667085, 4096],
    ["test", 0x2e90fa, undefined],
  ])("colours %s, and is silent only for what needs no ring", async (urgency, color, flags) => {
    const { body } = await deliverOnce(settings, URGENCIES[urgency]);
    expect([body.embeds[0].color, body.flags]).toEqual([color, flags]);
  });

  it("makes nothing in the words a link, a mention or markup", async () => {
    const { body } = await deliverOnce(settings, { title: HOSTILE, text: HOSTILE });
    for (const text of [body.content, body.embeds[0].description]) {
      expect(text.replace(/\\[^0-9A-Za-z\s]/g, "")).not.toMatch(/[<[\]*_~`|\\]/);
    }
    expect(body.allowed_mentions).toEqual({ parse: [] });
  });

  it("counts what it escaped against the limits", async () => {
    const { body } = await deliverOnce(settings, { title: "*".repeat(2000), text: "_🔥".repeat(4000) });
    expect(body.content).toHaveLength(1999);
    expect(body.embeds[0].description.length).toBeLessThanOrEqual(4096);
    expect(body.embeds[0].description.length).toBeGreaterThan(4090);
    expect(body.embeds[0].description).toMatch(/^(\\_🔥)+(\\_)?…$/u);
  });

  it("waits to the millisecond as its JSON says, also where the header is missing", async () => {
    const busy = json(429, { message: "You are being rate limited.", retry_after: 1.337, global: false });
    const { result } = await deliverOnce(settings, {}, busy);
    expect(result).toMatchObject({ outcome: "temporary", retryAfterMs: 1337 });
    expect(result.detail).toMatch(/HTTP 429: You are being rate limited\.$/);
  });

  it("waits as the header says where Cloudflare answers in Discord's place", async () => {
    const banned = status(429, "error code: 1015", { "retry-after": "12" });
    expect((await deliverOnce(settings, {}, banned)).result).toMatchObject({
      outcome: "temporary",
      retryAfterMs: 12_000,
    });
  });

  it.each([
    [404, { message: "Unknown Webhook", code: 10015 }],
    [401, { message: "Invalid Webhook Token", code: 50027 }],
    [
      400,
      { message: "Webhooks posted to forum channels must have a thread_name or thread_id", code: 220001 },
    ],
  ])("gives up on %i %j", async (code, said) => {
    const { result } = await deliverOnce(settings, {}, json(code, said));
    expect(result.outcome).toBe("permanent");
    // `thread_id` is a part of every such address, but no secret.
    expect(result.detail).toContain(said.message);
    expect(result.detail).not.toContain(TOKEN);
  });

  it.each([
    "https://discord.com/channels/1/2",
    "https://discord.com/api/webhooks/1/token/slack",
    "https://discord.com/api/webhooks/name/token",
  ])("refuses the address %s", (url) => {
    expect(refusalOf({ type: "discord", url })).toEqual({
      path: "url",
      message: expect.stringContaining("/webhooks/NUMBER/TOKEN"),
    });
  });
});
