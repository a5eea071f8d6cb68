/** Arguments whose form the command line checks itself. */
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, days, formatDuration, parseDuration } from "../kit/time.ts";

/** The longest a join token may wait for its node. */
export const TOKEN_LIFE_MAX: Duration = days(30);

export function parseTokenLife(text: string): Result<Duration> {
  const life = parseDuration(text);
  if (life === undefined || life <= 0) {
    return failure("usage", `"${text}" is not a duration`, "Write a number and a unit: 30m, 1h, 7d.");
  }
  if (life > TOKEN_LIFE_MAX) {
    const most = formatDuration(TOKEN_LIFE_MAX);
    return failure(
      "usage",
      `${text} is longer than ${most}`,
      "Make a token when it is needed; 1h is the default.",
    );
  }
  return ok(life);
}

/** An address that makes no sense was typed wrongly: the exit code is that of wrong usage. */
export const asUsage = <T>(result: Result<T>): Result<T> =>
  result.ok || result.error.code !== "address-invalid"
    ? result
    : { ok: false, error: { ...result.error, code: "usage" } };
