import type { Notification } from "../../src/core/notification.ts";

export const SAMPLE_NOTIFICATION: Notification = {
  schema: 1,
  id: "5c7d0a3f9be1446f8d20c1b7a9e3f512",
  kind: "down",
  state: "open",
  severity: "critical",
  follows: [],
  verdict: "host-down",
  subjects: [
    {
      id: "7e57c0de-0000-4000-8000-000000000002",
      name: "pve2",
      incident: "00112233445566778899aabbccddeeff",
      kind: "down",
      severity: "critical",
      verdict: "host-down",
      since: "2026-03-01T02:13:00.000Z",
    },
  ],
  since: "2026-03-01T02:13:00.000Z",
  viewpoint: { node: "pve1", alone: false, alive: 2, of: 3 },
  evidence: [
    {
      observer: "pve1",
      subject: "pve2",
      path: "datagram",
      last: "2026-03-01T02:12:59.400Z",
      probe: "silent",
    },
  ],
  title: 'pve2 is down, says "pve1"',
  text: "pve1 and pve3 hear nothing since 02:13.\nÜbrigens: \\ and \u2028 must survive.",
};

/** Plain words, so that they look the same however a service escapes what means something to it. */
export const LONG_TITLE_BEGINS = "Fünfzig Rechner antworten nicht 🔥 pve01 pve02";

/** Longer than any service takes in one message, in title, text and lists; many characters of several bytes. */
export const LONG_NOTIFICATION: Notification = {
  ...SAMPLE_NOTIFICATION,
  id: "10".repeat(16),
  subjects: Array.from({ length: 50 }, (_, index) => ({
    id: `7e57c0de-0000-4000-8000-0000000000${String(index).padStart(2, "0")}`,
    name: `pve${index}-${"x".repeat(55)}`,
    incident: String(index).padStart(32, "0"),
    kind: "down",
    severity: "critical",
    verdict: "host-down",
    since: "2026-03-01T02:13:00.000Z",
  })),
  evidence: Array.from({ length: 64 }, (_, index) => ({
    observer: `pve${index}-${"y".repeat(55)}`,
    subject: `pve${index % 50}-${"x".repeat(55)}`,
    path: "datagram",
    last: "2026-03-01T02:12:59.400Z",
    probe: "silent",
  })),
  title: `${LONG_TITLE_BEGINS} ${"große Störung 🔥 ".repeat(300)}`,
  text: 'Zeile mit Ümlauten, 漢字 und 🔥 <b>&amp; "quotes" \\ *stars* _lines_ [links](x).\n'.repeat(1500),
};

/** A message of each state in each severity; the recoveries follow a "down". */
export const STATES_AND_SEVERITIES: readonly Notification[] = (["open", "resolved", "note"] as const).flatMap(
  (state, row) =>
    (["info", "warning", "critical"] as const).map((severity, column): Notification => {
      const over = state === "open" ? {} : { until: "2026-03-01T02:18:00.000Z" };
      const kind = state === "note" ? "restarted" : "down";
      const follows = state === "resolved" ? [SAMPLE_NOTIFICATION.id] : [];
      const id = `${row}${column}`.repeat(16);
      return {
        ...SAMPLE_NOTIFICATION,
        id,
        kind,
        state,
        severity,
        follows,
        title: `pve2 ${state} ${severity}`,
        ...over,
      };
    }),
);
