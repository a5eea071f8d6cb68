import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deliverOnce, refusalOf, URGENCIES } from "../../../../test/contract/channels/one-delivery.ts";
import { json } from "../../../../test/contract/channels/strict-service.ts";
import { channelConfig, describeChannel } from "../../../wire/channel-config.ts";

const TOKEN = "AbCdEfGh.123456";
const settings = (address: string) => ({ type: "gotify", url: `${address}/gotify/`, token: TOKEN });

describe("gotify", () => {
  it("posts plain text to the server's /message, with the token in a header only", async () => {
    const { received, body } = await deliverOnce(settings, { title: "pve2 is down", text: "*one*\ntwo" });
    expect(received).toMatchObject([
      { method: "POST", path: "/gotify/message", headers: { "x-gotify-key": TOKEN } },
    ]);
    expect(body).toEqual({
      title: "pve2 is down",
      message: "*one*\ntwo",
      priority: 8,
      extras: { "client::display": { contentType: "text/plain" } },
    });
  });

  it.each(Object.entries({ alarm: 8, warning: 5, recovery: 5, "a grave note": 5, note: 2, test: 5 }))(
    "rings for %s with priority %i",
    async (urgency, priority) => {
      expect((await deliverOnce(settings, URGENCIES[urgency])).body.priority).toBe(priority);
    },
  );

  it("shortens by bytes, as its columns count", async () => {
    const { body } = await deliverOnce(settings, { text: "ß".repeat(40_000) });
    expect(Buffer.byteLength(body.message)).toBeLessThanOrEqual(65_535);
    expect(Buffer.byteLength(body.message)).toBeGreaterThan(65_530);
  });

  it("gives up on a wrong token, with the server's own words", async () => {
    const description = "you need to provide a valid access token";
    const refused = json(401, { error: "Unauthorized", errorCode: 401, errorDescription: description });
    const { result } = await deliverOnce(settings, {}, refused);
    expect(result).toMatchObject({ outcome: "permanent" });
    expect(result.detail).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+: HTTP 401: you need to provide a valid access token$/,
    );
  });

  it("shows the number of the message as proof", async () => {
    const { result } = await deliverOnce(settings, {}, json(200, { id: 25, appid: 1, message: "…" }));
    expect(result).toEqual({ outcome: "delivered", detail: "HTTP 200: message 25" });
  });

  describe("with tokenFile", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "balefire-gotify-"));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const withFile = (content: string) => {
      const tokenFile = join(folder, "token");
      writeFileSync(tokenFile, content, { mode: 0o600 });
      return deliverOnce((address) => ({ type: "gotify", url: address, tokenFile }));
    };

    it("sends the token that the file holds", async () => {
      const { received, result } = await withFile(`${TOKEN}\n`);
      expect(received[0]?.headers["x-gotify-key"]).toBe(TOKEN);
      expect(result.outcome).toBe("delivered");
    });

    it("refuses a file that holds no token instead of sending a broken header", async () => {
      const { received, result } = await withFile("two lines\r\nX-Evil: 1");
      expect(received).toEqual([]);
      expect(result).toEqual({
        outcome: "permanent",
        detail: "tokenFile holds something that cannot be a token",
      });
    });
  });

  it.each([
    [{ token: undefined }, "token", "is missing"],
    [{ tokenFile: "/etc/token" }, "tokenFile", /together/],
    [{ token: "with space in it" }, "token", /without spaces/],
    [{ url: "gotify.example" }, "url", /https/],
    [{ priority: 10 }, "", /priority/],
  ])("refuses settings %j", (wrong, path, message) => {
    const refusal = refusalOf({ ...settings("https://gotify.example"), ...wrong });
    expect(refusal.path).toBe(path);
    expect(refusal.message).toMatch(message);
  });

  it("is shown by its host alone", () => {
    const config = channelConfig.parse({ name: "phone", ...settings("https://gotify.example:8443") });
    expect(describeChannel(config)).toBe("phone (gotify, gotify.example:8443)");
  });
});
