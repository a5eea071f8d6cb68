/** Curves and trends in one line of text. */
const BLOCKS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII = [".", ":", "-", "=", "+", "*", "#", "@"];

/** What the terminal can show; by the locale, as POSIX orders its variables (XBD 8.2). */
export function speaksUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== "");
  return /utf-?8/i.test(locale ?? "");
}

/**
 * One character a value, a space for none, from the least to the greatest. A curve that moves by less
 * than `least` is flat: half a degree of noise is no mountain.
 */
export function sparkline(values: readonly (number | null)[], least: number, unicode: boolean): string {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return "";
  const low = present.reduce((a, b) => Math.min(a, b));
  const high = present.reduce((a, b) => Math.max(a, b));
  const span = Math.max(high - low, least);
  const marks = unicode ? BLOCKS : ASCII;
  const most = marks.length - 1;
  return values
    .map((value) => (value === null ? " " : (marks[Math.round(((value - low) / span) * most)] ?? " ")))
    .join("");
}

/** `steady`: by so little a minute a value may move and still count as still. */
export function trendArrow(trend: number | null, steady: number, unicode: boolean): string {
  if (trend === null) return "";
  const step = Math.abs(trend) < steady ? 0 : Math.abs(trend) < 4 * steady ? 1 : 2;
  const place = 2 + Math.sign(trend) * step;
  return (unicode ? ["↓", "↘", "→", "↗", "↑"] : ["vv", "v", "-", "^", "^^"])[place] ?? "";
}

/** Of each unit: what moves less is noise. The same a minute is no trend. */
const NOISE: Readonly<Record<string, number>> = {
  celsius: 2,
  rpm: 100,
  percent: 5,
  watt: 5,
  volt: 0.1,
  ampere: 0.5,
};
export const noiseOf = (unit: string): number => NOISE[unit] ?? 1;
/** A quarter of that in a minute is a trend. */
export const steadyOf = (unit: string): number => noiseOf(unit) / 4;
