/** Readings as they cross a border: what a source gives is checked, what `sensors --json` prints is made here. */
import * as z from "zod";
import type { CpuTemperature } from "../core/thermal/cpu.ts";
import type { Reading, ReadingKind, ReadingLimits, Unit, Validity } from "../core/thermal/reading.ts";
import { isoTime, WALL_MAX, type WallTime } from "../kit/time.ts";

export const READING_KINDS: readonly [ReadingKind, ...ReadingKind[]] = [
  "cpu-package",
  "cpu-core",
  "cpu-die",
  "nvme",
  "ssd",
  "hdd",
  "gpu",
  "memory",
  "board",
  "ambient",
  "fan",
  "power",
  "voltage",
  "current",
  "humidity",
];
export const READING_UNITS: readonly [Unit, ...Unit[]] = [
  "celsius",
  "rpm",
  "percent",
  "watt",
  "volt",
  "ampere",
];
export const READING_VALIDITIES: readonly [Validity, ...Validity[]] = [
  "ok",
  "idle",
  "fault",
  "missing",
  "unreadable",
  "stuck",
  "implausible",
  "unexpected",
];

/** Places can be long: a PCI device behind several bridges has 15 characters for each. */
export const READING_ID_MAX: number = 240;
export const READING_TEXT_MAX: number = 100;

const text: z.ZodType<string> = z.string().max(READING_TEXT_MAX);
const limit = z.number().optional();
const limits: z.ZodType<ReadingLimits> = z.strictObject({
  min: limit,
  max: limit,
  crit: limit,
  lcrit: limit,
  emergency: limit,
}) as unknown as z.ZodType<ReadingLimits>;

export const readingSchema: z.ZodType<Reading> = z.strictObject({
  id: z.string().min(1).max(READING_ID_MAX),
  kind: z.enum(READING_KINDS),
  name: text,
  unit: z.enum(READING_UNITS),
  value: z.number().nullable(),
  validity: z.enum(READING_VALIDITIES),
  limits,
  alarm: z.boolean(),
  at: z.number().min(0).max(WALL_MAX).nullable() as unknown as z.ZodType<WallTime | null>,
  driver: text,
  label: text,
  spot: z.boolean(),
});

export interface ReadingReport extends Omit<Reading, "at"> {
  /** RFC 3339; null without a value. */
  readonly at: string | null;
}

/** Something a source said that nobody understood; the first of its kind is kept. */
export interface UnexpectedReport {
  readonly source: string;
  readonly what: string;
  readonly sample: string;
  readonly count: number;
}

/** What `balefire sensors --json` prints. */
export interface SensorsReport {
  readonly schema: 1;
  readonly at: string;
  /** Best source of a CPU temperature, and its hottest; null when nothing tells. */
  readonly cpu: CpuTemperature | null;
  readonly readings: readonly ReadingReport[];
  readonly unexpected: readonly UnexpectedReport[];
  /** Sensors beyond the limits, which are not read. */
  readonly left: number;
  /** Drivers that do not answer. */
  readonly stuck: number;
}

export const readingReport = (reading: Reading): ReadingReport => ({
  ...reading,
  at: reading.at === null ? null : isoTime(reading.at),
});
