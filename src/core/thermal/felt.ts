/** What a host felt: how its sensors moved over the last minutes, and which of them matter most. */
import { between, type Duration, type Instant, minutes, seconds } from "../../kit/time.ts";
import type { BlackBox, Taken } from "./black-box.ts";
import { classOf, type HeatPolicy, heatLimits } from "./heat-policy.ts";
import { presentValue, readingsOf } from "./pass.ts";
import type { Reading } from "./reading.ts";
import type { SensorTable } from "./sensor-table.ts";

export interface Point {
  readonly at: Instant;
  readonly value: number;
}

/** Every sensor's values in the order of time; what was not read, or is of an idle disk, has no point. */
export function pointsOf(box: BlackBox): ReadonlyMap<string, readonly Point[]> {
  const points = new Map<string, Point[]>();
  for (const { table, values, at } of box) {
    table.sensors.forEach((sensor, place) => {
      const value = presentValue(values[place]);
      if (sensor === null || value === undefined) return;
      const own = points.get(sensor.id);
      if (own === undefined) points.set(sensor.id, [{ at, value }]);
      else own.push({ at, value });
    });
  }
  return points;
}

/** A trend is drawn through the values of the last minutes, */
const TREND_SPAN: Duration = minutes(3);
/** of which there must be some, over a while. */
const TREND_POINTS_LEAST = 3;
const TREND_SPAN_LEAST: Duration = seconds(20);

/** Units a minute, by least squares; undefined where too little is known. */
export function trendOf(points: readonly Point[]): number | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  const recent = points.filter(({ at }) => between(at, last.at) <= TREND_SPAN);
  const first = recent[0];
  if (first === undefined || recent.length < TREND_POINTS_LEAST) return undefined;
  if (between(first.at, last.at) < TREND_SPAN_LEAST) return undefined;
  const meanAt = mean(recent.map(({ at }) => between(first.at, at)));
  const meanValue = mean(recent.map(({ value }) => value));
  let covariance = 0;
  let variance = 0;
  for (const { at, value } of recent) {
    const offset = between(first.at, at) - meanAt;
    covariance += offset * (value - meanValue);
    variance += offset * offset;
  }
  return variance === 0 ? undefined : (covariance / variance) * minutes(1);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);

/** A reading with what the last ten minutes say of it, in its own unit. */
export interface Felt extends Reading {
  /** Absent where no value is known. */
  readonly min?: number;
  readonly max?: number;
  /** A minute; positive = rising. */
  readonly trend?: number;
}

/** The latest pass's readings. */
export function feltOf(box: BlackBox): Felt[] {
  const latest = box.at(-1);
  if (latest === undefined) return [];
  const points = pointsOf(box);
  return readingsOf(latest, latest.wall).map((reading) => {
    const own = points.get(reading.id) ?? [];
    if (own.length === 0) return reading;
    const values = own.map(({ value }) => value);
    const trend = reading.value === null ? undefined : trendOf(own);
    return {
      ...reading,
      min: values.reduce((least, value) => Math.min(least, value)),
      max: values.reduce((most, value) => Math.max(most, value)),
      ...(trend === undefined ? {} : { trend }),
    };
  });
}

/** Without a limit of its own, this counts as far too hot. */
const HOT = 100;

/**
 * Temperatures, those first that are nearest to their critical limit or furthest beyond: of the CPU's
 * the foremost only, of the rest each. Without spots, and what people want ignored.
 */
export function hottest(felt: readonly Felt[], host: string, policy: HeatPolicy): Felt[] {
  const room = (reading: Felt): number =>
    (heatLimits(reading, host, policy).critical ?? HOT) - (reading.value ?? Number.NEGATIVE_INFINITY);
  const hot = felt
    .filter(
      (reading) =>
        reading.unit === "celsius" &&
        reading.value !== null &&
        !reading.spot &&
        !heatLimits(reading, host, policy).ignore,
    )
    .map((reading) => ({ reading, room: room(reading) }))
    .sort((a, b) => a.room - b.room || rank(a.reading) - rank(b.reading))
    .map(({ reading }) => reading);
  const cpu = hot.find((reading) => classOf(reading) === "cpu");
  return hot.filter((reading) => reading === cpu || classOf(reading) !== "cpu");
}

/** Of one heat, the whole processor goes before its cores. */
const rank = ({ kind }: Reading): number => (kind === "cpu-package" ? 0 : kind === "cpu-die" ? 1 : 2);

/** Fans that turned within the last ten minutes and stand still, and the speeds of those that turn. */
export function fansOf(felt: readonly Felt[]): {
  readonly still: readonly Felt[];
  readonly turning: readonly Felt[];
} {
  const fans = felt.filter(({ kind, validity }) => kind === "fan" && validity === "ok");
  return {
    still: fans.filter(({ value, max = 0 }) => value === 0 && max > 0),
    turning: fans.filter(({ value }) => value !== null && value > 0),
  };
}

export interface PastCritical {
  readonly name: string;
  /** The limit it was past, in degrees Celsius. */
  readonly critical: number;
}

/** Sensors that were at or past their critical limit within so long before the latest pass. */
export function pastCritical(
  box: BlackBox,
  within: Duration,
  host: string,
  policy: HeatPolicy,
): PastCritical[] {
  const latest = box.at(-1);
  if (latest === undefined) return [];
  const found = new Map<string, PastCritical>();
  const limits = new Map<SensorTable, ReturnType<typeof criticalsOf>>();
  for (const pass of box) {
    if (between(pass.at, latest.at) > within) continue;
    const criticals = limits.get(pass.table) ?? criticalsOf(pass, host, policy);
    limits.set(pass.table, criticals);
    for (const { id, name, place, critical } of criticals)
      if ((presentValue(pass.values[place]) ?? Number.NEGATIVE_INFINITY) >= critical)
        found.set(id, { name, critical });
  }
  return [...found.values()];
}

function criticalsOf(
  { table }: Taken,
  host: string,
  policy: HeatPolicy,
): readonly {
  readonly id: string;
  readonly name: string;
  readonly place: number;
  readonly critical: number;
}[] {
  return table.sensors.flatMap((sensor, place) => {
    if (sensor === null || sensor.unit !== "celsius" || sensor.spot) return [];
    const { critical, ignore } = heatLimits(sensor, host, policy);
    return critical === undefined || ignore ? [] : [{ id: sensor.id, name: sensor.name, place, critical }];
  });
}
