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
