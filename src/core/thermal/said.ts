/** Readings made of what other programs say, judged as the kernel's are. */
import type { WallTime } from "../../kit/time.ts";
import { QUANTITIES } from "./bounds.ts";
import { NAME_MAX } from "./names.ts";
import type { Reading, ReadingKind, ReadingLimits, Unit, Validity } from "./reading.ts";

/** One value, in its unit, as a program said it. */
export interface Said {
  /** Serial or uuid, and channel. */
  readonly id: string;
  readonly kind: ReadingKind;
  readonly name: string;
  readonly unit: Unit;
  /** The program. */
  readonly driver: string;
  readonly label: string;
  /** Null: it did not tell. */
  readonly value: number | null;
  /** A disk that was left alone since. */
  readonly idle: boolean;
  readonly limits: ReadingLimits;
  readonly at: WallTime;
}

export function readingOf({ idle, ...said }: Said): Reading {
  const value = plausible(said.unit, said.value) ? said.value : null;
  return {
    ...said,
    name: said.name.slice(0, NAME_MAX),
    label: said.label.slice(0, NAME_MAX),
    value,
    validity: validityOf(said.value, value, idle),
    alarm: false,
    at: value === null ? null : said.at,
    spot: false,
  };
}

function plausible(unit: Unit, value: number | null): boolean {
  const quantity = Object.values(QUANTITIES).find((each) => each.unit === unit);
  return value !== null && quantity !== undefined && value >= quantity.least && value <= quantity.most;
}

function validityOf(said: number | null, value: number | null, idle: boolean): Validity {
  if (said !== null && value === null) return "implausible";
  if (idle) return "idle";
  return said === null ? "missing" : "ok";
}

/** What makes two ids one disk: its serial, whoever read it. */
export const serialOf = (id: string): string | undefined =>
  /^(?:nvme|drivetemp|smart):([^/]+)\//.exec(id)?.[1];

/** The kernel's word on a disk goes before a program's. */
export function withoutKnownDisks(
  kernel: readonly Reading[],
  others: readonly Reading[],
): readonly Reading[] {
  const known = new Set(kernel.map(({ id }) => serialOf(id)).filter((serial) => serial !== undefined));
  return others.filter(({ id }) => {
    const serial = serialOf(id);
    return serial === undefined || !known.has(serial);
  });
}
