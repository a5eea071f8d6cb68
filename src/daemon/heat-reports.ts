/** From what the core knows of sensors to what the control socket says. */
import { type BlackBox, BOX_VALUES_MAX } from "../core/thermal/black-box.ts";
import { type Felt, type Point, pointsOf } from "../core/thermal/felt.ts";
import { type HeatPolicy, heatLimits } from "../core/thermal/heat-policy.ts";
import type { BlackBoxView, HostReadingsView } from "../core/view.ts";
import { between, isoTime, type WallTime } from "../kit/time.ts";
import type { HistoryChart, SampleSeries, SensorRecord } from "../ports/history.ts";
import { RECENT_SPAN, RECENT_STEPS } from "../wire/heat-limits.ts";
import type { BlackBoxReport, FeltReport, HistoryReport, HostTempsReport } from "../wire/heat-reports.ts";
import { readingReport } from "../wire/readings.ts";
import { ofHistoryId } from "./history-keeper.ts";

const isoOrNull = (wall: WallTime | undefined): string | null => (wall === undefined ? null : isoTime(wall));
/** No sensor knows more; means and trends would have all digits there are. */
const thousandths = (value: number): number => Math.round(value * 1000) / 1000;
const roundedOrNull = (value: number | undefined): number | null =>
  value === undefined ? null : thousandths(value);

export function hostTempsReport(view: HostReadingsView, box: BlackBox, policy: HeatPolicy): HostTempsReport {
  const { node, name, source = null, age, at, readings, cpu = null } = view;
  const points = pointsOf(box);
  const latest = box.at(-1);
  return {
    node,
    name,
    source,
    at: isoOrNull(at),
    ageMs: age === undefined ? null : Math.round(age),
    cpu,
    readings: readings.map((felt) => {
      const recent = latest === undefined ? [] : recentOf(points.get(felt.id) ?? [], latest.at);
      return feltReport(felt, name, policy, recent);
    }),
  };
}

function feltReport(
  { min, max, trend, ...reading }: Felt,
  host: string,
  policy: HeatPolicy,
  recent: FeltReport["recent"],
): FeltReport {
  const { warning, critical, ignore } = heatLimits(reading, host, policy);
  const isTold = reading.unit === "celsius" && !reading.spot;
  return {
    ...readingReport(reading),
    min: roundedOrNull(min),
    max: roundedOrNull(max),
    trend: roundedOrNull(trend),
    warning: isTold ? (warning ?? null) : null,
    critical: isTold ? (critical ?? null) : null,
    ignored: ignore,
    recent,
  };
}

/** Means of each step up to the latest pass; steps before the first value are left out. */
export function recentOf(points: readonly Point[], latest: Point["at"]): readonly (number | null)[] {
  const step = RECENT_SPAN / RECENT_STEPS;
  const sums = Array.from({ length: RECENT_STEPS }, () => ({ sum: 0, count: 0 }));
  for (const { at, value } of points) {
    const slot = sums[RECENT_STEPS - 1 - Math.floor(between(at, latest) / step)];
    if (slot === undefined) continue;
    slot.sum += value;
    slot.count += 1;
  }
  const first = sums.findIndex(({ count }) => count > 0);
  if (first < 0) return [];
  return sums.slice(first).map(({ sum, count }) => (count === 0 ? null : thousandths(sum / count)));
}

export const blackBoxReport = (
  { node, name, sensors, samples }: BlackBoxView,
  silentSince: WallTime | undefined,
): BlackBoxReport => ({
  schema: 1,
  node,
  name,
  source: "memory",
  silentSince: isoOrNull(silentSince),
  sensors: sensors.map(({ id, kind, name: called, unit }) => ({ id, kind, name: called, unit })),
  samples: samples.map(({ at, values }) => ({ at: isoTime(at), values })),
});

/** The same of what lies on the disk. Where there is more than a box holds, the latest of it. */
export function storedBlackBoxReport(
  who: { readonly node: string; readonly name: string; readonly silentSince: WallTime | undefined },
  records: readonly SensorRecord[],
  series: readonly SampleSeries[],
): BlackBoxReport {
  const present = series.filter(({ samples }) => samples.length > 0);
  const rows = new Map<number, (number | null)[]>();
  present.forEach(({ samples }, place) => {
    for (const { at, value } of samples) {
      const row = rows.get(at) ?? present.map(() => null);
      if (Number.isFinite(value)) row[place] = value;
      rows.set(at, row);
    }
  });
  const all = [...rows].sort(([a], [b]) => a - b);
  const most = Math.floor(BOX_VALUES_MAX / Math.max(1, present.length));
  return {
    schema: 1,
    node: who.node,
    name: who.name,
    source: "history",
    silentSince: isoOrNull(who.silentSince),
    sensors: present.map(({ sensor }) => describedSensor(sensor, records)),
    samples: all.slice(-most).map(([at, values]) => ({ at: isoTime(at as WallTime), values })),
  };
}

function describedSensor(id: string, records: readonly SensorRecord[]): BlackBoxReport["sensors"][number] {
  const { kind = "", name = "", unit = "" } = records.find(({ sensor }) => sensor === id) ?? {};
  return { id: ofHistoryId(id).sensor, kind, name, unit };
}

export function historyReport(
  who: { readonly node: string; readonly name: string },
  { sensor, kind, name, unit, first, last }: SensorRecord,
  range: { readonly from: WallTime; readonly to: WallTime },
  { step, points }: HistoryChart,
): HistoryReport {
  return {
    schema: 1,
    node: who.node,
    name: who.name,
    sensor: {
      id: ofHistoryId(sensor).sensor,
      kind,
      name,
      unit,
      first: isoTime(first),
      last: isoTime(last),
    },
    from: isoTime(range.from),
    to: isoTime(range.to),
    stepMs: step,
    points: points.map(({ at, mean, ...rest }) => ({ at: isoTime(at), ...rest, mean: thousandths(mean) })),
  };
}
