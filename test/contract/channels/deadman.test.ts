/** A dead-man's heartbeat against a service as healthchecks.io's "Pinging API" describes it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHeartbeat } from "../../../src/adapters/channels/registry.ts";
import { wallTime } from "../../../src/kit/time.ts";
import type { Heartbeat } from "../../../src/ports/heartbeat.ts";
import { channelConfig, type HeartbeatConfig, heartbeatRef } from "../../../src/wire/channel-config.ts";
import type { ServiceMood } from "../channel-contract.ts";
import {
  type Answer,
  httpAnswer,
  type Receiver,
  silence,
  startReceiver,
  status,
} from "../channel-receiver.ts";
import { heartbeatContract } from "../heartbeat-contract.ts";

const UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278";
const WHY = "pve1: 2 of 3 hosts alive";
const AMPLE_MS = 5000;

const configOf = (receiver: Receiver, more: object = {}): HeartbeatConfig =>
  channelConfig.parse({
    name: "hc",
    type: "deadman",
    url: `http://127.0.0.1:${receiver.port}/ping/${UUID}`,
    ...more,
  }) as HeartbeatConfig;
const heartbeatOf = (receiver: Receiver, more?: object): Heartbeat =>
  createHeartbeat(configOf(receiver, more), { wall: () => wallTime(0) });

function answerOf(mood: ServiceMood): Answer {
  const how = mood.type === "accepts" ? status(200, "OK") : httpAnswer(mood);
  return (response, received) => {
    const known = received.method === "POST" && new RegExp(`^/ping/${UUID}(/fail)?$`).test(received.path);
    (known ? how : status(404, "not found"))(response, received);
  };
}

heartbeatContract("deadman", async () => {
  const receiver = await startReceiver();
  return {
    heartbeat: heartbeatOf(receiver),
    secrets: [UUID],
    mood: async (mood) => {
      receiver.answer(answerOf(mood));
      if (mood.type === "gone") await receiver.close();
    },
    arrived: () =>
      receiver.received.map(({ path, body }) => ({
        state: path.endsWith("/fail") ? "fail" : "alive",
        why: body,
      })),
    close: () => receiver.close(),
  };
});

describe("a dead-man's heartbeat at healthchecks.io and its kin", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  it("keeps a query behind the path", async () => {
    const url = `http://127.0.0.1:${receiver.port}/ping/key/slug/?create=1`;
    await heartbeatOf(receiver, { url }).ping("fail", WHY, AMPLE_MS);
    expect(receiver.received[0]?.path).toBe("/ping/key/slug/fail?create=1");
  });

  it("is pinged by GET where the service takes nothing else", async () => {
    receiver.answer((response, { method }) => response.writeHead(method === "GET" ? 200 : 405).end());
    expect(await heartbeatOf(receiver).ping("alive", WHY, AMPLE_MS)).toMatchObject({ outcome: "delivered" });
    expect(receiver.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST /ping/${UUID}`,
      `GET /ping/${UUID}`,
    ]);
  });

  it.each([
    ["permanent", "an unknown check", status(404, "not found")],
    ["permanent", "an unknown check, answered with 200", status(200, "OK (not found)")],
    ["permanent", "an ambiguous slug", status(409, "ambiguous slug")],
    ["permanent", "a service that refuses GET as well", status(405)],
    ["temporary", "a service that fails", status(500)],
    ["temporary", "a ping too many, answered with 200", status(200, "OK (rate limited)")],
    ["temporary", "a ping too many", status(429)],
  ] satisfies [string, string, Answer][])("takes it as %s: %s", async (outcome, _, how) => {
    receiver.answer(how);
    expect(await heartbeatOf(receiver).ping("alive", WHY, AMPLE_MS)).toMatchObject({ outcome });
  });

  it("ends by its own limit when that is shorter", async () => {
    receiver.answer(silence);
    expect(await heartbeatOf(receiver, { timeout: "1s" }).ping("alive", WHY, AMPLE_MS)).toMatchObject({
      outcome: "temporary",
      detail: expect.stringContaining("1.0 s"),
    });
  });

  it("sends a bounded line", async () => {
    await heartbeatOf(receiver).ping("alive", "x".repeat(100_000), AMPLE_MS);
    expect(receiver.received[0]?.body.length).toBeLessThanOrEqual(200);
  });

  it("has the period it was given, or a minute", () => {
    expect(heartbeatOf(receiver)).toMatchObject({ name: "hc", everyMs: 60_000 });
    expect(heartbeatOf(receiver, { every: "5m" }).everyMs).toBe(300_000);
    expect(heartbeatRef(configOf(receiver, { every: "5m" }))).toEqual({ name: "hc", every: 300_000 });
  });
});
