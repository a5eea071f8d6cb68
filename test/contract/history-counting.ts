/** What the victim of a kill records, so that what it left can be told from what it should have. */
import { wallTime } from "../../src/kit/time.ts";
import type { SampleBatch } from "../../src/ports/history.ts";

export const COUNTING_START: number = Date.UTC(2026, 0, 5);
export const COUNTING_STEP_MS = 10_000;
export const COUNTING_SENSORS: readonly string[] = Array.from(
  { length: 8 },
  (_, number) => `chip/temp${number}`,
);

/** In eighths, and never the same for long. */
export const countingValue = (number: number, sensor: number): number =>
  30 + (((number * 7919 + sensor * 104_729) % 331) - 160) / 8;

export const countingTime = (number: number): number => COUNTING_START + number * COUNTING_STEP_MS;

export const countingBatch = (number: number): SampleBatch => ({
  at: wallTime(countingTime(number)),
  samples: COUNTING_SENSORS.map((sensor, index) => ({ sensor, value: countingValue(number, index) })),
});
