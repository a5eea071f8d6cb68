import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomBelow, seededRandom } from "../../kit/random.ts";
import { aggregated, coarser, decodeAggregates, encodeAggregates, meanOf, merged } from "./aggregates.ts";
import { CELL_MAX, Reader, Writer } from "./bytes.ts";
import { readColumn, writeColumn } from "./column.ts";
import { HOUR_MS, MINUTE_MS } from "./hour.ts";
import { HOUR_SAMPLES_MAX, VALUE_MAX } from "./limits.ts";
import { decodeSamples, encodeSamples, inOrder, joined, type Samples, scaled, unscaled } from "./samples.ts";
import { sealed, unsealed } from "./seal.ts";
import { decodeTail, encodeTail } from "./tail.ts";

const cell = fc.oneof(
  fc.integer({ min: -100, max: 100 }),
  fc.maxSafeInteger().map((value) => value % CELL_MAX),
  fc.constantFrom(0, CELL_MAX, -CELL_MAX, 45_125),
);
const time = fc.integer({ min: 0, max: HOUR_MS - 1 });
const value = fc.oneof(
  fc.double(),
  fc.integer({ min: -200, max: 200 }).map((eighths) => eighths / 8),
  fc.constantFrom(Number.NaN, 0, -0, Number.POSITIVE_INFINITY, VALUE_MAX, -VALUE_MAX, VALUE_MAX * 1.001),
);
const samples = fc
  .array(fc.tuple(time, value), { maxLength: 400 })
  .map((pairs): Samples => ({ times: pairs.map(([at]) => at), values: pairs.map(([, one]) => scaled(one)) }));

describe("the chunks", () => {
  it("give back every column of whole numbers, up to the largest", () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 200 }), (cells) => {
        const out = new Writer();
        writeColumn(out, cells);
        const from = new Reader(out.done());
        expect(readColumn(from, cells.length)).toEqual(cells);
        expect([from.malformed, from.atEnd]).toEqual([false, true]);
      }),
    );
  });

  it("give back all samples: any numbers, gaps, any order of time", () => {
    fc.assert(
      fc.property(samples, (given) => {
        const ordered = inOrder(given);
        expect(decodeSamples(encodeSamples(ordered))).toEqual(ordered);
      }),
    );
  });

  it("keep a value to a thousandth, and what no sensor says as no value", () => {
    fc.assert(
      fc.property(value, (given) => {
        const kept = unscaled(scaled(given));
        if (Math.abs(given) <= VALUE_MAX) expect(Math.abs(kept - given)).toBeLessThanOrEqual(0.000_501);
        else expect(kept).toBeNaN();
        expect(scaled(kept)).toBe(scaled(given));
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (thousandths) => {
        expect(unscaled(scaled(thousandths / 1000))).toBe(thousandths / 1000);
      }),
    );
  });

  it("give back a tail of many sensors", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(65_535), samples), { maxLength: 5 }), (pieces) => {
        const tail = pieces.map(([sensor, one]) => ({ sensor, samples: inOrder(one) }));
        expect(decodeTail(encodeTail(tail))).toEqual(tail);
      }),
    );
  });

  it("give back what the minutes and quarters were, and the same mean whichever way they are joined", () => {
    fc.assert(
      fc.property(samples, (given) => {
        const ordered = inOrder(given);
        const minutes = aggregated(ordered, MINUTE_MS);
        expect(decodeAggregates(encodeAggregates(minutes), 60)).toEqual(minutes);
        const present = ordered.values.filter((one) => !Number.isNaN(one));
        const [whole] = coarser(minutes, 60);
        expect(whole?.count ?? 0).toBe(present.length);
        if (whole === undefined) return;
        expect(whole.min).toBe(Math.min(...present));
        expect(whole.max).toBe(Math.max(...present));
        const mean = present.reduce((sum, one) => sum + one / present.length, 0);
        expect(Math.abs(meanOf(whole) - mean)).toBeLessThanOrEqual(1 + (whole.max - whole.min) * 1e-9);
      }),
    );
  });

  it("never throw on any bytes, nor grow without bound", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeSamples(bytes)?.times.length ?? 0).toBeLessThanOrEqual(HOUR_SAMPLES_MAX);
        expect(decodeAggregates(bytes, 96)?.length ?? 0).toBeLessThanOrEqual(96);
        decodeTail(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it("are not believed when a bit has flipped, or in another's place", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(), (bytes, at) => {
        const chunk = sealed("raw/1", bytes);
        expect(unsealed("raw/1", chunk)).toEqual(Buffer.from(bytes));
        expect(unsealed("raw/2", chunk)).toBeUndefined();
        const bit = at % (chunk.length * 8);
        chunk[bit >> 3] = (chunk[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(unsealed("raw/1", chunk)).toBeUndefined();
      }),
    );
    for (const nonsense of [undefined, null, 7, "text", new Uint8Array(3)]) {
      expect(unsealed("raw/1", nonsense)).toBeUndefined();
    }
  });
});

describe("samples of one hour", () => {
  it("are put in order, and of several at one time the last wins", () => {
    const earlier = { times: [20, 10, 20], values: [1, 2, 3] };
    expect(inOrder(earlier)).toEqual({ times: [10, 20], values: [2, 3] });
    expect(joined(earlier, { times: [15, 10], values: [4, 5] })).toEqual({
      times: [10, 15, 20],
      values: [5, 4, 3],
    });
  });

  it("cost little: an hour every ten seconds, as chips and fans measure", () => {
    const random = seededRandom(360);
    const bytesASample = (next: (before: number) => number): number => {
      let last = 40;
      const values = Array.from({ length: 360 }, () => {
        last = next(last);
        return scaled(last);
      });
      const times = values.map((_, index) => index * 10_000 + randomBelow(random, 4));
      return encodeSamples({ times, values }).length / 360;
    };
    const wander = (resolution: number) => (before: number) =>
      before + (randomBelow(random, 3) - 1) * resolution;
    expect(bytesASample(wander(1))).toBeLessThan(0.8);
    expect(bytesASample(wander(0.125))).toBeLessThan(0.8);
    expect(bytesASample(() => 1200 + randomBelow(random, 31))).toBeLessThan(1.4);
    expect(bytesASample(() => 40)).toBeLessThan(0.5);
    expect(bytesASample(() => Number.NaN)).toBeLessThan(0.5);
  });

  it("have a mean between their least and largest", () => {
    const one = { count: 2, min: -5, max: 3, excess: 8 };
    expect(meanOf(one)).toBe(-1);
    expect(merged(one, { count: 1, min: -20, max: -20, excess: 0 })).toEqual({
      count: 3,
      min: -20,
      max: 3,
      excess: 38,
    });
  });
});
