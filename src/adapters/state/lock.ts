/**
 * One process a state folder: flock(2) on its `lock` file. The kernel drops the lock when
 * the process ends however it ends, so there is no stale one to clean up. Node has no
 * flock of its own.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import koffi from "koffi";
import { failure, ok, type Result } from "../../kit/result.ts";

/** sys/file.h */
const LOCK_EX = 2;
const LOCK_NB = 4;
export const LOCK_FILE = "lock";

export interface StateLock {
  release(): void;
}

let flock: ((fd: number, operation: number) => number) | undefined;

/** Fails with `state-locked`, naming the process that holds it, or `permission-denied`. The folder must exist. */
export function lockState(stateDir: string): Result<StateLock> {
  const path = join(stateDir, LOCK_FILE);
  let fd: number;
  try {
    fd = openSync(path, "a+", 0o600);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    if (reason === "ENOENT")
      return failure(
        "state-missing",
        `${stateDir} does not exist`,
        "Run `balefire init` or `balefire join`.",
      );
    return failure(
      "permission-denied",
      `cannot open ${path} (${reason})`,
      "Run as the user that owns the state folder.",
    );
  }
  flock ??= koffi.load(null).func("int flock(int, int)") as (fd: number, operation: number) => number;
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) {
    nameHolder(fd);
    return ok({ release: () => closeSync(fd) });
  }
  closeSync(fd);
  const holder = holderOf(path);
  return failure(
    "state-locked",
    `${stateDir} is in use by another Balefire process${holder === "" ? "" : ` (pid ${holder})`}`,
    "Stop the daemon first, or ask it through its control socket.",
    true,
  );
}

/** Only for others' messages: a full disk takes no name, and must not keep this process from watching. */
function nameHolder(fd: number): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
  }
}

/** Only for the message; the lock itself is the kernel's. */
function holderOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim().replaceAll(/\D/g, "").slice(0, 10);
  } catch {
    return "";
  }
}
