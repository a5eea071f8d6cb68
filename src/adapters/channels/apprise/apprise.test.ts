import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver, status } from "../../../../test/contract/channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import type { DeliveryOutcome } from "../../../core/io.ts";
import type { Notification } from "../../../core/notification.ts";
import { wallTime } from "../../../kit/time.ts";
import { createApprise } from "./apprise.ts";

const FAILED = "One or more notifications could not be sent";
const AT = "2026-03-01 02:13:00,000";

describe("a message to an Apprise server", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  const deliver = (more: object = {}, notification: Partial<Notification> = {}): Promise<DeliveryOutcome> =>
    createApprise(
      { name: "all", type: "apprise", url: `http://127.0.0.1:${receiver.port}/apprise/`, ...more },
      { wall: () => wallTime(0) },
    ).deliver({ ...SAMPLE_NOTIFICATION, ...notification }, 5000);
  const sent = (): unknown => JSON.parse(receiver.received.at(-1)?.body ?? "");
  const details = (...log: readonly (readonly [string, string])[]): string =>
    JSON.stringify({ error: FAILED, details: log.map(([level, words]) => [level, AT, words]) });

  it("goes to the server's own services, to a key's, or to those it carries", async () => {
    await deliver();
    await deliver({ key: "ops-team", tag: "night, weekend" });
    expect(sent()).toMatchObject({ tag: "night, weekend" });
    await deliver({ services: ["json://a.example", "ntfy://topic"] });
    expect(sent()).toMatchObject({ urls: "json://a.example,ntfy://topic" });
    const paths = receiver.received.map(({ path }) => path);
    expect(paths).toEqual(["/apprise/notify", "/apprise/notify/ops-team", "/apprise/notify"]);
  });

  it.each([
    [{ state: "open", severity: "critical" }, "failure"],
    [{ state: "open", severity: "warning" }, "warning"],
    [{ state: "open", severity: "info" }, "info"],
    [{ state: "resolved", severity: "critical" }, "success"],
    [{ kind: "test", state: "note", severity: "info" }, "info"],
  ] as const)("says of %j that it is a %s", async (notification, type) => {
    await deliver({}, notification);
    expect(sent()).toMatchObject({ type, format: "text" });
  });

  it("has told nobody where the server knows no service", async () => {
    receiver.answer(status(204));
    expect(await deliver({ key: "gone" })).toMatchObject({
      outcome: "permanent",
      detail: expect.stringContaining("no service is set up"),
    });
  });

  it("is tried again when no service took it, and says why", async () => {
    receiver.answer(status(424, details(["WARNING", "Failed to send Discord notification: Unauthorized"])));
    expect(await deliver()).toMatchObject({
      outcome: "temporary",
      detail: expect.stringContaining(`HTTP 424: ${FAILED}; Failed to send Discord`),
    });
    receiver.answer(status(424, "not even JSON"));
    expect(await deliver()).toMatchObject({ outcome: "temporary" });
  });

  it("is delivered when one of several services took it, so that nobody is told again and again", async () => {
    receiver.answer(
      status(424, details(["INFO", "Sent ntfy notification."], ["ERROR", "No route to mail host"])),
    );
    const { outcome, detail } = await deliver();
    expect(outcome).toBe("delivered");
    expect(detail).toContain("No route to mail host");
    expect(receiver.received[0]?.headers["x-apprise-log-level"]).toBe("INFO");
  });

  it("may be tried again when the server fails itself", async () => {
    receiver.answer(status(500, JSON.stringify({ error: "An error occured accessing configuration" })));
    expect(await deliver()).toMatchObject({ outcome: "temporary" });
  });
});
