/** A host's sensors, described once; each pass then says values only, by their places in the table. */
import { hashParts } from "../../kit/hash.ts";
import { WATCHED_MAX } from "./heat.ts";
import type { Reading, ReadingLimits } from "./reading.ts";

/** What of a reading does not change from pass to pass. */
export type Sensor = Omit<Reading, "value" | "validity" | "alarm" | "at">;

export interface SensorTable {
  /** Of the host's making; another one whenever anything in the table differs. */
  readonly id: string;
  /** Null: a sensor of a newer release, which this one does not understand. `SENSORS_MAX` at most. */
  readonly sensors: readonly (Sensor | null)[];
}

/** Sensors of one host that travel; more would be a driver gone wrong. */
export const SENSORS_MAX: number = WATCHED_MAX;
/** Hex digits of a table's id: enough that two tables of one host never share one. */
const TABLE_ID_DIGITS = 12;

/** The table of these readings: the held one as long as it fits, so that nothing is sent anew. */
export function tableOf(readings: readonly Reading[], held: SensorTable | undefined): SensorTable {
  const described = readings.slice(0, SENSORS_MAX);
  if (held !== undefined && fits(held, described)) return held;
  const sensors = described.map(sensorOf);
  const parts = sensors.map((sensor) => JSON.stringify(sensor));
  return { id: hashParts("balefire-sensors-1", ...parts).slice(0, TABLE_ID_DIGITS), sensors };
}

const sensorOf = ({ id, kind, name, unit, limits, driver, label, spot }: Reading): Sensor => ({
  id,
  kind,
  name,
  unit,
  limits,
  driver,
  label,
  spot,
});

const fits = ({ sensors }: SensorTable, readings: readonly Reading[]): boolean =>
  sensors.length === readings.length &&
  sensors.every((sensor, index) => {
    const reading = readings[index];
    return sensor !== null && reading !== undefined && isSame(sensor, reading);
  });

const isSame = (a: Sensor, b: Sensor): boolean =>
  a.id === b.id &&
  a.kind === b.kind &&
  a.name === b.name &&
  a.unit === b.unit &&
  a.driver === b.driver &&
  a.label === b.label &&
  a.spot === b.spot &&
  (a.limits === b.limits || sameLimits(a.limits, b.limits));

const sameLimits = (a: ReadingLimits, b: ReadingLimits): boolean =>
  a.min === b.min &&
  a.max === b.max &&
  a.crit === b.crit &&
  a.lcrit === b.lcrit &&
  a.emergency === b.emergency;
