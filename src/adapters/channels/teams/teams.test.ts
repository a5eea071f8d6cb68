import { describe, expect, it } from "vitest";
import { status } from "../../../../test/contract/channel-receiver.ts";
import {
  deliverOnce,
  HOSTILE,
  refusalOf,
  URGENCIES,
} from "../../../../test/contract/channels/one-delivery.ts";
import { json } from "../../../../test/contract/channels/strict-service.ts";

const SIGNATURE = "s1gnature-of_theW0rkflow";
const settings = (address: string) => ({
  type: "teams",
  url: `${address}/workflows/0a1b2c3d4e5f/triggers/manual/paths/invoke?api-version=1&sig=${SIGNATURE}`,
});
const started = status(202);

describe("teams", () => {
  it("posts one card: the title on a coloured ground, and a block for each line", async () => {
    const { received, body, result } = await deliverOnce(
      settings,
      { title: "pve2 is down", text: "one\n\ntwo" },
      started,
    );
    expect(received[0]?.headers["content-type"]).toBe("application/json");
    expect(body.type).toBe("message");
    expect(body.attachments).toHaveLength(1);
    expect(body.attachments[0].content.body).toEqual([
      {
        type: "Container",
        style: "attention",
        bleed: true,
        items: [
          { type: "RichTextBlock", inlines: [{ type: "TextRun", text: "pve2 is down", weight: "Bolder" }] },
        ],
      },
      { type: "RichTextBlock", inlines: [{ type: "TextRun", text: "one" }], spacing: "Small" },
      { type: "RichTextBlock", inlines: [{ type: "TextRun", text: "two" }], spacing: "Small" },
    ]);
    expect(result).toEqual({ outcome: "delivered", detail: "HTTP 202" });
  });

  it.each(
    Object.entries({
      alarm: "attention",
      warning: "warning",
      recovery: "good",
      "a grave note": "warning",
      note: "emphasis",
      test: "accent",
    }),
  )("shows %s in style %s", async (urgency, style) => {
    const { body } = await deliverOnce(settings, URGENCIES[urgency], started);
    expect(body.attachments[0].content.body[0].style).toBe(style);
  });

  it("shows words only where no Markdown is read, and names nobody to be told", async () => {
    const { received, body } = await deliverOnce(settings, { title: HOSTILE, text: HOSTILE }, started);
    expect(received[0]?.body).not.toContain('"TextBlock"');
    expect(body.attachments[0].content.msteams).toEqual({ width: "full" });
    expect(body.attachments[0].content.body[1].inlines[0].text).toBe(HOSTILE);
  });

  it.each([
    ["many lines", "漢\n".repeat(20_000)],
    ["one long line", "🔥".repeat(20_000)],
    ["what JSON writes longer", '\\"'.repeat(20_000)],
  ])("keeps the whole request under the size that Teams takes: %s", async (_, text) => {
    const { received, body } = await deliverOnce(settings, { title: "ß".repeat(4000), text }, started);
    expect(Buffer.byteLength(received[0]?.body ?? "")).toBeLessThanOrEqual(20_480);
    expect(Buffer.byteLength(received[0]?.body ?? "")).toBeGreaterThan(20_300);
    expect(body.attachments[0].content.body.at(-1).inlines[0].text).toMatch(/…$/);
    expect((received[0]?.body ?? "").isWellFormed()).toBe(true);
  });

  it.each([
    [400, "WorkflowTriggerIsNotEnabled", "Could not execute the trigger: it is not enabled."],
    [401, "DirectApiAuthorizationRequired", "The request must be signed."],
    [404, "WorkflowNotFound", "It could not be found."],
  ])("gives up on %i %s", async (code, name, message) => {
    const { result } = await deliverOnce(settings, {}, json(code, { error: { code: name, message } }));
    expect(result.outcome).toBe("permanent");
    expect(result.detail).toContain(`HTTP ${code}: ${name}: ${message}`);
    expect(result.detail).not.toContain(SIGNATURE);
  });

  it("comes back when it was too much at once", async () => {
    const busy = json(429, { error: { code: "TooManyRequests" } }, { "retry-after": "30" });
    expect((await deliverOnce(settings, {}, busy)).result).toMatchObject({
      outcome: "temporary",
      retryAfterMs: 30_000,
    });
  });

  it.each([
    "https://contoso.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d",
    "https://outlook.office.com/webhook/a@b/IncomingWebhook/c/d",
  ])("refuses a retired connector's address: %s", (url) => {
    expect(refusalOf({ type: "teams", url })).toEqual({
      path: "url",
      message: expect.stringContaining("has retired those"),
    });
  });
});
