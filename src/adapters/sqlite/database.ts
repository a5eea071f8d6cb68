/** What every SQLite file of this house needs, whichever adapter owns it. */
import { chmodSync, closeSync, existsSync, openSync, renameSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

export const PAGE_BYTES: number = 4096;
/** How long to wait for another process that holds the file, such as a copy being taken. */
export const BUSY_MS: number = 2000;

/** The log belongs to its file: left behind, it would be played into the fresh one. */
export const LOG_SUFFIXES: readonly string[] = ["-wal", "-shm"];

export class DamagedFile extends Error {}

/** SQLITE_CORRUPT and SQLITE_NOTADB, with their extended codes in the upper bytes. */
const DAMAGE_CODES: ReadonlySet<number> = new Set([11, 26]);

export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedFile) return true;
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && DAMAGE_CODES.has(code & 0xff);
}

/** What neither SQLite nor the file system said is a bug. */
export function isTrouble(error: unknown): error is NodeJS.ErrnoException & { errcode?: number } {
  const { errcode, errno } = error as NodeJS.ErrnoException & { errcode?: number };
  return isDamage(error) || errcode !== undefined || errno !== undefined;
}

/** SQLite gives its log the mode of the file, so the file is made first, with the right one. */
export function makePrivate(path: string): void {
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
}

export function inTransaction(database: DatabaseSync, write: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    write();
    database.exec("COMMIT");
  } catch (error) {
    // Some failures, a full disk among them, have rolled back already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Renames a database that nobody has open, with what lies beside it. */
export function renameDatabase(path: string, to: string): void {
  for (const suffix of LOG_SUFFIXES) {
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${to}${suffix}`);
  }
  renameSync(path, to);
}
