/** Looks at the counters of rotational disks before and after they are asked. */
import type { RawValue } from "../../core/thermal/raw.ts";
import type { Instant } from "../../kit/time.ts";
import { type Sysfs, textOf } from "./chips.ts";
import { type DiskLook, mayAsk } from "./disk-rule.ts";

export interface DiskWatch {
  /** Its counters; reading them touches no disk. */
  readonly statPath: string;
  look?: DiskLook;
  /** Of when it was last asked, marked as asleep. */
  last?: readonly RawValue[];
}

interface WithDisk {
  readonly disk: DiskWatch | undefined;
}

/** All but the rotational disks that are to be left alone now. */
export async function askable<T extends WithDisk>(
  sysfs: Sysfs,
  all: readonly T[],
  now: Instant,
): Promise<ReadonlySet<T>> {
  const asked = new Set<T>();
  for (const each of all) {
    const { disk } = each;
    if (disk === undefined) {
      asked.add(each);
      continue;
    }
    const counters = await textOf(sysfs, disk.statPath);
    if (mayAsk(disk.look, counters, now)) asked.add(each);
    disk.look = { counters: counters ?? "", lookedAt: now, askedAt: disk.look?.askedAt };
  }
  return asked;
}

/** What asking itself moved does not count as the disk's own work. */
export async function lookAfter<T extends WithDisk>(
  sysfs: Sysfs,
  all: readonly T[],
  asked: ReadonlySet<T>,
  now: Instant,
): Promise<void> {
  for (const each of all) {
    const { disk } = each;
    if (disk === undefined || !asked.has(each)) continue;
    const counters = (await textOf(sysfs, disk.statPath)) ?? "";
    disk.look = { counters, lookedAt: now, askedAt: now };
  }
}

/** Keeps what a disk said for the time when it is left alone. */
export function remember({ disk }: WithDisk, values: readonly RawValue[]): readonly RawValue[] {
  if (disk !== undefined) {
    const before = disk.last;
    disk.last = values.map((value, at) =>
      value.outcome === "read"
        ? { ...value, outcome: "asleep" }
        : (before?.[at] ?? { outcome: "asleep", text: null, fault: false, at: null }),
    );
  }
  return values;
}
