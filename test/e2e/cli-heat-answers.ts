/** What the daemon of the command line's tests says about sensors. */
import type { BlackBoxReport, FeltReport, HistoryReport, TempsReport } from "../../src/wire/heat-reports.ts";
import type { RpcHandlers } from "../../src/wire/rpc.ts";

const at = new Date(Date.UTC(2026, 2, 1, 2, 13, 0)).toISOString();

export const felt = (name: string, value: number | null, more: Partial<FeltReport> = {}): FeltReport => ({
  id: `platform/test.0/${name}`,
  kind: "cpu-package",
  name,
  unit: "celsius",
  value,
  validity: "ok",
  limits: {},
  alarm: false,
  at,
  driver: "coretemp",
  label: name,
  spot: false,
  min: 40,
  max: 60,
  trend: 1.2,
  warning: 85,
  critical: 95,
  ignored: false,
  recent: [40, 45, null, 60],
  ...more,
});

export const temps: TempsReport = {
  schema: 1,
  recentMs: 20_000,
  next: null,
  hosts: [
    {
      node: "00000000-0000-4000-8000-000000000001",
      name: "a",
      source: "self",
      at,
      ageMs: 2000,
      cpu: { celsius: 60, id: "platform/test.0/CPU", driver: "coretemp", standIn: false },
      readings: [
        felt("CPU", 60),
        felt("hot disk", 96, { kind: "nvme", warning: 70, critical: 80, trend: null }),
        felt("sleeping disk", 31, { kind: "hdd", validity: "idle", recent: [] }),
        felt("gone", null, { kind: "board", validity: "missing", min: null, max: null, trend: null }),
        felt("12 V", 12.1, { kind: "voltage", unit: "volt", warning: null, critical: null }),
        felt("fan1", 0, { kind: "fan", unit: "rpm", warning: null, critical: null }),
      ],
    },
    {
      node: "00000000-0000-4000-8000-000000000002",
      name: "b",
      source: null,
      at: null,
      ageMs: null,
      cpu: null,
      readings: [],
    },
  ],
};

export const blackBox: BlackBoxReport = {
  schema: 1,
  node: "00000000-0000-4000-8000-000000000002",
  name: "b",
  source: "memory",
  silentSince: new Date(Date.parse(at) + 23_000).toISOString(),
  sensors: [
    { id: "platform/test.0/temp1", kind: "cpu-package", name: 'CPU, the "hot" one', unit: "celsius" },
    { id: "platform/test.0/fan1", kind: "fan", name: "fan1", unit: "rpm" },
  ],
  samples: [
    { at, values: [61.5, 1200] },
    { at: new Date(Date.parse(at) + 10_000).toISOString(), values: [99, null] },
  ],
};

export const historyOf = (sensor: string): HistoryReport => ({
  schema: 1,
  node: "00000000-0000-4000-8000-000000000001",
  name: "a",
  sensor: {
    id: "platform/test.0/temp1",
    kind: "cpu-package",
    name: sensor,
    unit: "celsius",
    first: at,
    last: at,
  },
  from: at,
  to: new Date(Date.parse(at) + 120_000).toISOString(),
  stepMs: 60_000,
  points: [
    { at, min: 40, mean: 41.5, max: 43, count: 6 },
    { at: new Date(Date.parse(at) + 60_000).toISOString(), min: 44, mean: 50, max: 61, count: 6 },
  ],
});

export const heatHandlers: Pick<RpcHandlers, "temps" | "blackbox" | "history"> = {
  temps: async () => temps,
  blackbox: async () => blackBox,
  history: async ({ sensor }) => historyOf(sensor),
};
