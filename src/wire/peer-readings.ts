/** Sensors and their passes as peers send them. Names are shown to people, numbers are compared with limits. */
import * as z from "zod";
import type { PassNews, ReadingsHeld, ReadingsNews, ReadingsTable, ReadingsWant } from "../core/messages.ts";
import type { Change, PassValue } from "../core/thermal/pass.ts";
import type { ReadingLimits, Validity } from "../core/thermal/reading.ts";
import type { Sensor, SensorTable } from "../core/thermal/sensor-table.ts";
import { WALL_MAX } from "../kit/time.ts";
import { id, incarnation, limitedCount, rosterRank, span } from "./peer-fields.ts";
import { oneLine } from "./peer-records.ts";
import {
  READING_ID_MAX,
  READING_KINDS,
  READING_TEXT_MAX,
  READING_UNITS,
  READING_VALIDITIES,
} from "./readings.ts";

/** Sensors of one host. */
export const TABLE_SENSORS_MAX: number = 512;
export const PASSES_MAX: number = 32;
/** Nodes asked about at once. */
export const HELD_MAX: number = 1024;
/** Beyond any sensor, and far from where a sum of them is no number. */
const VALUE_MAX = 1e9;
const TABLE_ID_MAX = 64;

const value = z.number().min(-VALUE_MAX).max(VALUE_MAX);
const NO_VALUE = READING_VALIDITIES.filter((word): word is Exclude<Validity, "ok"> => word !== "ok");
const seconds = z
  .number()
  .int()
  .min(0)
  .max(Math.floor(WALL_MAX / 1000));

/** What a newer release says of a sensor in words of its own is, here, no value. */
const passValue = z
  .union([value, z.tuple([value, seconds]), z.enum(NO_VALUE)])
  .catch("missing") as unknown as z.ZodType<PassValue>;

const place = z
  .number()
  .int()
  .min(0)
  .max(TABLE_SENSORS_MAX - 1);
const change = z.tuple([place, passValue]) as unknown as z.ZodType<Change>;
const tableId = z.string().min(1).max(TABLE_ID_MAX);

const passNews: z.ZodType<PassNews> = z.object({
  node: id.exactOptional(),
  life: incarnation,
  pass: limitedCount,
  table: tableId,
  age: span.exactOptional(),
  all: z.array(passValue).max(TABLE_SENSORS_MAX).exactOptional(),
  since: limitedCount.exactOptional(),
  changed: z.array(change).max(TABLE_SENSORS_MAX).exactOptional(),
  alarms: z.array(place).max(TABLE_SENSORS_MAX).exactOptional(),
});

export const readingsNews: z.ZodType<ReadingsNews> = z.object({
  t: z.literal("readings"),
  passes: z.array(passNews).max(PASSES_MAX),
});

const text = z.string().max(READING_TEXT_MAX).transform(oneLine);
const limit = value.exactOptional().catch(undefined as never);
const limits = z
  .object({ min: limit, max: limit, crit: limit, lcrit: limit, emergency: limit })
  .transform(
    (all): ReadingLimits =>
      Object.fromEntries(Object.entries(all).filter(([, each]) => each !== undefined)) as ReadingLimits,
  );

const sensor: z.ZodType<Sensor> = z.object({
  id: z.string().min(1).max(READING_ID_MAX).transform(oneLine),
  kind: z.enum(READING_KINDS),
  name: text,
  unit: z.enum(READING_UNITS),
  limits,
  driver: text,
  label: text,
  spot: z.boolean(),
});

/** A sensor of a kind or in a unit that this release does not know keeps its place, and no more. */
const sensorTable: z.ZodType<SensorTable> = z.object({
  id: tableId,
  sensors: z.array(sensor.nullable().catch(null)).max(TABLE_SENSORS_MAX),
});

export const readingsTable: z.ZodType<ReadingsTable> = z.object({
  t: z.literal("readings-table"),
  node: id,
  table: sensorTable,
});

export const readingsWant: z.ZodType<ReadingsWant> = z.object({
  t: z.literal("readings-want"),
  node: id,
  table: tableId.exactOptional(),
});

export const readingsHeld: z.ZodType<ReadingsHeld> = z.object({
  t: z.literal("readings-held"),
  roster: rosterRank,
  held: z.array(z.tuple([limitedCount, incarnation, limitedCount])).max(HELD_MAX),
});
