import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver, status } from "../../../../test/contract/channel-receiver.ts";
import { LONG_NOTIFICATION, SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import type { DeliveryOutcome } from "../../../core/io.ts";
import type { Notification } from "../../../core/notification.ts";
import { wallTime } from "../../../kit/time.ts";
import { pagerdutyUrlOf } from "../../../wire/channels/pagerduty.ts";
import { eventsOf } from "./events.ts";
import { createPagerduty, EVENTS_AT_ONCE } from "./pagerduty.ts";

const KEY = "0123456789abcdefABCDEF0123456789";
const RULESET_KEY = `R${KEY.slice(1)}`;

const hosts = (count: number): Notification => {
  const [subject] = SAMPLE_NOTIFICATION.subjects;
  if (subject === undefined) throw new Error("the sample is about nobody");
  const subjects = Array.from({ length: count }, (_, index) => ({
    ...subject,
    name: `pve${index}`,
    incident: String(index).padStart(32, "0"),
  }));
  return { ...SAMPLE_NOTIFICATION, subjects, title: `${count} hosts are down` };
};
const note: Notification = {
  ...SAMPLE_NOTIFICATION,
  kind: "restarted",
  state: "note",
  severity: "warning",
  until: "2026-03-01T02:18:00.000Z",
};
const test: Notification = { ...note, kind: "test", severity: "info", subjects: [] };

describe("PagerDuty's events", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
    receiver.answer(status(202, '{"status": "success", "message": "Event processed"}'));
  });
  afterEach(() => receiver.close());

  const deliver = (
    notification: Notification,
    more: object = { routingKey: KEY },
  ): Promise<DeliveryOutcome> =>
    createPagerduty(
      { name: "pager", type: "pagerduty", url: `http://127.0.0.1:${receiver.port}/base/`, ...more },
      { wall: () => wallTime(0) },
    ).deliver(notification, 5000);
  const bodies = (): Record<string, unknown>[] =>
    receiver.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

  it("open an alert for each incident, named by its own host first, and resolve each by its id", async () => {
    await deliver(hosts(2));
    expect(bodies()).toMatchObject(
      ["pve0", "pve1"].map((name, index) => ({
        routing_key: KEY,
        event_action: "trigger",
        dedup_key: String(index).padStart(32, "0"),
        payload: {
          summary: `${name}: 2 hosts are down`,
          source: name,
          severity: "critical",
          timestamp: "2026-03-01T02:13:00.000Z",
        },
      })),
    );
    await deliver({ ...hosts(2), state: "resolved" });
    expect(
      bodies()
        .slice(2)
        .map(({ event_action: action, dedup_key: key }) => [action, key]),
    ).toEqual([
      ["resolve", "0".repeat(32)],
      ["resolve", `${"0".repeat(31)}1`],
    ]);
    expect(new Set(receiver.received.map(({ path }) => path))).toEqual(new Set(["/base/v2/enqueue"]));
  });

  it.each(["critical", "warning", "info"] as const)("carry the incident's own severity: %s", (severity) => {
    const subjects = SAMPLE_NOTIFICATION.subjects.map((subject) => ({ ...subject, severity }));
    const [event] = eventsOf({ ...SAMPLE_NOTIFICATION, severity: "critical", subjects }, KEY);
    expect(event?.body).toMatchObject({ payload: { severity, class: "down" } });
  });

  it("tell a note as a change, which pages nobody", async () => {
    expect(await deliver(note)).toMatchObject({ outcome: "delivered" });
    expect(receiver.received.map(({ path }) => path)).toEqual(["/base/v2/change/enqueue"]);
    const [change] = bodies();
    expect(change).toMatchObject({
      routing_key: KEY,
      payload: { summary: note.title, source: "pve1", timestamp: note.until },
    });
    expect(change).not.toHaveProperty("event_action");
  });

  it("leave a note out where the key takes no changes, and say so", async () => {
    const result = await deliver(note, { routingKey: RULESET_KEY });
    expect(result).toMatchObject({ outcome: "delivered", detail: expect.stringMatching(/not sent/) });
    expect(receiver.received).toEqual([]);
  });

  it("page for a test, whatever the key", async () => {
    await deliver(test, { routingKey: RULESET_KEY });
    expect(bodies()).toMatchObject([
      { event_action: "trigger", dedup_key: test.id, payload: { severity: "info", source: "pve1" } },
    ]);
  });

  it("all go again when one of them was not taken for now, and have failed when one never will be", async () => {
    const except = (code: number): void =>
      receiver.answer((response, { body }) =>
        response.writeHead(body.includes(`"source":"pve1"`) ? code : 202, { "retry-after": "3" }).end(),
      );
    except(429);
    expect(await deliver(hosts(3))).toMatchObject({
      outcome: "temporary",
      retryAfterMs: 3000,
      detail: expect.stringMatching(/^1 of 3 failed: .*HTTP 429/),
    });
    except(400);
    expect(await deliver(hosts(3))).toMatchObject({ outcome: "permanent" });
  });

  it("are a bounded number at a time, and none is left out or sent twice", async () => {
    let open = 0;
    let most = 0;
    receiver.answer((response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.writeHead(202).end();
      }, 5);
    });
    await deliver(hosts(100));
    expect(most).toBeLessThanOrEqual(EVENTS_AT_ONCE);
    expect(new Set(bodies().map((body) => body.dedup_key)).size).toBe(100);
    expect(receiver.received).toHaveLength(100);
  });

  it("stay far below 512 KB each", () => {
    for (const { body } of eventsOf(LONG_NOTIFICATION, KEY))
      expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(256 * 1024);
  });

  it("show why PagerDuty refuses one, in its own words, without the key", async () => {
    const errors = [`Length of 'routing_key' ${KEY} is incorrect (should be 32 characters)`];
    receiver.answer(
      status(400, JSON.stringify({ status: "invalid event", message: "Event object is invalid", errors })),
    );
    const { outcome, detail } = await deliver(SAMPLE_NOTIFICATION);
    expect(outcome).toBe("permanent");
    expect(detail).toContain("HTTP 400: Event object is invalid: Length of 'routing_key' *** is incorrect");
  });

  it("carry a key from a file, and none that is no key", async () => {
    const folder = mkdtempSync(join(tmpdir(), "balefire-pagerduty-"));
    const written = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    await deliver(SAMPLE_NOTIFICATION, { routingKeyFile: written("good", `${KEY}\n`) });
    expect(bodies()[0]).toMatchObject({ routing_key: KEY });
    const bad = await deliver(SAMPLE_NOTIFICATION, {
      routingKeyFile: written("bad", "s3cret-and-too-short"),
    });
    expect(bad).toMatchObject({ outcome: "permanent", detail: expect.not.stringContaining("s3cret") });
    expect(receiver.received).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  it("go to PagerDuty itself where no URL is given", () => {
    expect(pagerdutyUrlOf({ name: "pager", type: "pagerduty", routingKey: KEY })).toBe(
      "https://events.pagerduty.com",
    );
  });
});
