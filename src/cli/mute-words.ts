/** What maintenances and silences have in common on the screen, and who asks for them. */
import { userInfo } from "node:os";
import type { MuteReport } from "../wire/rpc.ts";
import { ahead, localTime } from "./words.ts";

/** As many characters of a user's name as the daemon takes. */
const USER_CHARS_MAX = 64;

/** The person behind sudo where there is one. */
export function callingUser(env: NodeJS.ProcessEnv): string {
  const behind = env.SUDO_USER;
  return (behind === undefined || behind === "" ? ownName() : behind).slice(0, USER_CHARS_MAX);
}

/** A user that the system has no name for has its number. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** `until 2026-03-01 02:13:07 (for another 2 h)`, or until someone ends it, and how. */
export const untilWords = ({ until }: Pick<MuteReport, "until">, howToEnd: string, now: number): string =>
  until === null
    ? `until you end it: ${howToEnd}`
    : `until ${localTime(until)} (for another ${ahead(until, now)})`;

/** The last columns of both lists. */
export const muteCells = ({ until, by, why }: MuteReport, now: number): string[] => [
  until === null ? "until ended" : ahead(until, now),
  by,
  why === "" ? "-" : why,
];
