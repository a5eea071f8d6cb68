/** Serves the store's requests one after another, on whatever thread it is created. */
import type { DatabaseSync } from "node:sqlite";
import type { Stored } from "../../core/io.ts";
import { assert } from "../../kit/assert.ts";
import { type Failure, FailureError, fail, ok, type Result } from "../../kit/result.ts";
import { isDamage, isTrouble, makePrivate } from "../sqlite/database.ts";
import { commitRecords, openDatabase, readRecords, readWithoutRoom } from "./sqlite-file.ts";
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

  let state: "new" | "open" | "closed" = "new";

  const opened = (): DatabaseSync => {
    database ??= openOrSetAside(settings, untold);
    return database;
  };

  const serve = (request: StoreRequest, rows: (records: readonly Stored[]) => void): readonly string[] => {
    switch (request.type) {
      case "open":
        state = "open";
        // A disk without room must not keep a node from watching: each commit tries again.
        unlessReadable(opened, settings);
        return [];
      case "load": {
        assert(state === "open", "the store was opened before it is read");
        const damaged: string[] = [];
        const records =
          database === undefined
            ? readWithoutRoom(settings.path, damaged)
            : readRecords(database, new Date().toISOString(), damaged);
        handOver(records, rows);
        const all = [...untold, ...damaged];
        untold = [];
        return all;
      }
      case "commit":
        assert(state === "open", "the store was opened before it is written");
        commitRecords(opened(), request.records);
        return [];
      case "close":
        state = "closed";
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

/** Throws what `open` throws, unless that is trouble with writing only: then what is there can be read. */
function unlessReadable(open: () => void, { path }: StoreSettings): void {
  try {
    open();
  } catch (error) {
    if (!isTrouble(error) || isDamage(error)) throw error;
    try {
      for (const _ of readWithoutRoom(path, [])) break;
    } catch {
      throw error;
    }
  }
}

function handOver(records: Iterable<Stored>, rows: (records: readonly Stored[]) => void): void {
  let batch: Stored[] = [];
  let chars = 0;
  for (const record of records) {
    batch.push(record);
    chars += record.value?.length ?? 0;
    if (batch.length < ROWS_AT_ONCE && chars < CHARS_AT_ONCE) continue;
    rows(batch);
    batch = [];
    chars = 0;
  }
  rows(batch);
}

function openPrivate({ path, pagesMax }: StoreSettings): DatabaseSync {
  makePrivate(path);
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
  if (!isTrouble(error)) throw error;
  const { message, code, errcode } = error;
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
