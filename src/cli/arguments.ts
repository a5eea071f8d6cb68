/** Arguments whose form the command line checks itself. */
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, days, formatDuration, parseDuration } from "../kit/time.ts";
import { MUTE_FOR_LEAST, MUTE_FOR_MOST, MUTE_WHY_CHARS_MAX } from "../wire/rpc-limits.ts";

/** The longest a join token may wait for its node. */
export const TOKEN_LIFE_MAX: Duration = days(30);

export function parseLength(text: string): Result<Duration> {
  const length = parseDuration(text);
  if (length !== undefined && length > 0) return ok(length);
  return failure("usage", `"${text}" is not a duration`, "Write a number and a unit: 30m, 1h, 7d.");
}

export function parseTokenLife(text: string): Result<Duration> {
  const parsed = parseLength(text);
  if (!parsed.ok) return parsed;
  const life = parsed.value;
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

/** What a person says of a maintenance or a silence, as typed. */
export interface MuteOptions {
  readonly for?: string;
  readonly why?: string;
}

/** Without `--for` it lasts until someone ends it. */
export function parseMute(given: MuteOptions): Result<{ readonly forMs?: Duration; readonly why: string }> {
  const why = given.why ?? "";
  if (why.length > MUTE_WHY_CHARS_MAX) {
    const fix = `Say it in ${MUTE_WHY_CHARS_MAX} characters.`;
    return failure("usage", `--why has ${why.length} characters`, fix);
  }
  if (given.for === undefined) return ok({ why });
  const length = parseLength(given.for);
  if (!length.ok) return length;
  if (length.value >= MUTE_FOR_LEAST && length.value <= MUTE_FOR_MOST)
    return ok({ forMs: length.value, why });
  const bound = length.value < MUTE_FOR_LEAST ? "shorter than 1m" : "longer than 365d";
  const fix = "Write a duration from 1m to 365d, or leave --for out: then it lasts until you end it.";
  return failure("usage", `--for ${given.for} is ${bound}`, fix);
}

/** An address that makes no sense was typed wrongly: the exit code is that of wrong usage. */
export const asUsage = <T>(result: Result<T>): Result<T> =>
  result.ok || result.error.code !== "address-invalid"
    ? result
    : { ok: false, error: { ...result.error, code: "usage" } };

/** For options that may be repeated. */
export const collect = (value: string, earlier: readonly string[] | undefined): string[] => [
  ...(earlier ?? []),
  value,
];
