import { describe, expect, it } from "vitest";
import type { Reading } from "../../core/thermal/reading.ts";
import type { MeshView, NodeView } from "../../core/view.ts";
import { minutes, seconds, wallTime } from "../../kit/time.ts";
import { exposition } from "./exposition.ts";
import type { MetricsFacts } from "./facts.ts";
import { allMetrics } from "./metrics.ts";
import { READINGS_SHOWN_FOR } from "./readings-metrics.ts";

const WALL = wallTime(1_800_000_000_000);
const node = (name: string, more: Partial<NodeView> = {}): NodeView => ({
  id: `id-${name}`,
  name,
  addresses: [],
  verdict: "alive",
  since: WALL,
  incarnation: 3,
  path: "datagram",
  certificateFlagged: false,
  lastHeard: WALL,
  beatsPerSecond: 5,
  rosterBehind: false,
  sometimes: false,
  ...more,
});
const VIEW: MeshView = {
  mesh: "m",
  at: WALL,
  clock: { off: false },
  self: "id-a",
  selfName: "a",
  keymaster: "id-b",
  generation: 1,
  term: 2,
  opener: "opener-a",
  epoch: 7,
  nodes: [node("a", { path: "self" }), node("b")],
  isolated: false,
  openIncidents: 0,
  channels: [],
  heartbeats: [],
  silences: [],
};
const FACTS: MetricsFacts = {
  version: "1.2.3",
  wall: WALL,
  view: VIEW,
  health: "unproven",
  certificateExpires: wallTime(1_900_000_000_000),
  beats: [{ node: "b", received: 41, sent: 42 }],
  incidents: [{ kind: "down", severity: "critical", open: 0 }],
  hosts: [],
  tallies: {
    verdicts: [],
    deliveries: [],
    pings: [],
    inputsDropped: 0,
    lag: { buckets: [], sum: 0, count: 0 },
  },
  transport: {
    sessions: 1,
    datagramsSent: 2,
    datagramsReceived: 3,
    datagramBytesSent: 4,
    datagramBytesReceived: 5,
    streamBytesSent: 6,
    streamBytesReceived: 7,
    refused: { "certificate-invalid": 8 },
  },
  cost: { cpuSeconds: 1.5, residentBytes: 99, startedAt: WALL },
  requests: [{ path: "/health", code: 200, count: 9 }],
};
/** The series of these names, as they are shown. */
const shown = (facts: Partial<MetricsFacts>, ...names: string[]): string[] =>
  exposition(allMetrics({ ...FACTS, ...facts }), "text")
    .split("\n")
    .filter((line) => names.includes(/^[a-z_]+/.exec(line)?.[0] ?? ""));
const viewWith = (more: Partial<MeshView>): Partial<MetricsFacts> => ({ view: { ...VIEW, ...more } });

describe("a node", () => {
  const upOf = (more: Partial<NodeView>): string[] =>
    shown(viewWith({ nodes: [node("b", more)] }), "balefire_node_up");
  const never = (): Partial<NodeView> => {
    const { lastHeard, ...rest } = node("b");
    return { ...rest, lastHeard: undefined } as unknown as Partial<NodeView>;
  };

  it.each(["alive", "link-problem", "suspect"] as const)(
    "that is %s is up: nobody has concluded otherwise",
    (verdict) => {
      expect(upOf({ verdict })).toEqual(['balefire_node_up{node="b"} 1']);
    },
  );

  it.each(["host-down", "unreachable", "daemon-down", "missing", "planned"] as const)(
    "that is %s is not",
    (verdict) => {
      expect(upOf({ verdict })).toEqual(['balefire_node_up{node="b"} 0']);
    },
  );

  it("that is unknown, or doubted and never heard, is neither", () => {
    expect(upOf({ verdict: "unknown" })).toEqual([]);
    expect(upOf({ ...never(), verdict: "suspect" })).toEqual([]);
  });

  it("has one verdict of nine", () => {
    const series = shown(viewWith({ nodes: [node("b", { verdict: "missing" })] }), "balefire_node_verdict");
    expect(series).toHaveLength(9);
    expect(series.filter((line) => line.endsWith(" 1"))).toEqual([
      'balefire_node_verdict{node="b",verdict="missing"} 1',
    ]);
  });

  it("has times and lengths in seconds, and no series for what is not known", () => {
    const known = node("b", { rtt: 1.25 as never, clockOffset: -2000 as never, certificateExpires: WALL });
    const names = [
      "balefire_node_round_trip_seconds",
      "balefire_node_clock_offset_seconds",
      "balefire_node_certificate_expiry_timestamp_seconds",
    ];
    expect(shown(viewWith({ nodes: [known] }), ...names)).toEqual([
      'balefire_node_round_trip_seconds{node="b"} 0.00125',
      'balefire_node_clock_offset_seconds{node="b"} -2',
      'balefire_node_certificate_expiry_timestamp_seconds{node="b"} 1800000000',
    ]);
    expect(shown(viewWith({ nodes: [node("b")] }), ...names)).toEqual([]);
  });

  it("that is this one shows its own certificate", () => {
    expect(shown({}, "balefire_node_certificate_expiry_timestamp_seconds")).toEqual([
      'balefire_node_certificate_expiry_timestamp_seconds{node="a"} 1900000000',
    ]);
  });
});

describe("whether people are told", () => {
  it("shows the last delivery of each channel, by whomever, and whether it is proven", () => {
    const at = (ago: number) => wallTime(WALL - ago);
    const deliveries = [
      { node: "a", at: at(1000), outcome: "failed", detail: "no" },
      { node: "b", at: at(5000), outcome: "delivered", detail: "ok" },
      { node: "c", at: at(9000), outcome: "delivered", detail: "ok" },
    ] as const;
    const channels = [
      { name: "phone", type: "ntfy", deliveries, proven: true },
      { name: "mail", type: "smtp", deliveries: [], proven: false },
    ];
    expect(
      shown(
        viewWith({ channels }),
        "balefire_channel_proven",
        "balefire_channel_last_delivery_timestamp_seconds",
      ),
    ).toEqual([
      'balefire_channel_proven{channel="phone",type="ntfy"} 1',
      'balefire_channel_proven{channel="mail",type="smtp"} 0',
      'balefire_channel_last_delivery_timestamp_seconds{channel="phone"} 1799999995',
    ]);
  });

  it("shows heartbeats, mutes and quiet hours", () => {
    const mute = { at: WALL, by: "anna", why: "disk" };
    const view = viewWith({
      heartbeats: [
        { name: "outside", every: seconds(60), silent: true, last: { node: "b", at: WALL, detail: "" } },
      ],
      nodes: [node("a"), node("b", { maintenance: mute })],
      silences: [{ id: "s", matcher: {}, ...mute }],
      quietUntil: WALL,
    });
    const names = [
      "heartbeat_silent",
      "heartbeat_period_seconds",
      "heartbeat_last_ping_timestamp_seconds",
      "silences",
      "maintenances",
      "quiet",
      "node_maintenance",
    ];
    expect(shown(view, ...names.map((name) => `balefire_${name}`))).toEqual([
      'balefire_node_maintenance{node="a"} 0',
      'balefire_node_maintenance{node="b"} 1',
      'balefire_heartbeat_silent{heartbeat="outside"} 1',
      'balefire_heartbeat_period_seconds{heartbeat="outside"} 60',
      'balefire_heartbeat_last_ping_timestamp_seconds{heartbeat="outside"} 1800000000',
      "balefire_silences 1",
      "balefire_maintenances 1",
      "balefire_quiet 1",
    ]);
  });
});

describe("readings", () => {
  const reading = (id: string, more: Partial<Reading>): Reading => ({
    id,
    kind: "board",
    name: id.toUpperCase(),
    unit: "celsius",
    value: 40,
    validity: "ok",
    limits: {},
    alarm: false,
    at: WALL,
    driver: "d",
    label: "l",
    spot: false,
    ...more,
  });
  const readings = [
    reading("t", { value: 41.5, limits: { max: 80, crit: 100 } }),
    reading("gone", { value: null, validity: "missing" }),
    reading("disk", { kind: "hdd", value: 31, validity: "idle" }),
    reading("f", { kind: "fan", unit: "rpm", value: 0, alarm: true }),
    reading("g", { kind: "fan", unit: "percent", value: 35 }),
    reading("h", { kind: "humidity", unit: "percent", value: 40 }),
    reading("w", { kind: "power", unit: "watt", value: 12.5 }),
    reading("v", { kind: "voltage", unit: "volt", value: 1.35 }),
    reading("c", { kind: "current", unit: "ampere", value: 2 }),
  ];
  const hosts = [{ node: "b", at: WALL, readings }];
  const of = (id: string, kind: string): string =>
    `{node="b",sensor="${id}",kind="${kind}",name="${id.toUpperCase()}"}`;

  it("are in base units, and missing where nothing was read", () => {
    const names = [
      "temperature_celsius",
      "fan_rpm",
      "fan_ratio",
      "power_watts",
      "voltage_volts",
      "current_amperes",
      "humidity_ratio",
    ];
    expect(shown({ hosts }, ...names.map((name) => `balefire_${name}`))).toEqual([
      `balefire_temperature_celsius${of("t", "board")} 41.5`,
      `balefire_temperature_celsius${of("disk", "hdd")} 31`,
      `balefire_fan_rpm${of("f", "fan")} 0`,
      `balefire_fan_ratio${of("g", "fan")} 0.35`,
      `balefire_power_watts${of("w", "power")} 12.5`,
      `balefire_voltage_volts${of("v", "voltage")} 1.35`,
      `balefire_current_amperes${of("c", "current")} 2`,
      `balefire_humidity_ratio${of("h", "humidity")} 0.4`,
    ]);
  });

  it("come with their limits, with whether they can be believed, and with the driver's alarm", () => {
    const series = shown(
      { hosts },
      "balefire_temperature_limit_celsius",
      "balefire_sensor_validity",
      "balefire_sensor_alarm",
    );
    const withLabel = (id: string, kind: string, label: string): string =>
      `${of(id, kind).slice(0, -1)},${label}}`;
    expect(series).toContain(
      `balefire_temperature_limit_celsius${withLabel("t", "board", 'limit="max"')} 80`,
    );
    expect(series).toContain(
      `balefire_temperature_limit_celsius${withLabel("t", "board", 'limit="crit"')} 100`,
    );
    expect(series).toContain(`balefire_sensor_validity${withLabel("gone", "board", 'validity="missing"')} 1`);
    expect(series).toContain(`balefire_sensor_validity${withLabel("disk", "hdd", 'validity="idle"')} 1`);
    expect(series).toContain(`balefire_sensor_alarm${of("f", "fan")} 1`);
    expect(series.filter((line) => line.includes("sensor_validity"))).toHaveLength(readings.length);
  });

  it("of a host that is silent end, instead of staying as they were; when they were taken is still told", () => {
    const old = wallTime(WALL - READINGS_SHOWN_FOR - 1);
    const names = [
      "balefire_temperature_celsius",
      "balefire_readings_timestamp_seconds",
      "balefire_sensor_validity",
    ];
    expect(shown({ hosts: [{ node: "b", at: old, readings }] }, ...names)).toEqual([
      'balefire_readings_timestamp_seconds{node="b"} 1799999699.999',
    ]);
    expect(READINGS_SHOWN_FOR).toBe(minutes(5));
  });

  it("that a peer has twice under one id are shown once", () => {
    const twice = [
      { node: "b", at: WALL, readings: [reading("t", { value: 1 }), reading("t", { value: 2 })] },
    ];
    expect(shown({ hosts: twice }, "balefire_temperature_celsius")).toEqual([
      `balefire_temperature_celsius${of("t", "board")} 1`,
    ]);
  });
});
