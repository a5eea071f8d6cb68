import { describe, expect, it } from "vitest";
import { SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import { INCIDENT_KINDS } from "../../../core/ledger-records.ts";
import type { Notification, NotificationSubject } from "../../../core/notification.ts";
import { minutes, wallTime } from "../../../kit/time.ts";
import { type Alert, alertsOf } from "./alerts.ts";

const NOW = { wall: wallTime(Date.parse("2026-03-01T02:20:00Z")), openFor: minutes(5) };

const only = (notification: Partial<Notification>, now = NOW): Alert => {
  const [alert] = alertsOf({ ...SAMPLE_NOTIFICATION, ...notification }, now);
  if (alert === undefined) throw new Error("there is no alert");
  return alert;
};
const about = (own: Partial<NotificationSubject>): Pick<Notification, "subjects"> => ({
  subjects: SAMPLE_NOTIFICATION.subjects.map((subject) => ({ ...subject, ...own })),
});

describe("an alert", () => {
  it("has the same labels when it opens, when it is repeated by another node, and when it ends", () => {
    const opened = only({});
    const told = { node: "pve3", alone: true, alive: 1, of: 3 };
    const repeated = only({
      viewpoint: told,
      id: "1".repeat(32),
      title: "other words",
      ...about({ verdict: "unreachable" }),
    });
    const ended = only({ state: "resolved", until: "2026-03-01T02:19:00.000Z", title: "pve2 is back" });
    expect(repeated.labels).toEqual(opened.labels);
    expect(ended.labels).toEqual(opened.labels);
    expect(ended.annotations.summary).toBe("pve2 is back");
  });

  it("has them too when it opens in one message with graver ones, and ends alone", () => {
    const own = about({ kind: "daemon-down", severity: "warning", verdict: "daemon-down" });
    const together = only({ kind: "down", severity: "critical", ...own });
    const alone = only({ kind: "daemon-down", severity: "warning", state: "resolved", ...own });
    expect(alone.labels).toEqual(together.labels);
    expect(alone.labels).toMatchObject({ alertname: "BalefireDaemonDown", severity: "warning" });
  });

  it("has a name of its own for each kind", () => {
    const names = INCIDENT_KINDS.map((kind) => only(about({ kind })).labels.alertname);
    expect(new Set(names).size).toBe(INCIDENT_KINDS.length);
  });

  it("lasts for five minutes while it is open, and until it was over when it is", () => {
    expect(only({})).toMatchObject({
      startsAt: "2026-03-01T02:13:00.000Z",
      endsAt: "2026-03-01T02:25:00.000Z",
    });
    const until = "2026-03-01T02:19:00.000Z";
    expect(only({ state: "resolved", until })).toMatchObject({ endsAt: until });
    expect(only({ state: "resolved" })).toMatchObject({ endsAt: "2026-03-01T02:20:00.000Z" });
  });

  it("never ends in the future once it is over, nor before it starts, whatever the clocks say", () => {
    const late = { ...NOW, wall: wallTime(Date.parse("2026-03-01T01:00:00Z")) };
    expect(only({ state: "resolved", until: "2026-03-01T02:19:00.000Z" }, late)).toMatchObject({
      startsAt: "2026-03-01T01:00:00.000Z",
      endsAt: "2026-03-01T01:00:00.000Z",
    });
    const odd = only({ state: "resolved", until: "2026-03-01T02:00:00.000Z" });
    expect(odd.startsAt <= odd.endsAt).toBe(true);
  });

  it("of a test is about the node that sends it", () => {
    const test = only({ kind: "test", state: "note", severity: "info", subjects: [] });
    expect(test.labels).toMatchObject({
      alertname: "BalefireTest",
      node: "pve1",
      incident: SAMPLE_NOTIFICATION.id,
    });
  });
});
