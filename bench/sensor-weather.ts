/**
 * Forty sensors of one host as they would be read: temperatures wander at their chips' resolution with
 * the load, fans and voltages jitter, sensors fall silent for a while, and timers are a little late.
 */
import { type Random, randomBelow, seededRandom } from "../src/kit/random.ts";
import { wallTime } from "../src/kit/time.ts";
import type { Sample, SampleBatch } from "../src/ports/history.ts";

export const SENSORS = 40;
export const PERIOD_MS = 10_000;
/** Of a timer of a host that has other things to do. */
const LATE_MS = 4;
/** A sensor falls silent once in so many readings, for up to so many. */
const SILENT_ONCE_IN = 5000;
const SILENT_FOR = 360;

interface Gauge {
  readonly sensor: string;
  /** The next value, undefined when it is not read. */
  readonly next: (load: number) => number | undefined;
}

export function* sensorWeather(seed: number, start: number, batches: number): Generator<SampleBatch> {
  const random = seededRandom(seed);
  const gauges = allGauges(random);
  let load = 0.3;
  for (let number = 0; number < batches; number += 1) {
    if (randomBelow(random, 60) === 0) load = random.next();
    const samples = gauges.flatMap(({ sensor, next }): Sample[] => {
      const value = next(load);
      return value === undefined ? [] : [{ sensor, value }];
    });
    yield { at: wallTime(start + number * PERIOD_MS + randomBelow(random, LATE_MS)), samples };
  }
}

function allGauges(random: Random): readonly Gauge[] {
  const kinds: readonly (readonly [number, string, (random: Random) => Gauge["next"]])[] = [
    [16, "core", (r) => temperature(r, 45, 35, 1)],
    [2, "package", (r) => temperature(r, 50, 35, 1)],
    [1, "tctl", (r) => temperature(r, 50, 40, 0.125)],
    [5, "nvme", (r) => temperature(r, 38.85, 8, 1)],
    [4, "board", (r) => temperature(r, 34, 5, 0.5)],
    [4, "fan", (r) => jitter(r, 900, 600, 12, 1)],
    [7, "voltage", (r) => jitter(r, 1.2, 0.02, 0.008, 0.008)],
    [1, "power", (r) => jitter(r, 35, 60, 1.5, 0.001)],
  ];
  const gauges = kinds.flatMap(([count, kind, make]) =>
    Array.from({ length: count }, (_, number): Gauge => {
      const next = make(random);
      return { sensor: `bench/${kind}/${number}`, next: withSilences(random, next) };
    }),
  );
  if (gauges.length !== SENSORS) throw new Error(`${gauges.length} sensors instead of ${SENSORS}`);
  return gauges;
}

const rounded = (value: number, resolution: number, offset = 0): number =>
  Math.round((Math.round((value - offset) / resolution) * resolution + offset) * 1000) / 1000;

/** Follows the load slowly, with a noise of its own. */
function temperature(random: Random, idle: number, rise: number, resolution: number): Gauge["next"] {
  let value = idle;
  return (load) => {
    value += (idle + rise * load - value) * 0.05 + (random.next() - 0.5) * 0.8;
    return rounded(value, resolution, idle % 1);
  };
}

/** About its mark, which follows the load. */
const jitter =
  (random: Random, idle: number, rise: number, noise: number, resolution: number): Gauge["next"] =>
  (load) =>
    rounded(idle + rise * load + (random.next() + random.next() - 1) * noise, resolution);

function withSilences(random: Random, next: Gauge["next"]): Gauge["next"] {
  let silent = 0;
  return (load) => {
    const value = next(load);
    if (silent === 0 && randomBelow(random, SILENT_ONCE_IN) === 0) silent = randomBelow(random, SILENT_FOR);
    if (silent === 0) return value;
    silent -= 1;
    return undefined;
  };
}
