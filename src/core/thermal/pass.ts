/** One pass over a host's sensors as it travels: values in the order of the table, or those that changed. */
import type { WallTime } from "../../kit/time.ts";
import type { Incarnation } from "../types.ts";
import type { Reading, Validity } from "./reading.ts";
import { SENSORS_MAX, type SensorTable } from "./sensor-table.ts";

/**
 * A number: the value, to a thousandth of its unit. A pair: that of a disk left asleep, and when it was
 * read, in whole seconds since 1970. A word: there is no value, and why.
 */
export type PassValue = number | readonly [value: number, readAt: number] | Exclude<Validity, "ok">;

/** Which pass of a host it is: the life it was made in, and its number in that process. */
export interface PassRank {
  readonly life: Incarnation;
  readonly pass: number;
}

export interface Pass extends PassRank {
  readonly table: SensorTable;
  readonly values: readonly PassValue[];
  /** Places of the sensors one of whose alarm bits stands. */
  readonly alarms: readonly number[];
}

export type Change = readonly [place: number, value: PassValue];

export const isLater = (a: PassRank, b: PassRank): boolean =>
  a.life > b.life || (a.life === b.life && a.pass > b.pass);

export const passOf = (readings: readonly Reading[], table: SensorTable, rank: PassRank): Pass => {
  const sent = readings.slice(0, SENSORS_MAX);
  return {
    ...rank,
    table,
    values: sent.map(passValue),
    alarms: sent.flatMap(({ alarm }, place) => (alarm ? [place] : [])),
  };
};

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function passValue({ value, validity, at }: Reading): PassValue {
  if (validity === "ok") return value === null ? "missing" : rounded(value);
  if (validity !== "idle" || value === null) return validity;
  return [rounded(value), Math.floor((at ?? 0) / 1000)];
}

/** What to send to whoever holds `from`; undefined where it is not of the same table. */
export function changesBetween(from: Pass, to: Pass): Change[] | undefined {
  if (from.table.id !== to.table.id || from.values.length !== to.values.length) return undefined;
  return to.values.flatMap((value, place): Change[] => {
    const before = from.values[place];
    return before !== undefined && isSameValue(before, value) ? [] : [[place, value]];
  });
}

const isSameValue = (a: PassValue, b: PassValue): boolean =>
  a === b || (Array.isArray(a) && Array.isArray(b) && a[0] === b[0] && a[1] === b[1]);

/** Undefined where a change is of a place that the table does not have. */
export function withChanges(
  values: readonly PassValue[],
  changes: readonly Change[],
): readonly PassValue[] | undefined {
  const changed = [...values];
  for (const [place, value] of changes) {
    if (place >= changed.length) return undefined;
    changed[place] = value;
  }
  return changed;
}

/** The value where it can be believed now; an idle disk's last one is not of now. */
export const presentValue = (value: PassValue | undefined): number | undefined =>
  typeof value === "number" ? value : undefined;

/** A pass as readings again; `wall`: when it was made. Sensors this release does not understand are left out. */
export function readingsOf({ table, values, alarms }: Pass, wall: WallTime): Reading[] {
  const alarmed = new Set(alarms);
  return table.sensors.flatMap((sensor, place): Reading[] => {
    const value = values[place];
    if (sensor === null || value === undefined) return [];
    return [{ ...sensor, ...told(value, wall), alarm: alarmed.has(place) }];
  });
}

function told(value: PassValue, wall: WallTime): Pick<Reading, "value" | "validity" | "at"> {
  if (typeof value === "number") return { value, validity: "ok", at: wall };
  if (typeof value === "string") return { value: null, validity: value, at: null };
  return { value: value[0], validity: "idle", at: (value[1] * 1000) as WallTime };
}
