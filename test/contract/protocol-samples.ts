/** One of each message, with every optional field, as test/fixtures/protocol-v1 holds them in bytes. */
import type { LedgerRecord } from "../../src/core/ledger-records.ts";
import type { Envelope, PeerMessage } from "../../src/core/messages.ts";
import type { IncidentId, NodeId } from "../../src/core/types.ts";
import { wallTime } from "../../src/kit/time.ts";

const node = "0d4c0a1e-1111-4222-8333-444444444444" as NodeId;
const other = "9b2f7c55-aaaa-4bbb-8ccc-dddddddddddd" as NodeId;
const incident = "00112233445566778899aabbccddeeff" as IncidentId;
const message = "ffeeddccbbaa99887766554433221100";
const at = wallTime(1_766_000_000_000);
const told = { message, incidents: [incident], node, at } as const;

const records: readonly LedgerRecord[] = [
  {
    t: "incident",
    incident,
    kind: "down",
    subject: other,
    name: "pve2",
    incarnation: 4,
    verdict: "host-down",
    since: at,
    by: node,
  },
  { t: "evidence", incident, observer: node, name: "pve1", path: "datagram", last: at, probe: "silent", at },
  { t: "resolved", incident, at, by: node, how: "returned-rebooted" },
  { t: "intent", ...told, phase: "open", channel: "phone", renewal: 2 },
  {
    t: "delivery",
    ...told,
    phase: "open",
    channel: "phone",
    outcome: "delivered",
    attempt: 1,
    detail: "200 OK",
  },
  {
    t: "message",
    ...told,
    phase: "resolved",
    title: "pve2 is back",
    text: "pve2 is back after 94 s – „alles gut“.",
  },
];

export const SAMPLES: { readonly [T in PeerMessage["t"]]: Envelope & { message: { t: T } } } = {
  beat: {
    message: {
      t: "beat",
      seq: 123_456,
      incarnation: 4,
      boot: "5f0c1d9a-1234-4321-9876-0123456789ab",
      period: 200,
      heard: 12.5,
      echo: { seq: 123_400, held: 33.25 },
      view: "alive",
      viewIncarnation: 3,
      roster: { generation: 2, term: 3, opener: "m4Zx-_9A", epoch: 12 },
      ledger: "0123456789abcdef0123456789abcdef",
      wall: 1_766_000_000_123,
      channels: ["phone", "mail"],
    },
  },
  ask: { number: 17, message: { t: "ask", subject: other, incarnation: 4, suspected: 612.5 } },
  answer: {
    number: 18,
    message: {
      t: "answer",
      subject: other,
      state: "silent",
      incarnation: 4,
      heard: 803.75,
      path: "datagram",
      probe: "silent",
    },
  },
  ledger: { number: 19, message: { t: "ledger", records } },
  "ledger-summary": {
    message: {
      t: "ledger-summary",
      keys: [
        [`i/${incident}`, "3f2a"],
        [`d/${message}`, "1"],
      ],
    },
  },
  roster: { number: 20, message: { t: "roster", signed: '{"roster":"…","signature":"MEUCIQ"}' } },
  "roster-want": {
    message: { t: "roster-want", have: { generation: 2, term: 3, opener: "m4Zx-_9A", epoch: 11 } },
  },
  goodbye: { number: 21, message: { t: "goodbye", incarnation: 4, reason: "stop" } },
  ack: { message: { t: "ack", numbers: [17, 18, 19] } },
  request: {
    number: 22,
    message: {
      t: "request",
      id: "c0ffee00c0ffee00",
      method: "config-apply",
      body: '{"text":"channels: []\\n"}',
    },
  },
  response: {
    number: 23,
    message: {
      t: "response",
      id: "c0ffee00c0ffee00",
      ok: true,
      body: '{"term":1,"epoch":13,"changed":true}',
    },
  },
  readings: {
    message: {
      t: "readings",
      passes: [
        {
          life: 4,
          pass: 812,
          table: "a1b2c3d4e5f6",
          since: 811,
          changed: [
            [0, 54.125],
            [2, [31, 1_766_000_000]],
            [3, "stuck"],
          ],
          alarms: [0],
        },
        {
          node: other,
          life: 9,
          pass: 7,
          table: "0f0f0f0f0f0f",
          age: 20_013,
          all: [-12, 1.352, "fault", "idle"],
        },
      ],
    },
  },
  "readings-table": {
    message: {
      t: "readings-table",
      node: other,
      table: {
        id: "0f0f0f0f0f0f",
        sensors: [
          {
            id: "platform/coretemp.0/temp1",
            kind: "cpu-package",
            name: "CPU",
            unit: "celsius",
            limits: { min: -5, max: 82, crit: 100, lcrit: -10, emergency: 110.5 },
            driver: "coretemp",
            label: "Package id 0",
            spot: false,
          },
          null,
          {
            id: "nvme:S5GX/temp2",
            kind: "nvme",
            name: "Samsung SSD 980 (slot 3, nvme0) sensor 1",
            unit: "celsius",
            limits: {},
            driver: "nvme",
            label: "Sensor 1",
            spot: true,
          },
        ],
      },
    },
  },
  "readings-want": { message: { t: "readings-want", node: other, table: "a1b2c3d4e5f6" } },
  "readings-held": {
    message: {
      t: "readings-held",
      roster: { generation: 2, term: 3, opener: "m4Zx-_9A", epoch: 12 },
      held: [
        [1, 9, 4],
        [13, 0, 0],
      ],
    },
  },
};

export const SAMPLE_HELLO: {
  readonly versions: { readonly min: number; readonly max: number };
  readonly life: string;
  readonly udpPort: number;
  readonly ended: string;
} = { versions: { min: 1, max: 1 }, life: "00112233aabbccdd", udpPort: 7654, ended: "8899aabbccddeeff" };

/** An exporter with known output, so that a recorded datagram can be opened again. */
export const SAMPLE_EXPORTER = {
  exportKeyingMaterial: (length: number, label: string): Buffer => {
    const material = Buffer.alloc(length);
    for (let index = 0; index < length; index += 1)
      material[index] = (label.charCodeAt(index % label.length) + index) & 0xff;
    return material;
  },
};
