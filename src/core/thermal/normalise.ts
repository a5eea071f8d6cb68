/** From what the system shows to readings. What does not change between passes is worked out once. */
import type { WallTime } from "../../kit/time.ts";
import { alarmed, judge, QUANTITIES, type Quantity, sensibleLimits } from "./bounds.ts";
import { isShadowed, isSpot, kindOf } from "./kinds.ts";
import { labelOf, NAME_MAX, nameOf } from "./names.ts";
import type { RawChip, RawPass, RawValue } from "./raw.ts";
import type { Reading } from "./reading.ts";

/** More sensors than this on one host are left out, and said to be. */
export const READINGS_MAX: number = 1024;

/** A reading but for what a pass brings. */
interface Outline {
  readonly chip: number;
  readonly channel: number;
  readonly quantity: Quantity;
  readonly still: Omit<Reading, "value" | "validity" | "at">;
}

export interface Outlines {
  readonly chips: readonly RawChip[];
  readonly list: readonly Outline[];
  /** Ids that more than one channel claimed; the later ones have a `#2` behind. */
  readonly duplicates: readonly string[];
  /** Channels beyond `READINGS_MAX`. */
  readonly left: number;
}

/** Kind, name, id and limits of every channel: to be done again only when the chips change. */
export function outline(chips: readonly RawChip[]): Outlines {
  const claimed = new Map<string, number>();
  const duplicates: string[] = [];
  const list: Outline[] = [];
  let left = 0;
  for (const { chip, channel, id } of claims(chips)) {
    const raw = chips[chip];
    const described = raw?.channels[channel];
    if (raw === undefined || described === undefined) continue;
    if (list.length >= READINGS_MAX) {
      left += 1;
      continue;
    }
    const times = (claimed.get(id) ?? 0) + 1;
    claimed.set(id, times);
    if (times === 2) duplicates.push(id);
    const kind = kindOf(raw, described);
    const quantity = QUANTITIES[described.type];
    const still = {
      id: times === 1 ? id : `${id}#${times}`,
      kind,
      name: nameOf(raw, described, kind, chips),
      unit: quantity.unit,
      limits: sensibleLimits(described.settings, described.type),
      alarm: alarmed(described.settings),
      driver: raw.driver.slice(0, NAME_MAX),
      label: labelOf(described).slice(0, NAME_MAX),
      spot: isSpot(raw, described),
    };
    list.push({ chip, channel, quantity, still });
  }
  return { chips, list, duplicates, left };
}

interface Claim {
  readonly chip: number;
  readonly channel: number;
  readonly id: string;
}

/**
 * In the order of the places, so that which of two equal ones is the second does not depend on the
 * order in which the kernel lists them.
 */
function claims(chips: readonly RawChip[]): readonly Claim[] {
  const order = chips.map((chip, index) => ({ base: idBase(chip), index }));
  order.sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : a.index - b.index));
  return order.flatMap(({ base, index }) => {
    const chip = chips[index];
    return (chip?.channels ?? []).flatMap((channel, at) =>
      chip === undefined || isShadowed(chip, channel)
        ? []
        : [{ chip: index, channel: at, id: `${base}/${channel.type}${channel.index}` }],
    );
  });
}

/** A disk keeps its id when it moves to another slot; anything else is where it is. */
const idBase = ({ driver, place, disk }: RawChip): string =>
  disk?.serial === null || disk?.serial === undefined ? place : `${driver}:${slug(disk.serial)}`;

const slug = (text: string): string => text.trim().replace(/[^\w.:-]+/g, "-");

const UNKNOWN: RawValue = { outcome: "missing", text: null, fault: false, at: null };

/** The readings of one pass. */
export function readings(pass: RawPass, outlines: Outlines): Reading[] {
  return outlines.list.map(({ chip, channel, quantity, still }) => {
    const raw = pass.values[chip]?.[channel] ?? UNKNOWN;
    const { value, validity } = judge(raw, quantity);
    const at: WallTime | null = value === null ? null : raw.at;
    return { ...still, value, validity, at };
  });
}
