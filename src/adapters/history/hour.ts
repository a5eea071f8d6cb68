/**
 * One sensor's hour in all three tiers, and what it becomes when samples are added. Samples count anew
 * for every minute they touch, and minutes for every quarter: adding the same twice changes nothing, so
 * that nothing counts twice. Where the finer tier is gone already, what comes later takes its place.
 */
import { type Aggregate, aggregated, coarser, type Placed, replaced } from "./aggregates.ts";
import { HOUR_SAMPLES_MAX } from "./limits.ts";
import { joined, type Samples } from "./samples.ts";

export const HOUR_MS: number = 3_600_000;
export const MINUTE_MS: number = 60_000;
export const QUARTER_MS: number = 900_000;
export const HOURS_A_DAY: number = 24;
export const QUARTERS_AN_HOUR: number = 4;
export const MINUTES_AN_HOUR: number = 60;
const MINUTES_A_QUARTER = 15;

/** From the coarsest that will do to the finest, a question is answered. */
export type Tier = "raw" | "minute" | "quarter";

export interface SensorHour {
  readonly samples: Samples;
  /** Places from 0 to 59. */
  readonly minutes: readonly Placed[];
  /** Places from 0 to 3. */
  readonly quarters: readonly Placed[];
}

export function withSamples(hour: SensorHour, added: Samples): SensorHour {
  const samples = newest(joined(hour.samples, added));
  const minutes = replaced(hour.minutes, aggregated(samples, MINUTE_MS));
  return { samples, minutes, quarters: replaced(hour.quarters, coarser(minutes, MINUTES_A_QUARTER)) };
}

const newest = ({ times, values }: Samples): Samples => ({
  times: times.slice(-HOUR_SAMPLES_MAX),
  values: values.slice(-HOUR_SAMPLES_MAX),
});

/** An aggregate and when it began, in milliseconds since 1970. */
export interface Bucket extends Aggregate {
  readonly at: number;
}

/** The hour at the given tier, or at the next coarser one of which there is something. */
export function bucketsOf(hour: number, content: SensorHour, tier: Tier): Bucket[] {
  const start = hour * HOUR_MS;
  if (tier === "raw" && content.samples.times.length > 0) return samplesAsBuckets(start, content.samples);
  if (tier !== "quarter" && content.minutes.length > 0) return placed(start, content.minutes, MINUTE_MS);
  return placed(start, content.quarters, QUARTER_MS);
}

export const placed = (start: number, row: readonly Placed[], length: number): Bucket[] =>
  row.map((one) => ({ ...one, at: start + one.place * length }));

function samplesAsBuckets(start: number, { times, values }: Samples): Bucket[] {
  return times.flatMap((time, index) => {
    const value = values[index] ?? Number.NaN;
    return Number.isNaN(value) ? [] : [{ at: start + time, count: 1, min: value, max: value, excess: 0 }];
  });
}
