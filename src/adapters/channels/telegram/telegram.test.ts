import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Answer, startReceiver, status } from "../../../../test/contract/channel-receiver.ts";
import {
  deliverOnce,
  HOSTILE,
  refusalOf,
  URGENCIES,
} from "../../../../test/contract/channels/one-delivery.ts";
import { json } from "../../../../test/contract/channels/strict-service.ts";
import { SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import { wallTime } from "../../../kit/time.ts";
import { channelConfig, describeChannel, type ToldConfig } from "../../../wire/channel-config.ts";
import { createChannel } from "../registry.ts";

const TOKEN = "123456789:AAF-t0ken_of_the-bot_1234567890abcdef";
const settings = (address: string) => ({
  type: "telegram",
  url: address,
  token: TOKEN,
  chatId: -1001234567890,
});
const sent = json(200, { ok: true, result: { message_id: 4711 } });
const error = (code: number, description: string, parameters?: Record<string, number>): Answer =>
  json(code, { ok: false, error_code: code, description, ...(parameters && { parameters }) });

describe("telegram", () => {
  it("sends plain text whose title is bold by its place", async () => {
    const { received, body, result } = await deliverOnce(
      settings,
      { title: "pve2 🔥 is down", text: "one\ntwo" },
      sent,
    );
    expect(received).toMatchObject([{ method: "POST", path: `/bot${TOKEN}/sendMessage` }]);
    expect(body).toEqual({
      chat_id: -1001234567890,
      text: "🔴 pve2 🔥 is down\n\none\ntwo",
      entities: [{ type: "bold", offset: 3, length: 15 }],
      link_preview_options: { is_disabled: true },
      disable_notification: false,
    });
    const [{ offset, length }] = body.entities;
    expect(body.text.slice(offset, offset + length)).toBe("pve2 🔥 is down");
    expect(result).toEqual({ outcome: "delivered", detail: "HTTP 200: message 4711" });
  });

  it("writes to a topic and to a channel's public name", async () => {
    const { body } = await deliverOnce((address) => ({ ...settings(address), chatId: "@hosts", topic: 17 }));
    expect(body).toMatchObject({ chat_id: "@hosts", message_thread_id: 17 });
  });

  it.each([
    ["alarm", "🔴", false],
    ["warning", "🟠", false],
    ["recovery", "🟢", false],
    ["a grave note", "🟠", false],
    ["note", "⚪", true],
    ["test", "🔵", false],
  ])("marks %s with %s, and is silent only for what needs no ring", async (urgency, sign, silent) => {
    const { body } = await deliverOnce(settings, URGENCIES[urgency], sent);
    expect(body.text.startsWith(`${sign} pve2`)).toBe(true);
    expect(body.disable_notification).toBe(silent);
  });

  it("calls nobody and sets no parse mode", async () => {
    const { body } = await deliverOnce(settings, { title: HOSTILE, text: HOSTILE }, sent);
    expect(body.text).not.toMatch(/@\w/);
    expect(body.text.replaceAll("\u2060", "")).toContain("[click](http://evil.test) *b*");
    expect(body).not.toHaveProperty("parse_mode");
  });

  it("keeps title and text together within 4096, never in half a character", async () => {
    const { body } = await deliverOnce(
      settings,
      { title: "🔥".repeat(500), text: "漢🔥".repeat(3000) },
      sent,
    );
    expect(body.text.length).toBeLessThanOrEqual(4096);
    expect(body.text.length).toBeGreaterThan(4090);
    expect((await deliverOnce(settings, { text: "x".repeat(9000) }, sent)).body.text).toHaveLength(4096);
    expect(body.text.isWellFormed()).toBe(true);
    expect(body.entities[0].offset + body.entities[0].length).toBeLessThan(260);
  });

  it.each([
    [400, "Bad Request: chat not found"],
    [401, "Unauthorized"],
    [403, "Forbidden: bot was blocked by the user"],
    [404, "Not Found"],
  ])("gives up on %i %s", async (code, description) => {
    const { result } = await deliverOnce(settings, {}, error(code, description));
    expect(result.outcome).toBe("permanent");
    expect(result.detail).toMatch(new RegExp(`HTTP ${code}: ${description}$`));
  });

  it("waits as long as its parameters say", async () => {
    const busy = error(429, "Too Many Requests: retry after 34", { retry_after: 34 });
    expect((await deliverOnce(settings, {}, busy)).result).toMatchObject({
      outcome: "temporary",
      retryAfterMs: 34_000,
    });
  });

  it.each([
    [
      "refusal that stays",
      json(200, { ok: false, error_code: 403, description: "Forbidden: x" }),
      "permanent",
    ],
    ["passing fault", json(200, { ok: false, error_code: 502, description: "Bad Gateway" }), "temporary"],
    ["refusal without a code", json(200, { ok: false, description: "?" }), "temporary"],
    ["page that is not the API's", status(200, "<html>Please log in"), "temporary"],
    ["proxy's refusal", status(403, "<html>Blocked"), "permanent"],
    ["proxy's fault", status(502, "<html>Bad Gateway"), "temporary"],
  ])("does not take a status for an answer: %s", async (_, answer, outcome) => {
    expect((await deliverOnce(settings, {}, answer)).result.outcome).toBe(outcome);
  });

  describe("when the group has become a supergroup", () => {
    const moved = -1009876543210;
    const answer: Answer = (response, received) => {
      const { chat_id } = JSON.parse(received.body) as { chat_id: number };
      const how =
        chat_id === moved
          ? sent
          : error(400, "Bad Request: group chat was upgraded to a supergroup chat", {
              migrate_to_chat_id: moved,
            });
      how(response, received);
    };

    it("follows it within the same attempt and stays there, and says what to set", async () => {
      const receiver = await startReceiver();
      receiver.answer(answer);
      const config = { name: "phone", ...settings(`http://127.0.0.1:${receiver.port}`) };
      const channel = createChannel(channelConfig.parse(config) as ToldConfig, { wall: () => wallTime(0) });
      const told = {
        outcome: "delivered",
        detail: `HTTP 200: message 4711; the group is a supergroup now: set chatId to ${moved}`,
      };
      expect(await channel.deliver(SAMPLE_NOTIFICATION, 5000)).toEqual(told);
      expect(await channel.deliver(SAMPLE_NOTIFICATION, 5000)).toEqual(told);
      const chats = receiver.received.map(({ body }) => (JSON.parse(body) as { chat_id: number }).chat_id);
      expect(chats).toEqual([-1001234567890, moved, moved]);
      await receiver.close();
    });
  });

  it("refuses a token file that holds no token, since it would change the address", async () => {
    const folder = mkdtempSync(join(tmpdir(), "balefire-telegram-"));
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, "123/../../x?y", { mode: 0o600 });
    const { result, received } = await deliverOnce((address) => ({
      ...settings(address),
      token: undefined,
      tokenFile,
    }));
    rmSync(folder, { recursive: true });
    expect(received).toEqual([]);
    expect(result).toEqual({
      outcome: "permanent",
      detail: "tokenFile holds something that cannot be a token",
    });
  });

  it("hides the key of a token that came from a file, with and without its number", async () => {
    const folder = mkdtempSync(join(tmpdir(), "balefire-telegram-"));
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
    const echo = status(502, `${TOKEN} and ${TOKEN.slice(10)} are wrong`);
    const { result, received } = await deliverOnce(
      (address) => ({ ...settings(address), token: undefined, tokenFile }),
      {},
      echo,
    );
    rmSync(folder, { recursive: true });
    expect(received[0]?.path).toBe(`/bot${TOKEN}/sendMessage`);
    expect(result.detail).toMatch(/HTTP 502: \*\*\* and \*\*\* are wrong$/);
  });

  it.each([
    [{ token: undefined }, "token", "is missing"],
    [{ token: "bot123:abc" }, "token", /BotFather/],
    [{ chatId: undefined }, "chatId", /./],
    [{ chatId: "hosts" }, "chatId", /number/],
    [{ chatId: 1.5 }, "chatId", /number/],
    [{ topic: 0 }, "topic", /./],
  ])("refuses settings %j", (wrong, path, message) => {
    const refusal = refusalOf({ ...settings("https://api.telegram.org"), ...wrong });
    expect(refusal.path).toBe(path);
    expect(refusal.message).toMatch(message);
  });

  it("goes to Telegram's own server by default", () => {
    const config = channelConfig.parse({ name: "phone", type: "telegram", token: TOKEN, chatId: 1 });
    expect(describeChannel(config)).toBe("phone (telegram, api.telegram.org)");
  });
});
