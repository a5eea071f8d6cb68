/**
 * The store's file: key, value, checksum. SQLite notices most damage to its own structure but
 * none inside a value; the checksum (SHA-256 over key and value) notices that.
 */
import { hash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { Stored } from "../../core/io.ts";
import { BUSY_MS, DamagedFile, inTransaction } from "../sqlite/database.ts";

/** Records set aside are kept for a person to look at, the newest this many. */
const DAMAGED_ROWS_MAX: number = 1000;
const KEY_CHARS_SHOWN: number = 80;

/** A row as the file has it, before it is believed. */
export interface Row {
  readonly key?: unknown;
  readonly value?: unknown;
  readonly checksum?: unknown;
}

export interface SoundRow {
  readonly key: string;
  readonly value: string;
}

export const isSound = (row: Row): row is SoundRow =>
  typeof row.key === "string" &&
  typeof row.value === "string" &&
  checksumOf(row.key, row.value) === row.checksum;

const SCHEMA: string = `
  CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, value TEXT NOT NULL, checksum TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS damaged (key, value, checksum, found TEXT NOT NULL);
`;

/** The lengths keep a key from growing into its value. */
export const checksumOf = (key: string, value: string): string =>
  hash("sha256", `${key.length}:${key}${value.length}:${value}`, "hex");

/** Throws what SQLite throws; the caller tells damage from trouble by `isDamage`. */
export function openDatabase(path: string, pagesMax: number): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    // FULL: a commit is on the disk when it returns, also in WAL mode. The small checkpoint
    // keeps the log about as large as the file; the small cache keeps the memory.
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA max_page_count = ${pagesMax};
      PRAGMA wal_autocheckpoint = 256;
      PRAGMA journal_size_limit = 1048576;
      PRAGMA cache_size = -512;
      PRAGMA trusted_schema = OFF;
    `);
    const complaints = database.prepare("PRAGMA integrity_check(1)").all();
    if (complaints[0]?.integrity_check !== "ok")
      throw new DamagedFile(String(complaints[0]?.integrity_check));
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** All or nothing; on the disk when it returns. */
export function commitRecords(database: DatabaseSync, records: readonly Stored[]): void {
  const put = database.prepare("INSERT OR REPLACE INTO record (key, value, checksum) VALUES (?, ?, ?)");
  const remove = database.prepare("DELETE FROM record WHERE key = ?");
  inTransaction(database, () => {
    for (const { key, value } of records) {
      if (value === undefined) remove.run(key);
      else put.run(key, value, checksumOf(key, value));
    }
  });
}

/**
 * Every sound record of a file that cannot be opened as usual because its disk is full: on its own,
 * SQLite keeps in memory what it otherwise shares with others in a file beside (sqlite.org/wal.html,
 * "Use of WAL Without Shared-Memory"). The others are named and left where they are.
 */
export function* readWithoutRoom(path: string, damaged: string[]): Generator<SoundRow> {
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const made = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'record'").get() !== undefined;
    if (!made) return;
    for (const row of database.prepare("SELECT key, value, checksum FROM record").iterate()) {
      if (isSound(row)) yield { key: row.key, value: row.value };
      else damaged.push(`record ${nameOf(row.key)}: its checksum does not match; left out`);
    }
  } finally {
    database.close();
  }
}

/** Every sound record; the others are moved to the table `damaged` and named. */
export function* readRecords(database: DatabaseSync, found: string, damaged: string[]): Generator<SoundRow> {
  const broken: number[] = [];
  for (const row of database.prepare("SELECT rowid AS id, key, value, checksum FROM record").iterate()) {
    if (isSound(row)) yield { key: row.key, value: row.value };
    else {
      broken.push(Number(row.id));
      damaged.push(`record ${nameOf(row.key)}: its checksum does not match; set aside`);
    }
  }
  setAside(database, broken, found);
}

function setAside(database: DatabaseSync, broken: readonly number[], found: string): void {
  if (broken.length === 0) return;
  const keep = database.prepare(
    "INSERT INTO damaged SELECT key, value, checksum, ? FROM record WHERE rowid = ?",
  );
  const remove = database.prepare("DELETE FROM record WHERE rowid = ?");
  const forget = database.prepare("DELETE FROM damaged WHERE rowid <= (SELECT max(rowid) FROM damaged) - ?");
  inTransaction(database, () => {
    for (const row of broken) {
      keep.run(found, row);
      remove.run(row);
    }
    forget.run(DAMAGED_ROWS_MAX);
  });
}

/** A damaged key may hold anything. */
const nameOf = (key: unknown): string => JSON.stringify(String(key).slice(0, KEY_CHARS_SHOWN));
