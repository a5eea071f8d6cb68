import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, silence, startReceiver, status } from "../../../test/contract/channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../../../test/contract/sample-notification.ts";
import type { DeliveryOutcome } from "../../core/io.ts";
import { failure, ok } from "../../kit/result.ts";
import { wallTime } from "../../kit/time.ts";
import type { WebhookConfig } from "../../wire/channels/webhook.ts";
import { type Attempt, httpChannel, jsonFields } from "./http-channel.ts";
import { createChannel } from "./registry.ts";

const around = { wall: () => wallTime(0) };

describe("a channel over HTTP", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  const origin = (): string => `http://127.0.0.1:${receiver.port}`;
  const settings = (): WebhookConfig => ({ name: "phone", type: "webhook", url: origin() });
  const deliver = (
    send: (attempt: Attempt<{ token?: string }>) => Promise<DeliveryOutcome>,
    timeoutMs = 5000,
  ): Promise<DeliveryOutcome> => {
    const secrets = ok<{ token?: string }>({ token: "t0ken-value" });
    const channel = httpChannel({
      config: settings(),
      around,
      url: origin(),
      secrets,
      send: (_, attempt) => send(attempt),
    });
    return channel.deliver(SAMPLE_NOTIFICATION, timeoutMs);
  };

  it.each(["GET", "PUT", "POST"] as const)("can %s", async (method) => {
    const body = method === "GET" ? {} : { body: "ünï" };
    await deliver(({ request }) => request({ method, url: `${origin()}/a?b=1`, ...body }));
    expect(receiver.received[0]).toMatchObject({ method, path: "/a?b=1", body: body.body ?? "" });
    expect(receiver.received[0]?.headers["content-length"]).toBe(method === "GET" ? undefined : "5");
  });

  it("lets all requests of one attempt share its time", async () => {
    receiver.answer(silence);
    const begun = performance.now();
    const first: DeliveryOutcome[] = [];
    const last = await deliver(async ({ request }) => {
      first.push(await request({ url: origin() }));
      return request({ url: origin() });
    }, 200);
    expect(performance.now() - begun).toBeLessThan(600);
    expect([first[0]?.outcome, last.outcome]).toEqual(["temporary", "temporary"]);
  });

  it("takes the service's own word for what its answer means", async () => {
    receiver.answer(status(200, '{"ok": false, "error": "t0ken-value is wrong", "after": 7}'));
    const result = await deliver(({ request }) =>
      request({ url: origin() }, (answer) => {
        const { ok: taken, error, after } = jsonFields(answer);
        if (taken !== false) return undefined;
        return { outcome: "temporary", said: String(error), retryAfterMs: Number(after) * 1000 };
      }),
    );
    const detail = `${origin()}: HTTP 200: *** is wrong`;
    expect(result).toEqual({ outcome: "temporary", detail, retryAfterMs: 7000 });
  });

  it.each([
    [86_400_000, 300_000],
    [-1, undefined],
    [Number.NaN, undefined],
  ])("does not believe every wait that is asked for: %d ms", async (asked, expected) => {
    receiver.answer(status(503));
    const result = await deliver(({ request }) =>
      request({ url: origin() }, () => ({ retryAfterMs: asked })),
    );
    expect(result.outcome === "temporary" ? result.retryAfterMs : "not temporary").toBe(expected);
  });

  it("goes by the status where the service has no word of its own", async () => {
    receiver.answer(status(404, "no such room"));
    expect(await deliver(({ request }) => request({ url: origin() }, () => undefined))).toEqual({
      outcome: "permanent",
      detail: `${origin()}: HTTP 404: no such room`,
    });
  });

  it("answers every delivery with what was wrong with its secrets", async () => {
    const channel = httpChannel({
      config: settings(),
      around,
      secrets: failure("config-invalid", "tokenFile /t cannot be read: ENOENT"),
      send: () => Promise.reject(new Error("it was sent")),
    });
    expect(await channel.deliver(SAMPLE_NOTIFICATION, 1000)).toEqual({
      outcome: "permanent",
      detail: "tokenFile /t cannot be read: ENOENT",
    });
  });

  it("has the words of its settings before it sends anything, whatever its type", async () => {
    const words = { title: "[{{severity}}] {{title}}", text: "{{kind}}\n{{text}}" };
    const channels = [
      createChannel({ ...settings(), ...words }, around),
      createChannel({ name: "push", type: "ntfy", url: origin(), topic: "t", ...words }, around),
    ];
    for (const channel of channels) await channel.deliver(SAMPLE_NOTIFICATION, 5000);
    const [hook, push] = receiver.received.map(({ body }) => JSON.parse(body));
    const title = `[critical] ${SAMPLE_NOTIFICATION.title}`;
    const text = `down\n${SAMPLE_NOTIFICATION.text}`;
    expect(hook).toMatchObject({ title, text, id: SAMPLE_NOTIFICATION.id });
    expect(push).toMatchObject({ title, message: text });
  });
});
