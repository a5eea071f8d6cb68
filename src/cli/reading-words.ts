/** Sensors' values and states in the words of the person who reads them. */
import type { ReadingReport } from "../wire/readings.ts";
import type { Cell } from "./table.ts";

/** In which degrees temperatures are shown. */
export type Degrees = "celsius" | "fahrenheit";

const SYMBOLS = {
  celsius: ["°C", 1],
  rpm: ["rpm", 0],
  percent: ["%", 0],
  watt: ["W", 1],
  volt: ["V", 2],
  ampere: ["A", 2],
} as const;

type Unit = ReadingReport["unit"];
/** Histories may hold units of another release. */
const isKnown = (unit: string): unit is Unit => Object.hasOwn(SYMBOLS, unit);

const inFahrenheit = (celsius: number): number => (celsius * 9) / 5 + 32;

/** The value without its unit, with as many digits as mean something. */
export function digits(value: number, unit: string, degrees: Degrees = "celsius"): string {
  if (!isKnown(unit)) return String(value);
  const shown = unit === "celsius" && degrees === "fahrenheit" ? inFahrenheit(value) : value;
  return shown.toFixed(SYMBOLS[unit][1]);
}

export function symbolOf(unit: string, degrees: Degrees = "celsius"): string {
  if (!isKnown(unit)) return unit;
  return unit === "celsius" && degrees === "fahrenheit" ? "°F" : SYMBOLS[unit][0];
}

export const amount = (value: number, unit: string, degrees: Degrees = "celsius"): string =>
  `${digits(value, unit, degrees)} ${symbolOf(unit, degrees)}`;

export function stateCell(validity: ReadingReport["validity"], alarm: boolean, readAt: string | null): Cell {
  if (validity === "idle") return { text: readAt === null ? "idle" : `idle, read ${readAt}`, style: "dim" };
  if (validity !== "ok") return { text: validity, style: "yellow" };
  return alarm ? { text: "alarm", style: "red" } : { text: "" };
}

const ORDER = [
  "cpu-package",
  "cpu-core",
  "cpu-die",
  "nvme",
  "ssd",
  "hdd",
  "gpu",
  "memory",
  "board",
  "ambient",
];
const rank = ({ kind }: { readonly kind: string }): number =>
  (ORDER.indexOf(kind) + ORDER.length + 1) % (ORDER.length + 1);
/** Stable: readings of one kind stay as they came. */
export const byKind = (a: { readonly kind: string }, b: { readonly kind: string }): number =>
  rank(a) - rank(b);
