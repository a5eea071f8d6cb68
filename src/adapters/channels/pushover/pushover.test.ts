import { describe, expect, it } from "vitest";
import { reset, status } from "../../../../test/contract/channel-receiver.ts";
import {
  deliverOnce,
  HOSTILE,
  refusalOf,
  URGENCIES,
} from "../../../../test/contract/channels/one-delivery.ts";
import { json } from "../../../../test/contract/channels/strict-service.ts";
import { channelConfig, describeChannel } from "../../../wire/channel-config.ts";

const TOKEN = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";
const USER = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
const settings = (address: string) => ({ type: "pushover", url: address, token: TOKEN, user: USER });
const emergency = (address: string) => ({ ...settings(address), emergency: true });
const sent = json(200, { status: 1, request: "647d2300-702c" });

describe("pushover", () => {
  it("sends plain text, with both keys in the body only", async () => {
    const { received, body, result } = await deliverOnce(
      (address) => ({ ...settings(address), device: "droid4" }),
      { title: "pve2 is down", text: HOSTILE },
      sent,
    );
    expect(received).toMatchObject([{ method: "POST", path: "/1/messages.json" }]);
    expect(body).toEqual({
      token: TOKEN,
      user: USER,
      device: "droid4",
      title: "pve2 is down",
      message: HOSTILE,
      priority: 1,
    });
    expect(result).toEqual({ outcome: "delivered", detail: "HTTP 200: request 647d2300-702c" });
  });

  it.each(Object.entries({ alarm: 1, warning: 0, recovery: 0, "a grave note": 0, note: -1, test: 0 }))(
    "rings for %s with priority %i",
    async (urgency, priority) => {
      const { body } = await deliverOnce(settings, URGENCIES[urgency], sent);
      expect(body).toMatchObject({ priority });
      expect(body).not.toHaveProperty("retry");
    },
  );

  it("repeats an alarm until it is acknowledged, where that is wanted", async () => {
    expect((await deliverOnce(emergency, {}, sent)).body).toMatchObject({
      priority: 2,
      retry: 60,
      expire: 1800,
    });
    const own = (address: string) => ({ ...emergency(address), retry: "30s", expire: "3h" });
    expect((await deliverOnce(own, {}, sent)).body).toMatchObject({ priority: 2, retry: 30, expire: 10_800 });
  });

  it.each(["warning", "recovery", "note", "test"])("never repeats a %s", async (urgency) => {
    const { body } = await deliverOnce(emergency, URGENCIES[urgency], sent);
    expect(body.priority).toBeLessThan(1);
    expect(body).not.toHaveProperty("expire");
  });

  it("keeps to the limits, never in half a character", async () => {
    const long = { title: "🔥".repeat(300), text: "漢🔥".repeat(1000) };
    const { body } = await deliverOnce(settings, long, sent);
    expect([...body.title].length).toBeLessThanOrEqual(250);
    expect([...body.message].length).toBeLessThanOrEqual(1024);
    expect(`${body.title}${body.message}`.isWellFormed()).toBe(true);
  });

  it("gives up when the month's messages are used up, since waiting does not help", async () => {
    const errors = ["application has exceeded current limit of 10000 messages"];
    const answer = json(429, { token: "invalid", errors, status: 0, request: "x" });
    const { result } = await deliverOnce(settings, {}, answer);
    expect(result.outcome).toBe("permanent");
    expect(result.detail).toMatch(/HTTP 429: application has exceeded current limit of 10000 messages$/);
  });

  it.each([
    [
      "invalid key",
      json(400, { user: "invalid", errors: ["user identifier is invalid"], status: 0 }),
      "permanent",
    ],
    ["status other than 1 with 200", json(200, { status: 0, errors: ["x"] }), "permanent"],
    ["page that is not Pushover's", status(200, "<html>Please log in"), "temporary"],
    ["rate limit before the API", status(429, "slow down", { "retry-after": "9" }), "temporary"],
    ["fault of the API's own", json(500, { status: 0, errors: ["x"] }), "temporary"],
  ])("judges by the answer's own status: %s", async (_, answer, outcome) => {
    expect((await deliverOnce(settings, {}, answer)).result.outcome).toBe(outcome);
  });

  it.each([
    ["an answer", status(503)],
    ["a broken connection", reset],
  ])("never comes back sooner than the service allows, after %s", async (_, answer) => {
    expect((await deliverOnce(settings, {}, answer)).result).toMatchObject({
      outcome: "temporary",
      retryAfterMs: 5000,
    });
  });

  it.each([
    [{ token: undefined }, "token", "is missing"],
    [{ user: undefined }, "user", "is missing"],
    [{ userFile: "/etc/user" }, "userFile", /together/],
    [{ user: "me@example.org" }, "user", /30 letters/],
    [{ device: "my phone" }, "device", /device/],
    [{ retry: "60s" }, "retry", /emergency/],
    [{ emergency: true, retry: "20s" }, "retry", /30s to 3h/],
    [{ emergency: true, expire: "4h" }, "expire", /30s to 3h/],
  ])("refuses settings %j", (wrong, path, message) => {
    const refusal = refusalOf({ ...settings("https://api.pushover.net"), ...wrong });
    expect(refusal.path).toBe(path);
    expect(refusal.message).toMatch(message);
  });

  it("goes to Pushover's own server by default", () => {
    const config = channelConfig.parse({ name: "phone", type: "pushover", token: TOKEN, user: USER });
    expect(describeChannel(config)).toBe("phone (pushover, api.pushover.net)");
  });
});
