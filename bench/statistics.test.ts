import { expect, test } from "vitest";
import { largest, mean, percentile } from "./statistics.ts";

test("percentiles are values that were measured, by nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([50, 90, 99, 100].map((share) => percentile(hundred, share))).toEqual([50, 90, 99, 100]);
  expect(percentile([15, 20, 35, 40, 50], 40)).toBe(20);
});

test("with 20 values the 99th percentile is the largest", () => {
  expect(percentile([...Array(19).fill(1), 7], 99)).toBe(7);
});

test("nothing measured is not a number, so that no target is met by it", () => {
  expect([percentile([], 50), mean([]), largest([])]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect(percentile([], 50) <= 800).toBe(false);
});
