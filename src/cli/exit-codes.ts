/** What a script can tell from the exit code; the same for every verb. */
import type { ErrorCode } from "../kit/errors.ts";

export const EXIT = { ok: 0, failed: 1, usage: 2, degraded: 3, unreachable: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitCodeOf(code: ErrorCode): ExitCode {
  if (code === "usage") return EXIT.usage;
  return code === "daemon-unreachable" ? EXIT.unreachable : EXIT.failed;
}
