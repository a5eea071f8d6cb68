/** What the hosts' sensors show, each in its base unit. Of a large mesh that is tens of thousands of series: made as they are read. */
import type { Reading, ReadingLimits, Unit } from "../../core/thermal/reading.ts";
import { type Duration, minutes, type WallTime } from "../../kit/time.ts";
import type { Family } from "./exposition.ts";
import type { HostReadings } from "./facts.ts";
import { family, flag, inSeconds, lazily, type Row } from "./family.ts";

/**
 * A host whose sensors were read longer ago than this shows no values: the line of a dead host ends
 * instead of staying level. As long as Prometheus itself believes the last sample of a target.
 */
export const READINGS_SHOWN_FOR: Duration = minutes(5);

type SensorMetric =
  | "balefire_temperature_celsius"
  | "balefire_fan_rpm"
  | "balefire_fan_ratio"
  | "balefire_power_watts"
  | "balefire_voltage_volts"
  | "balefire_current_amperes"
  | "balefire_humidity_ratio";

const PERCENT = 100;

interface Scale {
  readonly unit: Unit;
  readonly metric: SensorMetric;
  /** How many of the reading's units make one of the metric's. */
  readonly per: number;
  /** Where one unit measures two things. */
  readonly fits?: (reading: Reading) => boolean;
}

const SCALES: readonly Scale[] = [
  { unit: "celsius", metric: "balefire_temperature_celsius", per: 1 },
  { unit: "rpm", metric: "balefire_fan_rpm", per: 1 },
  { unit: "percent", metric: "balefire_fan_ratio", per: PERCENT, fits: ({ kind }) => kind === "fan" },
  { unit: "watt", metric: "balefire_power_watts", per: 1 },
  { unit: "volt", metric: "balefire_voltage_volts", per: 1 },
  { unit: "ampere", metric: "balefire_current_amperes", per: 1 },
  {
    unit: "percent",
    metric: "balefire_humidity_ratio",
    per: PERCENT,
    fits: ({ kind }) => kind === "humidity",
  },
];

interface Labelled {
  readonly labels: Readonly<Record<"node" | "sensor" | "kind" | "name", string>>;
  readonly reading: Reading;
}

export function readingsMetrics(hosts: readonly HostReadings[], wall: WallTime): Family[] {
  const sensors = hosts
    .filter(({ at }) => wall - at <= READINGS_SHOWN_FOR)
    .flatMap(({ node, readings }) =>
      readings.map((reading): Labelled => {
        const { id, kind, name } = reading;
        return { labels: { node, sensor: id, kind, name }, reading };
      }),
    );
  return [
    family(
      "balefire_readings_timestamp_seconds",
      hosts.map(({ node, at }) => [{ node }, inSeconds(at)]),
    ),
    ...SCALES.map((scale) => valuesOn(scale, sensors)),
    family(
      "balefire_temperature_limit_celsius",
      lazily(() => sensors.values().flatMap(temperatureLimits)),
    ),
    family(
      "balefire_sensor_validity",
      lazily(() =>
        sensors
          .values()
          .map(({ labels, reading }) => [{ ...labels, validity: reading.validity }, 1] as const),
      ),
    ),
    family(
      "balefire_sensor_alarm",
      lazily(() => sensors.values().map(({ labels, reading }) => [labels, flag(reading.alarm)] as const)),
    ),
  ];
}

const valuesOn = ({ unit, metric, per, fits = () => true }: Scale, sensors: readonly Labelled[]): Family =>
  family(
    metric,
    lazily(function* () {
      for (const { labels, reading } of sensors)
        if (reading.unit === unit && reading.value !== null && fits(reading))
          yield [labels, reading.value / per] as const;
    }),
  );

const LIMITS: readonly (keyof ReadingLimits)[] = ["min", "max", "crit", "lcrit", "emergency"];

const temperatureLimits = ({ labels, reading }: Labelled): Row<"limit" | keyof Labelled["labels"]>[] =>
  reading.unit === "celsius" ? LIMITS.map((limit) => [{ ...labels, limit }, reading.limits[limit]]) : [];
