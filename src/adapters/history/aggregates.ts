/** What a sensor measured in each of a row of equal times, and the chunk of such a row. */
import { CELL_MAX, Reader, Writer } from "./bytes.ts";
import { readColumn, writeColumn } from "./column.ts";
import type { Samples } from "./samples.ts";

export interface Aggregate {
  /** Samples with a value; at least one. */
  readonly count: number;
  /** In thousandths of the unit, whole. */
  readonly min: number;
  readonly max: number;
  /** The sum of what each sample lies above `min`: the mean without its rounding, and a small number. */
  readonly excess: number;
}

export interface Placed extends Aggregate {
  /** Which of the equal times, from 0. */
  readonly place: number;
}

export const meanOf = ({ min, max, excess, count }: Aggregate): number => Math.min(max, min + excess / count);

export function merged(a: Aggregate, b: Aggregate): Aggregate {
  const min = Math.min(a.min, b.min);
  const above = (one: Aggregate): number => one.excess + (one.min - min) * one.count;
  return {
    count: a.count + b.count,
    min,
    max: Math.max(a.max, b.max),
    excess: Math.min(CELL_MAX, above(a) + above(b)),
  };
}

/** Of samples in order; times without a value have no aggregate. */
export function aggregated({ times, values }: Samples, length: number): Placed[] {
  const row: Placed[] = [];
  for (const [index, time] of times.entries()) {
    const value = values[index] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    addTo(row, { place: Math.floor(time / length), count: 1, min: value, max: value, excess: 0 });
  }
  return row;
}

/** Joins `ratio` neighbours into one. */
export function coarser(row: readonly Placed[], ratio: number): Placed[] {
  const result: Placed[] = [];
  for (const one of row) addTo(result, { ...one, place: Math.floor(one.place / ratio) });
  return result;
}

function addTo(row: Placed[], one: Placed): void {
  const last = row.at(-1);
  if (last?.place !== one.place) row.push(one);
  else row[row.length - 1] = { ...merged(last, one), place: one.place };
}

/** What is in `later` takes the place of what was there: repeated, it changes nothing. */
export function replaced(earlier: readonly Placed[], later: readonly Placed[]): Placed[] {
  if (earlier.length === 0) return [...later];
  const row = new Map(earlier.map((one) => [one.place, one]));
  for (const one of later) row.set(one.place, one);
  return [...row.values()].sort((a, b) => a.place - b.place);
}

/**
 * The chunk of a row in order: unsigned how many, then columns of place, count, min, max − min, excess.
 * A row has at most `placesMax` places.
 */
export function encodeAggregates(row: readonly Placed[]): Uint8Array {
  const out = new Writer();
  out.unsigned(row.length);
  writeColumn(
    out,
    row.map(({ place }) => place),
  );
  writeColumn(
    out,
    row.map(({ count }) => count),
  );
  writeColumn(
    out,
    row.map(({ min }) => min),
  );
  writeColumn(
    out,
    row.map(({ min, max }) => max - min),
  );
  writeColumn(
    out,
    row.map(({ excess }) => excess),
  );
  return out.done();
}

/** Undefined when the bytes are no such chunk. */
export function decodeAggregates(bytes: Uint8Array, placesMax: number): Placed[] | undefined {
  const from = new Reader(bytes);
  const length = from.unsigned();
  if (length > placesMax) return undefined;
  const [places, counts, mins, spreads, excesses] = Array.from({ length: 5 }, () => readColumn(from, length));
  if (from.malformed || !from.atEnd) return undefined;
  return Array.from({ length }, (_, index) => {
    const min = mins?.[index] ?? 0;
    return {
      place: places?.[index] ?? 0,
      count: counts?.[index] ?? 0,
      min,
      max: min + (spreads?.[index] ?? 0),
      excess: excesses?.[index] ?? 0,
    };
  });
}
