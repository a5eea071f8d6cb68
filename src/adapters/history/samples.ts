/** Samples of one sensor within one hour, and their chunk. */
import { Reader, Writer } from "./bytes.ts";
import { readColumn, writeColumn } from "./column.ts";
import { HOUR_SAMPLES_MAX, PARTS_OF_UNIT, VALUE_MAX } from "./limits.ts";

export interface Samples {
  /** Milliseconds since the hour began. */
  readonly times: readonly number[];
  /** In thousandths of the unit, whole; NaN where there was no value. */
  readonly values: readonly number[];
}

export const NO_SAMPLES: Samples = { times: [], values: [] };

/** As kept: thousandths, or NaN for what no sensor says. */
export const scaled = (value: number): number =>
  Math.abs(value) <= VALUE_MAX ? Math.round(value * PARTS_OF_UNIT) + 0 : Number.NaN;
export const unscaled = (value: number): number => value / PARTS_OF_UNIT;

/** In order of time, each time once: the last of several wins. */
export function inOrder({ times, values }: Samples): Samples {
  if (times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))) return { times, values };
  const last = new Map<number, number>();
  for (const [index, time] of times.entries()) last.set(time, values[index] ?? Number.NaN);
  const sorted = [...last].sort(([a], [b]) => a - b);
  return { times: sorted.map(([time]) => time), values: sorted.map(([, value]) => value) };
}

/** The later ones win where both have a time. */
export const joined = (earlier: Samples, later: Samples): Samples =>
  inOrder({ times: [...earlier.times, ...later.times], values: [...earlier.values, ...later.values] });

/**
 * The chunk of samples that are `inOrder`:
 *
 *   count  unsigned
 *   times  column
 *   gaps   unsigned how many; for each, unsigned how many values lie before it since the last, and
 *          unsigned how many samples in a row are without a value
 *   values column, of those that have one
 */
export function writeSamples(out: Writer, { times, values }: Samples): void {
  out.unsigned(times.length);
  writeColumn(out, times);
  const gaps = gapsOf(values);
  out.unsigned(gaps.length);
  for (const { before, length } of gaps) {
    out.unsigned(before);
    out.unsigned(length);
  }
  writeColumn(
    out,
    values.filter((value) => !Number.isNaN(value)),
  );
}

interface Gap {
  readonly before: number;
  readonly length: number;
}

function gapsOf(values: readonly number[]): Gap[] {
  const gaps: Gap[] = [];
  let before = 0;
  let length = 0;
  for (const value of values) {
    if (Number.isNaN(value)) {
      length += 1;
      continue;
    }
    if (length > 0) {
      gaps.push({ before, length });
      before = 0;
      length = 0;
    }
    before += 1;
  }
  if (length > 0) gaps.push({ before, length });
  return gaps;
}

/** Undefined when the bytes are no such chunk. */
export function readSamples(from: Reader): Samples | undefined {
  const count = from.unsigned();
  if (count > HOUR_SAMPLES_MAX) return undefined;
  const times = readColumn(from, count);
  const gaps = readGaps(from, count);
  if (gaps === undefined) return undefined;
  const missing = gaps.reduce((sum, { length }) => sum + length, 0);
  const present = readColumn(from, count - missing);
  if (from.malformed) return undefined;
  return { times, values: withGaps(present, gaps) };
}

function readGaps(from: Reader, count: number): Gap[] | undefined {
  const gaps: Gap[] = [];
  let left = count;
  for (let rest = from.unsigned(); rest > 0; rest -= 1) {
    const gap = { before: from.unsigned(), length: from.unsigned() };
    left -= gap.before + gap.length;
    if (from.malformed || gap.length === 0 || left < 0) return undefined;
    gaps.push(gap);
  }
  return gaps;
}

function withGaps(present: readonly number[], gaps: readonly Gap[]): number[] {
  const values: number[] = [];
  let taken = 0;
  for (const { before, length } of gaps) {
    for (const end = taken + before; taken < end; taken += 1) values.push(present[taken] ?? Number.NaN);
    for (let missing = 0; missing < length; missing += 1) values.push(Number.NaN);
  }
  for (; taken < present.length; taken += 1) values.push(present[taken] ?? Number.NaN);
  return values;
}

export function encodeSamples(samples: Samples): Uint8Array {
  const out = new Writer();
  writeSamples(out, samples);
  return out.done();
}

export function decodeSamples(bytes: Uint8Array): Samples | undefined {
  const from = new Reader(bytes);
  const samples = readSamples(from);
  return from.atEnd ? samples : undefined;
}
