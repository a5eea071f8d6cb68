/**
 * Two kinds of time that do not mix. Monotonic time measures; wall time is for
 * people, messages and certificates. All of them count milliseconds.
 */
declare const durationBrand: unique symbol;
declare const instantBrand: unique symbol;
declare const wallBrand: unique symbol;

/** A length of time in milliseconds; may be fractional, may be negative. */
export type Duration = number & { readonly [durationBrand]: true };
/** A point on one process's monotonic clock, in milliseconds since an arbitrary origin. */
export type Instant = number & { readonly [instantBrand]: true };
/** A point in civil time: milliseconds since 1970-01-01T00:00:00Z. */
export type WallTime = number & { readonly [wallBrand]: true };

export const ms = (value: number): Duration => value as Duration;
export const seconds = (value: number): Duration => (value * 1000) as Duration;
export const minutes = (value: number): Duration => (value * 60_000) as Duration;
export const hours = (value: number): Duration => (value * 3_600_000) as Duration;
export const days = (value: number): Duration => (value * 86_400_000) as Duration;

export const instant = (value: number): Instant => value as Instant;
export const wallTime = (value: number): WallTime => value as WallTime;

export const after = (start: Instant, length: Duration): Instant => (start + length) as Instant;
/** `end - start`; negative when `end` is earlier. */
export const between = (start: Instant, end: Instant): Duration => (end - start) as Duration;
export const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b);
export const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/** The earliest of the given deadlines; undefined ones do not count. */
export function earliest(...deadlines: (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const deadline of deadlines) {
    if (deadline !== undefined && (first === undefined || deadline < first)) first = deadline;
  }
  return first;
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Parses `200ms`, `15s`, `10m`, `1h`, `30d`, also joined (`1h30m`). Undefined when it is none of these. */
export function parseDuration(text: string): Duration | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS[unit ?? ""] ?? Number.NaN);
  }
  return Number.isFinite(total) ? ms(total) : undefined;
}

/** `850 ms`, `3.2 s`, `94 s`, `12 min`, `5 h`, `3 d`: short, for people. */
export function formatDuration(length: Duration): string {
  const value = Math.max(0, length);
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 10_000) return `${(value / 1000).toFixed(1)} s`;
  if (value < 120_000) return `${Math.round(value / 1000)} s`;
  if (value < 7_200_000) return `${Math.round(value / 60_000)} min`;
  if (value < 172_800_000) return `${Math.round(value / 3_600_000)} h`;
  return `${Math.round(value / 86_400_000)} d`;
}

/** The first and last instant that ECMAScript can express (ECMA-262, "Time Values and Time Range"). */
export const WALL_MAX = 8.64e15;

/**
 * `2026-11-21T02:13:05.120Z` (RFC 3339). A pure conversion; reads no clock. Never throws: a time
 * that cannot be expressed, such as one reckoned from what a peer said, becomes the nearest that can.
 */
export const isoTime = (wall: WallTime): string => {
  const within = Math.max(-WALL_MAX, Math.min(WALL_MAX, wall));
  // biome-ignore lint/style/noRestrictedGlobals: converts a given time; core never asks for the current one
  return new Date(within).toISOString();
};

/** `2026-11-21 02:13:05 UTC`, for people. */
export const civilTime = (wall: WallTime): string => `${isoTime(wall).slice(0, 19).replace("T", " ")} UTC`;
