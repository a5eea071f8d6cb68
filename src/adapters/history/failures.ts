/** What the history's failures are called, and what a person can do. */
import { type Failure, failure, type Result } from "../../kit/result.ts";
import { isDamage, isTrouble } from "../sqlite/database.ts";

export const usage = (message: string): Result<never> => failure("usage", message);
export const limitReached = (message: string): Result<never> => failure("limit-reached", message);

/** What neither SQLite nor the file system said is a bug, and thrown again. */
export function failureOf(error: unknown, path: string): Failure {
  if (!isTrouble(error)) throw error;
  const { message, errcode } = error;
  return {
    code: isDamage(error) ? "state-corrupt" : "store-failed",
    message: `the history in ${path} cannot be used: ${message}${errcode === undefined ? "" : ` (SQLite ${errcode})`}`,
    remedy: "check the disk's space and health, and the owner and mode of the file",
    retry: true,
  };
}

export const setAside = (path: string, moved: string, why: string): Failure => ({
  code: "state-corrupt",
  message: `${path} was damaged (${why}); it is now ${moved}, and history begins anew`,
  remedy: "check the disk's health; remove the damaged file when it is of no more use",
  retry: false,
});

export const notKept = (path: string, why: string): Failure => ({
  code: "limit-reached",
  message: `samples are not kept in ${path}: ${why}`,
  retry: false,
});

export const damagedPieces = (path: string): Failure => ({
  code: "state-corrupt",
  message: `${path} holds damaged pieces: their checksums don't match, and they count as not there`,
  remedy: "check the disk's health",
  retry: false,
});

export const unavailable = (path: string, why: string): Failure => ({
  code: "store-failed",
  message: `the history in ${path} cannot be used: ${why}`,
  retry: true,
});
