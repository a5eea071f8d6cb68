/** From the tiers and the open hours to the points of a chart. */

import { ok, type Result } from "../../kit/result.ts";
import { days, hours, minutes, ms, seconds, WALL_MAX, wallTime } from "../../kit/time.ts";
import type {
  HistoryChart,
  HistoryPoint,
  HistoryQuery,
  SampleQuery,
  SampleSeries,
} from "../../ports/history.ts";
import { meanOf, merged } from "./aggregates.ts";
import { limitReached, usage } from "./failures.ts";
import { dayOf } from "./history-file.ts";
import {
  type Bucket,
  bucketsOf,
  HOUR_MS,
  HOURS_A_DAY,
  MINUTE_MS,
  placed,
  QUARTER_MS,
  type Tier,
} from "./hour.ts";
import { ANSWER_SAMPLES_MAX, CHART_POINTS_MAX, POINTS_MAX, SENSORS_MAX, STEP_MIN } from "./limits.ts";
import type { OpenHours } from "./open-hours.ts";
import { joined, NO_SAMPLES, unscaled } from "./samples.ts";
import type { SensorBook } from "./sensor-book.ts";
import type { Shelf } from "./shelf.ts";

const USUAL_STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map(seconds),
  ...[1, 2, 5, 10, 15, 30].map(minutes),
  ...[1, 2, 3, 6, 12].map(hours),
  ...[1, 2, 5, 10].map(days),
];

const DAY_MS = HOUR_MS * HOURS_A_DAY;

/** What a question is answered from. */
export interface Sources {
  readonly shelf: Shelf;
  readonly open: OpenHours;
  readonly book: SensorBook;
}

export function chartOf(sources: Sources, query: HistoryQuery): Result<HistoryChart> {
  const { from, to } = query;
  const wrong = wrongRange(from, to);
  if (wrong !== undefined) return usage(wrong);
  const step = query.step ?? usualStep(from, to);
  if (!(step >= STEP_MIN)) return usage(`a step of ${step} ms is shorter than ${STEP_MIN} ms`);
  if (pointsIn(from, to, step) > POINTS_MAX) {
    return limitReached(`that makes more than ${POINTS_MAX} points; ask for a longer step or a shorter time`);
  }
  const first = Math.floor(from / step) * step;
  const end = Math.ceil(to / step) * step;
  const points: HistoryPoint[] = [];
  let current: Bucket | undefined;
  for (const bucket of bucketsIn(sources, query.sensor, first, end, tierFor(step))) {
    const at = Math.floor(bucket.at / step) * step;
    if (current !== undefined && current.at !== at) points.push(pointOf(current));
    current = { ...(current?.at === at ? merged(current, bucket) : bucket), at };
  }
  if (current !== undefined) points.push(pointOf(current));
  return ok({ step: ms(step), points });
}

export function samplesOf(sources: Sources, query: SampleQuery): Result<readonly SampleSeries[]> {
  const wrong = wrongRange(query.from, query.to);
  if (wrong !== undefined) return usage(wrong);
  if (query.sensors.length > SENSORS_MAX) return limitReached(`more than ${SENSORS_MAX} sensors`);
  const all: SampleSeries[] = [];
  let total = 0;
  for (const sensor of query.sensors) {
    const samples = [...samplesIn(sources, sensor, query.from, query.to)];
    total += samples.length;
    if (total > ANSWER_SAMPLES_MAX) {
      return limitReached(`more than ${ANSWER_SAMPLES_MAX} samples; ask for less time or fewer sensors`);
    }
    all.push({ sensor, samples });
  }
  return ok(all);
}

function wrongRange(from: number, to: number): string | undefined {
  if (!(Math.abs(from) <= WALL_MAX && Math.abs(to) <= WALL_MAX)) return "a time that cannot be expressed";
  return from < to ? undefined : "the end is not after the beginning";
}

const pointsIn = (from: number, to: number, step: number): number =>
  Math.ceil(to / step) - Math.floor(from / step);

function usualStep(from: number, to: number): number {
  const usual = USUAL_STEPS.find((step) => pointsIn(from, to, step) <= CHART_POINTS_MAX);
  return usual ?? Math.ceil((to - from) / (CHART_POINTS_MAX - 1) / days(1)) * days(1);
}

/** The coarsest whose buckets lie within the steps. */
function tierFor(step: number): Tier {
  if (step % QUARTER_MS === 0) return "quarter";
  return step % MINUTE_MS === 0 ? "minute" : "raw";
}

const pointOf = (bucket: Bucket): HistoryPoint => ({
  at: wallTime(bucket.at),
  min: unscaled(bucket.min),
  mean: unscaled(meanOf(bucket)),
  max: unscaled(bucket.max),
  count: bucket.count,
});

/** In order of time. */
function* bucketsIn(
  { shelf, open, book }: Sources,
  sensor: string,
  from: number,
  to: number,
  tier: Tier,
): Generator<Bucket> {
  const number = book.numberOf(sensor);
  const openHours = open.hoursOf(sensor);
  const firstHour = Math.floor(from / HOUR_MS);
  const lastHour = Math.ceil(to / HOUR_MS) - 1;
  const stored = number === undefined ? [] : shelf.file.slots("quarter", dayOf(firstHour), dayOf(lastHour));
  for (const day of inOrderOnce([...stored, ...openHours.map(dayOf)])) {
    const quarters = number === undefined ? [] : shelf.day(day, number);
    if (tier === "quarter" && !openHours.some((hour) => dayOf(hour) === day)) {
      yield* within(placed(day * DAY_MS, quarters, QUARTER_MS), from, to);
      continue;
    }
    for (let hour = day * HOURS_A_DAY; hour < (day + 1) * HOURS_A_DAY; hour += 1) {
      if (hour < firstHour || hour > lastHour) continue;
      const added = openHours.includes(hour) ? open.samples(hour, sensor) : undefined;
      const content =
        added === undefined
          ? shelf.hour(hour, number ?? 0, tier, quarters)
          : shelf.joined(hour, number ?? 0, added, quarters);
      yield* within(bucketsOf(hour, content, tier), from, to);
    }
  }
}

const within = (buckets: readonly Bucket[], from: number, to: number): Bucket[] =>
  buckets.filter(({ at }) => at >= from && at < to);

function* samplesIn(
  { shelf, open, book }: Sources,
  sensor: string,
  from: number,
  to: number,
): Generator<SampleSeries["samples"][number]> {
  const number = book.numberOf(sensor);
  const openHours = open.hoursOf(sensor);
  const firstHour = Math.floor(from / HOUR_MS);
  const lastHour = Math.ceil(to / HOUR_MS) - 1;
  const stored = number === undefined ? [] : shelf.file.slots("raw", firstHour, lastHour);
  for (const hour of inOrderOnce([...stored, ...openHours])) {
    const kept = number === undefined ? NO_SAMPLES : shelf.samples(hour, number);
    const { times, values } = joined(kept, open.samples(hour, sensor) ?? NO_SAMPLES);
    for (const [index, time] of times.entries()) {
      const at = hour * HOUR_MS + time;
      if (at >= from && at < to) yield { at: wallTime(at), value: unscaled(values[index] ?? Number.NaN) };
    }
  }
}

const inOrderOnce = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);
