/** Which numbers a sensor can show, and which of its limits mean something. */
import type { ChannelType, RawValue } from "./raw.ts";
import type { ReadingLimits, Unit, Validity } from "./reading.ts";

export interface Quantity {
  readonly unit: Unit;
  /** The kernel's number divided by this is in `unit` (Documentation/hwmon/sysfs-interface). */
  readonly scale: number;
  /** Inclusive. Beyond is a broken sensor, an unconnected pin or a misread register, not a value. */
  readonly least: number;
  readonly most: number;
}

export const TEMPERATURE_LEAST: number = -40;
export const TEMPERATURE_MOST: number = 150;

export const QUANTITIES: Readonly<Record<ChannelType, Quantity>> = {
  temp: { unit: "celsius", scale: 1000, least: TEMPERATURE_LEAST, most: TEMPERATURE_MOST },
  fan: { unit: "rpm", scale: 1, least: 0, most: 100_000 },
  in: { unit: "volt", scale: 1000, least: -1000, most: 1000 },
  curr: { unit: "ampere", scale: 1000, least: -10_000, most: 10_000 },
  power: { unit: "watt", scale: 1_000_000, least: -100_000, most: 100_000 },
  humidity: { unit: "percent", scale: 1000, least: 0, most: 100 },
};

/** As drivers print numbers. Longer texts are nothing a driver says. */
const NUMBER = /^[+-]?\d{1,30}(\.\d{1,12})?$/;

export interface Judged {
  readonly value: number | null;
  readonly validity: Validity;
}

const nothing = (validity: Validity): Judged => ({ value: null, validity });

/** What a text read from a sensor is worth. */
export function judge(raw: RawValue, quantity: Quantity): Judged {
  if (raw.outcome !== "read" && raw.outcome !== "asleep") return nothing(raw.outcome);
  if (raw.outcome === "asleep" && raw.text === null) return nothing("idle");
  if (raw.fault) return nothing("fault");
  if (raw.text === null || raw.text === "") return nothing("missing");
  const value = numberIn(raw.text, quantity);
  if (value === undefined) return nothing("unexpected");
  if (value < quantity.least || value > quantity.most) return nothing("implausible");
  return { value, validity: raw.outcome === "asleep" ? "idle" : "ok" };
}

/** The number in the quantity's unit; undefined when the text is none. */
export function numberIn(text: string, { scale }: Quantity): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  return Number(text) / scale;
}

const LIMITS = ["min", "max", "crit", "lcrit", "emergency"] as const;

/**
 * The limits that mean something. NVMe drives without limits show 65261.85 °C and -273.15 °C, many
 * board chips 127 °C, 0 V to 0 V or a fan's least speed of 0.
 */
export function sensibleLimits(settings: ReadonlyMap<string, string>, type: ChannelType): ReadingLimits {
  const quantity = QUANTITIES[type];
  const found: Partial<Record<keyof ReadingLimits, number>> = {};
  for (const name of LIMITS) {
    const text = settings.get(name) ?? (name === "max" ? settings.get("cap") : undefined);
    const value = text === undefined ? undefined : numberIn(text, quantity);
    if (value !== undefined && sensible(name, value, quantity, type)) found[name] = value;
  }
  if (found.min !== undefined && found.max !== undefined && found.min >= found.max) {
    delete found.min;
    delete found.max;
  }
  return found;
}

const UPPER: ReadonlySet<string> = new Set(["max", "crit", "emergency"]);

/** Zero is what registers hold that nobody set; for a temperature it can be meant, from below. */
function sensible(name: string, value: number, { least, most }: Quantity, type: ChannelType): boolean {
  if (value <= least || value >= most) return false;
  return type === "temp" ? !UPPER.has(name) || value > 0 : value !== 0;
}

/** Whether any of the driver's alarm bits stands. */
export function alarmed(settings: ReadonlyMap<string, string>): boolean {
  for (const [name, text] of settings) if (name.endsWith("alarm") && text !== "0" && text !== "") return true;
  return false;
}
