import { expect, test } from "vitest";
import { HOUR_MS } from "./hour.ts";
import { HOUR_SAMPLES_MAX, OPEN_HOURS_MAX, OPEN_SAMPLES_MAX } from "./limits.ts";
import { OpenHours } from "./open-hours.ts";

/** So many samples of one hour, spread over sensors that none of them has too many. */
function fill(open: OpenHours, hour: number, count: number, recorded: number): void {
  for (let number = 0; number < count; number += 1) {
    const sensor = `s${Math.floor(number / HOUR_SAMPLES_MAX)}`;
    open.add(sensor, hour * HOUR_MS + (number % HOUR_SAMPLES_MAX), number, recorded);
  }
}

test("a sensor has ten samples a second at most; what is more is dropped and counted", () => {
  const open = new OpenHours();
  for (let number = 0; number <= HOUR_SAMPLES_MAX; number += 1) open.add("t", number, number, 0);
  expect(open.dropped).toBe(1);
  expect(open.samples(0, "t")?.times).toHaveLength(HOUR_SAMPLES_MAX);
});

test("when more wait than memory is there for, the oldest hour goes, and the current one is cut", () => {
  const open = new OpenHours();
  fill(open, 1, OPEN_SAMPLES_MAX / 2, 1);
  fill(open, 2, OPEN_SAMPLES_MAX / 2, 2);
  expect(open.dropped).toBe(0);
  fill(open, 3, OPEN_SAMPLES_MAX, 3);
  expect(open.dropped).toBe(OPEN_SAMPLES_MAX);
  expect(open.all().map(({ hour }) => hour)).toEqual([3]);
  open.add("t", 3 * HOUR_MS, 1, 3);
  expect(open.dropped).toBe(OPEN_SAMPLES_MAX + 1);
  expect(open.unwritten).toBe(OPEN_SAMPLES_MAX);
});

test("hours are closed when nothing came for a while, and when a clock that jumps has opened too many", () => {
  const open = new OpenHours();
  const hoursOf = (since: number): number[] => open.toClose(since).map(({ hour }) => hour);
  for (let hour = 0; hour < OPEN_HOURS_MAX; hour += 1) open.add("t", hour * HOUR_MS, 1, hour + 1);
  expect(hoursOf(0)).toEqual([]);
  expect(hoursOf(2)).toEqual([1, 0]);
  open.add("t", 400_000 * HOUR_MS, 1, 100);
  expect(hoursOf(0)).toEqual([0]);
});

test("what the file's tail holds came before what is in memory", () => {
  const open = new OpenHours();
  open.add("t", 5000, 2, 1);
  open.restore(0, "t", { times: [5000, 6000], values: [1, 3] }, 1);
  expect(open.samples(0, "t")).toEqual({ times: [5000, 6000], values: [2, 3] });
  const [hour] = open.all();
  if (hour === undefined) throw new Error("there is no open hour");
  expect([...open.pending(hour)]).toEqual([["t", { times: [5000], values: [2] }]]);
  expect(open.unwritten).toBe(1);
  open.committed([]);
  expect([...open.pending(hour)]).toEqual([]);
  open.nothingWritten();
  expect(open.unwritten).toBe(3);
});
