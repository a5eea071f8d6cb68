/** What is done about a store whose file is damaged: keep it for a person, save what can be read, say so. */
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Stored } from "../../core/io.ts";
import { FailureError } from "../../kit/result.ts";
import { PAGE_BYTES, renameDatabase } from "../sqlite/database.ts";
import { isSound } from "./sqlite-file.ts";
import { acknowledgedCommitsLost } from "./wal-check.ts";

/** Kept beside the store; when all these names are taken the start is refused. */
export const DAMAGED_FILES_MAX: number = 20;

function freeName(path: string): string {
  for (let number = 1; number <= DAMAGED_FILES_MAX; number += 1) {
    const name = `${path}.damaged-${number}`;
    if (!existsSync(name) && !existsSync(`${name}-wal`)) return name;
  }
  throw new FailureError({
    code: "state-corrupt",
    message: `${path} is damaged, and ${DAMAGED_FILES_MAX} damaged ones lie beside it already`,
    remedy: `test the disk and the memory of this host, then remove ${path}.damaged-*`,
    retry: false,
  });
}

/** Returns the new name. */
export function moveAside(path: string): string {
  const moved = freeName(path);
  renameDatabase(path, moved);
  return moved;
}

/** The records of a damaged file that can still be read and whose checksums are right. */
export function readableRecords(path: string): Stored[] {
  const records: Stored[] = [];
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    for (const row of database.prepare("SELECT key, value, checksum FROM record").iterate()) {
      if (isSound(row)) records.push({ key: row.key, value: row.value });
    }
  } catch {
    // As far as it could be read: that is all there is to know.
  }
  database?.close();
  return records;
}

/**
 * To be called before the file is opened, since opening drops what does not fit. Keeps a copy, and
 * returns a sentence about the loss; undefined when there is none.
 */
export function logDamage(path: string): string | undefined {
  const log = `${path}-wal`;
  if (!existsSync(log)) return undefined;
  const lost = acknowledgedCommitsLost(readFileSync(log), PAGE_BYTES);
  if (lost === 0) return undefined;
  const copy = freeName(path);
  copyFileSync(path, copy);
  copyFileSync(log, `${copy}-wal`);
  return `${log}: damaged; the last ${lost} commits in it are lost; a copy was kept as ${copy}-wal`;
}
