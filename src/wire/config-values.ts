/** The kinds of value a setting may have: what is accepted, what is said of anything else, and how it is written. */
import * as z from "zod";
import { type Duration, parseDuration } from "../kit/time.ts";

/** A check's sentence and what to write instead; `config-explain.ts` reads them from the issue. */
export interface Complaint {
  readonly message: string;
  readonly fix: string;
}

/** What the plain settings of a file are made of: each reads a file, and some an environment variable too. */
export interface ValueKind<T> {
  readonly schema: z.ZodType<T>;
  /** Reads the text of an environment variable; absent where no variable holds such a value. */
  readonly fromText?: (text: string) => T | Complaint;
  /** As a person would write it in the file. */
  readonly written: (value: T) => unknown;
}

export const isComplaint = (value: unknown): value is Complaint =>
  typeof value === "object" && value !== null && "fix" in value && "message" in value;

/** What is wrong with a duration, or the duration. `undefined` bounds do not arise: every duration has a range. */
export function checkDuration(value: unknown, least: Duration, most: Duration): Duration | Complaint {
  const range = `${written(least)} to ${written(most)}`;
  if (typeof value === "number") {
    return {
      message: "a duration needs a unit",
      fix: `Write the unit behind the number: ms, s, m, h or d (${range}).`,
    };
  }
  const parsed = typeof value === "string" ? parseDuration(value) : undefined;
  if (parsed === undefined) {
    return {
      message: "this is not a duration",
      fix: `Write a number and a unit, such as 200ms, 15s or 10m (${range}).`,
    };
  }
  if (parsed < least || parsed > most) {
    const bound = parsed < least ? "shorter than" : "longer than";
    const limit = parsed < least ? least : most;
    return {
      message: `${written(parsed)} is ${bound} ${written(limit)}`,
      fix: `Write a duration from ${range}.`,
    };
  }
  return parsed;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Exactly, as a person would write it in the file: `50ms`, `5s`, `60m`, `24h`. */
export function written(length: Duration): string {
  if (length % HOUR === 0 && length > HOUR) return `${length / HOUR}h`;
  if (length % MINUTE === 0 && length > 0) return `${length / MINUTE}m`;
  return length % 1000 === 0 ? `${length / 1000}s` : `${length}ms`;
}

/** A schema from a check that gives the value or a complaint. */
export function checked<T extends number | string>(check: (value: unknown) => T | Complaint): z.ZodType<T> {
  return z.unknown().transform((value, context): T => {
    if (value === undefined) {
      context.issues.push({ code: "invalid_type", expected: "nonoptional", input: value });
      return z.NEVER;
    }
    const outcome = check(value);
    if (!isComplaint(outcome)) return outcome;
    const { message, fix } = outcome;
    context.issues.push({ code: "custom", input: value, message, params: { fix } });
    return z.NEVER;
  });
}

export const duration = (least: Duration, most: Duration): ValueKind<Duration> => ({
  schema: checked<Duration>((value) => checkDuration(value, least, most)),
  fromText: (text) => checkDuration(text, least, most),
  written,
});

export function choice<const T extends string>(words: readonly [T, ...T[]]): ValueKind<T> {
  const all: readonly string[] = words;
  const isOne = (text: string): text is T => all.includes(text);
  return {
    schema: z.enum(words) as unknown as z.ZodType<T>,
    fromText: (text) =>
      isOne(text)
        ? text
        : { message: "this is none of the known words", fix: `Set it to one of ${all.join(", ")}.` },
    written: (value) => value,
  };
}

/** The word `off`, or a value. */
export const orOff = <T>(kind: ValueKind<T>): ValueKind<T | "off"> => ({
  schema: z.union([z.literal("off"), kind.schema]),
  written: (value) => (value === "off" ? "off" : kind.written(value)),
});

const TIME_OF_DAY = /^([01]?\d|2[0-3]):([0-5]\d)$/;

/** `22:00` as minutes after midnight. */
export const timeOfDay: z.ZodType<number> = checked((value): number | Complaint => {
  const [, hour, minute] = TIME_OF_DAY.exec(typeof value === "string" ? value : "") ?? [];
  if (hour !== undefined && minute !== undefined) return Number(hour) * 60 + Number(minute);
  return { message: "this is not a time of day", fix: 'Write hour and minute, from "00:00" to "23:59".' };
});

/** Minutes after midnight as `22:00`. */
export const writtenTimeOfDay = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

/** A number within bounds, both included; `unit` for the person who reads the complaint. */
export const numberBetween = (least: number, most: number, unit: string): z.ZodType<number> =>
  checked((value): number | Complaint => {
    const range = `from ${least} to ${most} ${unit}`;
    if (typeof value !== "number")
      return { message: "this is not a number", fix: `Write a number ${range}.` };
    if (value >= least && value <= most) return value;
    return {
      message: `${value} is ${value < least ? "less" : "more"} than can be`,
      fix: `Write a number ${range}.`,
    };
  });

/** Powers of 1024, by the names of IEC 80000-13. */
const SIZES: readonly (readonly [string, number])[] = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
];

/** `256MiB` in bytes. */
export const size = (least: number, most: number): z.ZodType<number> =>
  checked((value): number | Complaint => {
    const range = `from ${writtenSize(least)} to ${writtenSize(most)}`;
    const [, amount, unit] = /^(\d{1,9}) ?([KMGT]iB)$/.exec(typeof value === "string" ? value : "") ?? [];
    const factor = SIZES.find(([name]) => name === unit)?.[1];
    if (amount === undefined || factor === undefined) {
      const fix = `Write a whole number with KiB, MiB, GiB or TiB behind it, ${range}.`;
      return { message: "this is not a size", fix };
    }
    const bytes = Number(amount) * factor;
    if (bytes >= least && bytes <= most) return bytes;
    return {
      message: `${value} is ${bytes < least ? "less" : "more"} than can be`,
      fix: `Write a size ${range}.`,
    };
  });

/** In the largest unit of which it is a whole number. */
export function writtenSize(bytes: number): string {
  const [name, factor] = SIZES.find(([, unit]) => bytes % unit === 0) ?? ["B", 1];
  return `${bytes / factor}${name}`;
}
