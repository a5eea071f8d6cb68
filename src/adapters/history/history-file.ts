/** The history's file and its tables; `docs/history.md` describes the format. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { BUSY_MS, DamagedFile, inTransaction, makePrivate, PAGE_BYTES } from "../sqlite/database.ts";
import { HOURS_A_DAY, type Tier } from "./hour.ts";
import { sealed, unsealed } from "./seal.ts";

/** In the file's `user_version`; a file of a later one is set aside. */
const FORMAT = 1;
/** "Bale" in the file's header, for file(1). */
const APPLICATION_ID = 0x42616c65;
/** A chunk's key is its hour (of quarters: its day) times this, plus the sensor's number: an hour lies together. */
const NUMBERS: number = 65_536;

export const TIERS: readonly Tier[] = ["raw", "minute", "quarter"];

const SCHEMA: string = `
  CREATE TABLE IF NOT EXISTS sensor (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, recorded INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS raw (key INTEGER PRIMARY KEY, chunk BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS minute (key INTEGER PRIMARY KEY, chunk BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS quarter (key INTEGER PRIMARY KEY, chunk BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS span (
    tier TEXT NOT NULL, slot INTEGER NOT NULL, recorded INTEGER NOT NULL, PRIMARY KEY (tier, slot)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tail (
    sequence INTEGER PRIMARY KEY, hour INTEGER NOT NULL, recorded INTEGER NOT NULL, chunk BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS recorded (only INTEGER PRIMARY KEY CHECK (only = 0), length INTEGER NOT NULL);
`;

export interface SensorRow {
  readonly number: number;
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly unit: string;
  readonly first: number;
  readonly last: number;
  /** How much had been recorded when it was last seen. */
  readonly recorded: number;
}

export interface TailRow {
  readonly hour: number;
  readonly recorded: number;
  /** Undefined when it is damaged. */
  readonly bytes: Uint8Array | undefined;
}

/** Throws what SQLite throws; the caller tells damage from trouble by `isDamage`. */
export class HistoryFile {
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(path: string, bytesMax: number) {
    makePrivate(path);
    this.database = new DatabaseSync(path, { timeout: BUSY_MS });
    try {
      this.prepare(bytesMax);
    } catch (error) {
      this.database.close();
      throw error;
    }
  }

  private prepare(bytesMax: number): void {
    // NORMAL: a kill loses nothing that was committed, a power cut the last seconds; neither damages
    // the file, and the disk is spared a flush a minute. The small log keeps the file's neighbour small.
    this.database.exec(`
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA max_page_count = ${Math.floor(bytesMax / PAGE_BYTES)};
      PRAGMA wal_autocheckpoint = 256;
      PRAGMA journal_size_limit = 1048576;
      PRAGMA cache_size = -256;
      PRAGMA trusted_schema = OFF;
    `);
    const [check] = this.database.prepare("PRAGMA quick_check(1)").all();
    if (check?.quick_check !== "ok") throw new DamagedFile(String(check?.quick_check));
    const format = this.pragma("user_version");
    if (format > FORMAT) throw new DamagedFile(`written by a later release, in format ${format}`);
    if (format === FORMAT) return;
    inTransaction(this.database, () => {
      this.database.exec(SCHEMA);
      this.database.exec(`PRAGMA user_version = ${FORMAT}; PRAGMA application_id = ${APPLICATION_ID};`);
    });
  }

  transaction(write: () => void): void {
    inTransaction(this.database, write);
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }

  /** Bytes that hold something; free pages of the file do not count. */
  bytesUsed(): number {
    return (this.pragma("page_count") - this.pragma("freelist_count")) * PAGE_BYTES;
  }

  bytesOfFile(): number {
    return this.pragma("page_count") * PAGE_BYTES;
  }

  /** Gives free pages back to the disk; outside of a transaction. */
  shrink(): void {
    this.database.exec("PRAGMA incremental_vacuum");
  }

  /** Undefined when there is none; `damaged` when there is one that cannot be read. */
  chunk(tier: Tier, slot: number, number: number): Uint8Array | "damaged" | undefined {
    const key = slot * NUMBERS + number;
    const row = this.sql(`SELECT chunk FROM ${tier} WHERE key = ?`).get(key);
    if (row === undefined) return undefined;
    return unsealed(`${tier}/${key}`, row.chunk) ?? "damaged";
  }

  putChunk(tier: Tier, slot: number, number: number, bytes: Uint8Array): void {
    const key = slot * NUMBERS + number;
    this.sql(`INSERT OR REPLACE INTO ${tier} (key, chunk) VALUES (?, ?)`).run(
      key,
      sealed(`${tier}/${key}`, bytes),
    );
  }

  putSpan(tier: Tier, slot: number, recorded: number): void {
    this.sql("INSERT OR REPLACE INTO span (tier, slot, recorded) VALUES (?, ?, ?)").run(tier, slot, recorded);
  }

  /** In order, both ends included. */
  slots(tier: Tier, from: number, to: number): number[] {
    const rows = this.sql("SELECT slot FROM span WHERE tier = ? AND slot BETWEEN ? AND ? ORDER BY slot").all(
      tier,
      from,
      to,
    );
    return rows.map(({ slot }) => Number(slot));
  }

  /** The slot that was recorded first of all in its tier; a wrong clock does not change that order. */
  oldest(tier: Tier): { readonly slot: number; readonly recorded: number } | undefined {
    const row = this.sql(
      "SELECT slot, recorded FROM span WHERE tier = ? ORDER BY recorded, slot LIMIT 1",
    ).get(tier);
    return row === undefined ? undefined : { slot: Number(row.slot), recorded: Number(row.recorded) };
  }

  dropSlot(tier: Tier, slot: number): void {
    this.sql(`DELETE FROM ${tier} WHERE key >= ? AND key < ?`).run(slot * NUMBERS, (slot + 1) * NUMBERS);
    this.sql("DELETE FROM span WHERE tier = ? AND slot = ?").run(tier, slot);
  }

  tail(): TailRow[] {
    const rows = this.sql("SELECT hour, recorded, chunk FROM tail ORDER BY sequence").all();
    return rows.map(({ hour, recorded, chunk }) => ({
      hour: Number(hour),
      recorded: Number(recorded),
      bytes: unsealed(`tail/${hour}`, chunk),
    }));
  }

  addTail(hour: number, recorded: number, bytes: Uint8Array): void {
    this.sql("INSERT INTO tail (hour, recorded, chunk) VALUES (?, ?, ?)").run(
      hour,
      recorded,
      sealed(`tail/${hour}`, bytes),
    );
  }

  dropTail(hour: number): void {
    this.sql("DELETE FROM tail WHERE hour = ?").run(hour);
  }

  recorded(): number {
    const row = this.sql(
      "SELECT max(length) AS length FROM (SELECT length FROM recorded UNION ALL SELECT recorded FROM tail)",
    ).get();
    return Number(row?.length ?? 0);
  }

  putRecorded(length: number): void {
    this.sql("INSERT OR REPLACE INTO recorded (only, length) VALUES (0, ?)").run(length);
  }

  sensors(): SensorRow[] {
    const rows = this.sql("SELECT number, id, kind, name, unit, first, last, recorded FROM sensor").all();
    return rows.map((row) => ({
      number: Number(row.number),
      id: String(row.id),
      kind: String(row.kind),
      name: String(row.name),
      unit: String(row.unit),
      first: Number(row.first),
      last: Number(row.last),
      recorded: Number(row.recorded),
    }));
  }

  putSensor({ number, id, kind, name, unit, first, last, recorded }: SensorRow): void {
    this.sql(
      "INSERT OR REPLACE INTO sensor (number, id, kind, name, unit, first, last, recorded) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ).run(number, id, kind, name, unit, first, last, recorded);
  }

  /** Also whatever is left of it: its number will be another's. */
  dropSensor(number: number): void {
    for (const tier of TIERS) this.sql(`DELETE FROM ${tier} WHERE key % ${NUMBERS} = ?`).run(number);
    this.sql("DELETE FROM sensor WHERE number = ?").run(number);
  }

  private pragma(name: string): number {
    return Number(Object.values(this.sql(`PRAGMA ${name}`).get() ?? {})[0]);
  }

  private sql(text: string): StatementSync {
    let statement = this.statements.get(text);
    if (statement === undefined) {
      statement = this.database.prepare(text);
      this.statements.set(text, statement);
    }
    return statement;
  }
}

export const dayOf = (hour: number): number => Math.floor(hour / HOURS_A_DAY);
