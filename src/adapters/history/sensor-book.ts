/** The sensors that history knows, and the numbers by which its file calls them. */

import { wallTime } from "../../kit/time.ts";
import type { SensorDescription, SensorRecord } from "../../ports/history.ts";
import type { SensorRow } from "./history-file.ts";
import { DESCRIPTION_CHARS_MAX, SENSOR_ID_CHARS_MAX, SENSORS_MAX } from "./limits.ts";

interface Entry {
  readonly id: string;
  /** Undefined until the file has it. */
  number: number | undefined;
  kind: string;
  name: string;
  unit: string;
  /** The earliest sample, and the one that came last. */
  first: number;
  last: number;
  recorded: number;
  /** The file knows less. */
  changed: boolean;
}

export class SensorBook {
  private readonly entries = new Map<string, Entry>();
  private names = new Map<number, string>();

  get size(): number {
    return this.entries.size;
  }

  /** False when it cannot be remembered: its id is too long, or there are too many. */
  saw(id: string, at: number, recorded: number): boolean {
    const entry = this.entries.get(id) ?? this.begin(id, at);
    if (entry === undefined) return false;
    entry.first = Math.min(entry.first, at);
    entry.last = at;
    entry.recorded = recorded;
    return true;
  }

  /** Of sensors that were seen; others have nothing to describe. */
  describe(description: SensorDescription): void {
    const entry = this.entries.get(description.sensor);
    if (entry === undefined) return;
    for (const key of ["kind", "name", "unit"] as const) {
      const text = description[key].slice(0, DESCRIPTION_CHARS_MAX);
      if (entry[key] === text) continue;
      entry[key] = text;
      entry.changed = true;
    }
  }

  numberOf(id: string): number | undefined {
    return this.entries.get(id)?.number;
  }

  idOf(number: number): string | undefined {
    return this.names.get(number);
  }

  /** What the file says; what was seen before it could be opened is kept, and came after so much had been recorded. */
  load(rows: readonly SensorRow[], recorded: number): void {
    for (const entry of this.entries.values()) entry.recorded += recorded;
    for (const row of rows) {
      const entry = this.entries.get(row.id);
      this.names.set(row.number, row.id);
      if (entry === undefined) {
        this.entries.set(row.id, { ...row, changed: false });
        continue;
      }
      entry.number = row.number;
      entry.first = Math.min(entry.first, row.first);
      for (const key of ["kind", "name", "unit"] as const) if (entry[key] === "") entry[key] = row[key];
      entry.changed = true;
    }
  }

  /** Rows that the file lacks; with `times` also those whose times have moved on. Each has a number then. */
  rows(times: boolean, touched: ReadonlySet<string>): SensorRow[] {
    const rows: SensorRow[] = [];
    for (const entry of this.entries.values()) {
      if (entry.changed || (times && touched.has(entry.id)))
        rows.push({ ...entry, number: this.numbered(entry) });
    }
    return rows;
  }

  committed(): void {
    for (const entry of this.entries.values()) entry.changed = false;
  }

  /** Sensors that were last seen before so much was recorded. */
  unseenSince(recorded: number): { readonly id: string; readonly number: number }[] {
    return [...this.entries.values()].flatMap((entry) =>
      entry.recorded < recorded && entry.number !== undefined ? [{ id: entry.id, number: entry.number }] : [],
    );
  }

  forget(id: string): void {
    const number = this.entries.get(id)?.number;
    if (number !== undefined) this.names.delete(number);
    this.entries.delete(id);
  }

  /** The file is gone, and with it all but the sensors that have samples in memory. */
  startAnew(kept: ReadonlySet<string>): void {
    this.names = new Map();
    for (const entry of this.entries.values()) {
      entry.number = undefined;
      entry.changed = true;
      if (!kept.has(entry.id)) this.entries.delete(entry.id);
    }
  }

  records(): SensorRecord[] {
    return [...this.entries.values()].map(({ id, kind, name, unit, first, last }) => ({
      sensor: id,
      kind,
      name,
      unit,
      first: wallTime(first),
      last: wallTime(last),
    }));
  }

  private begin(id: string, at: number): Entry | undefined {
    if (this.entries.size >= SENSORS_MAX || id.length > SENSOR_ID_CHARS_MAX || id === "") return undefined;
    const entry: Entry = {
      id,
      number: undefined,
      kind: "",
      name: "",
      unit: "",
      first: at,
      last: at,
      recorded: 0,
      changed: true,
    };
    this.entries.set(id, entry);
    return entry;
  }

  private numbered(entry: Entry): number {
    if (entry.number !== undefined) return entry.number;
    let number = 1;
    while (this.names.has(number)) number += 1;
    this.names.set(number, entry.id);
    entry.number = number;
    return number;
  }
}
