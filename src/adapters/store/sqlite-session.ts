/** Serves the store's requests one after another, on whatever thread it is created. */
import { chmodSync, closeSync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Stored } from "../../core/io.ts";
import { assert } from "../../kit/assert.ts";
import { type Failure, FailureError, fail, ok, type Result } from "../../kit/result.ts";
import { commitRecords, isDamage, openDatabase, readRecords } from "./sqlite-file.ts";
import type { StoreRequest, StoreSettings } from "./sqlite-requests.ts";
import { logDamage, moveAside, readableRecords } from "./sqlite-rescue.ts";

/** Handed over at once; bounds what a load holds in this thread. */
const ROWS_AT_ONCE: number = 500;
const CHARS_AT_ONCE: number = 262_144;

export interface StoreSession {
  /** `ok` holds what was found damaged. */
  serve(request: StoreRequest, rows: (records: readonly Stored[]) => void): Result<readonly string[]>;
}

export function createSession(settings: StoreSettings): StoreSession {
  let database: DatabaseSync | undefined;
  /** Found while opening, told by the first load. */
  let untold: string[] = [];

  const serve = (request: StoreRequest, rows: (records: readonly Stored[]) => void): readonly string[] => {
    switch (request.type) {
      case "open":
        database = openOrSetAside(settings, untold);
        return [];
      case "load": {
        assert(database !== undefined, "the store was opened before it is read");
        const damaged = loadInto(database, rows);
        const all = [...untold, ...damaged];
        untold = [];
        return all;
      }
      case "commit":
        assert(database !== undefined, "the store was opened before it is written");
        commitRecords(database, request.records);
        return [];
      case "close":
        database?.close();
        database = undefined;
        return [];
    }
  };

  return {
    serve: (request, rows) => {
      try {
        return ok(serve(request, rows));
      } catch (error) {
        return fail(failureOf(error, settings.path));
      }
    },
  };
}

function loadInto(database: DatabaseSync, rows: (records: readonly Stored[]) => void): string[] {
  const damaged: string[] = [];
  let batch: Stored[] = [];
  let chars = 0;
  for (const record of readRecords(database, new Date().toISOString(), damaged)) {
    batch.push(record);
    chars += record.value.length;
    if (batch.length < ROWS_AT_ONCE && chars < CHARS_AT_ONCE) continue;
    rows(batch);
    batch = [];
    chars = 0;
  }
  rows(batch);
  return damaged;
}

/** SQLite gives its log the mode of the file, so the file is made first, with the right one. */
function openPrivate({ path, pagesMax }: StoreSettings): DatabaseSync {
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
  return openDatabase(path, pagesMax);
}

function openOrSetAside(settings: StoreSettings, damaged: string[]): DatabaseSync {
  const { path } = settings;
  const log = logDamage(path);
  if (log !== undefined) damaged.push(log);
  try {
    return openPrivate(settings);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const moved = moveAside(path);
    const fresh = openPrivate(settings);
    const saved = readableRecords(moved);
    commitRecords(fresh, saved);
    damaged.push(
      `${path}: ${(error as Error).message}; moved to ${moved}, and a fresh one made with the ${saved.length} records that could still be read`,
    );
    return fresh;
  }
}

function failureOf(error: unknown, path: string): Failure {
  if (error instanceof FailureError) return error.failure;
  const { message, code, errcode, errno } = error as NodeJS.ErrnoException & { errcode?: number };
  // Neither SQLite nor the file system said so: a bug.
  if (!isDamage(error) && errcode === undefined && errno === undefined) throw error;
  if (isDamage(error)) {
    return {
      code: "state-corrupt",
      message: `${path} is damaged: ${message}`,
      remedy: "restart the daemon: it moves the damaged file aside and goes on with a fresh one",
      retry: false,
    };
  }
  return {
    code: "store-failed",
    message: `${path} cannot be used: ${message}${errcode === undefined ? "" : ` (SQLite ${errcode})`}`,
    remedy: code === "EACCES" ? `check the owner and mode of ${path}` : "check the disk's space and health",
    retry: true,
  };
}
