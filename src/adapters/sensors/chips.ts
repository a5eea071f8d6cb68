/** Finds the chips under `class/hwmon`, what they are and where. Reads names and links, never a sensor. */
import { opendir, readlink, realpath } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { ChipBus } from "../../core/thermal/raw.ts";
import { subfeatureOf } from "../../wire/lm-subfeatures.ts";
import { attribute, type PatientReader } from "./patient-reader.ts";
import { busOf, placeOf, VIRTUAL_BUS } from "./places.ts";

/** More chips than this are left alone; the largest servers have some dozens. */
export const CHIPS_MAX: number = 256;
/** Files of one chip that are looked at. */
export const FILES_MAX: number = 4096;

export interface FoundChip {
  /** Of the hwmon class: `hwmon3`. */
  readonly entry: string;
  readonly driver: string;
  /** Where its attributes are: the hwmon folder, or the device's for old drivers. */
  readonly folder: string;
  /** Regular files in the folder, as it lists them. */
  readonly files: readonly string[];
  readonly bus: ChipBus;
  /** Name of its I2C adapter, null otherwise. */
  readonly adapter: string | null;
  /** The device's folder without symbolic links; undefined for a chip without device. */
  readonly devicePath: string | undefined;
  readonly place: string;
  /** Chips that share what can hang share this: those of one I2C bus. */
  readonly lane: string;
}

export interface FoundChips {
  readonly chips: readonly FoundChip[];
  /** Entries of the class, sorted: to notice a change. */
  readonly entries: readonly string[];
  /** Chips and files beyond the limits. */
  readonly left: number;
}

/** A sysfs tree: its root, and how its files are read. */
export interface Sysfs {
  readonly root: string;
  readonly patient: PatientReader;
}

export async function findChips(sysfs: Sysfs): Promise<FoundChips> {
  const root = await realpath(sysfs.root).catch(() => sysfs.root);
  const folder = join(root, "class/hwmon");
  const { names } = await listed(folder, () => true);
  const adapters = await i2cAdapters({ ...sysfs, root });
  const chips: FoundChip[] = [];
  let left = Math.max(0, names.length - CHIPS_MAX);
  for (const entry of names.slice(0, CHIPS_MAX)) {
    const found = await findChip({ ...sysfs, root }, join(folder, entry), adapters);
    if (found === undefined) continue;
    chips.push(found.chip);
    left += found.left;
  }
  return { chips, entries: names.toSorted(), left };
}

/** Names in a folder in the order in which the kernel lists them, on which lm-sensors' output depends; none when it cannot be listed. */
export async function listed(
  folder: string,
  wanted: (entry: { isFile(): boolean; readonly name: string }) => boolean,
): Promise<{ readonly names: readonly string[]; readonly left: number }> {
  const names: string[] = [];
  let left = 0;
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.name.startsWith(".") || !wanted(entry)) continue;
      if (names.length < FILES_MAX) names.push(entry.name);
      else left += 1;
    }
  } catch {
    // Gone while being listed: what was seen so far counts.
  }
  return { names, left };
}

/** The text of a file, newline included; null when there is none or it does not answer. */
export async function textOf({ patient }: Sysfs, path: string): Promise<string | null> {
  const file = attribute(path, false);
  await patient.read([{ key: path, attributes: [file] }]);
  return file.text;
}

async function findChip(
  sysfs: Sysfs,
  hwmon: string,
  adapters: ReadonlyMap<string, string>,
): Promise<{ readonly chip: FoundChip; readonly left: number } | undefined> {
  const devicePath = await realpath(join(hwmon, "device")).catch(() => undefined);
  for (const folder of devicePath === undefined ? [hwmon] : [hwmon, devicePath]) {
    const driver = nameIn(await textOf(sysfs, join(folder, "name")));
    if (driver === undefined) continue;
    const { names, left } = await listed(folder, (entry) => entry.isFile());
    if (!names.some((name) => subfeatureOf(name) !== undefined)) continue;
    const bus = devicePath === undefined ? VIRTUAL_BUS : await findBus(devicePath);
    const adapterId = `i2c-${bus.number}`;
    const chip = {
      entry: basename(hwmon),
      driver,
      folder,
      files: names,
      bus,
      adapter: bus.type === "i2c" ? (adapters.get(adapterId) ?? null) : null,
      devicePath,
      place: chipPlace(sysfs.root, devicePath, driver, adapters),
      lane: bus.type === "i2c" ? adapterId : folder,
    };
    return { chip, left };
  }
  return undefined;
}

/** The first line without its last character, a newline, of at most 127 characters: as libsensors reads it. */
function nameIn(text: string | null): string | undefined {
  if (text === null || text === "") return undefined;
  const end = text.indexOf("\n");
  return end < 0 ? text.slice(0, 127).slice(0, -1) : text.slice(0, Math.min(end, 126));
}

function chipPlace(
  root: string,
  devicePath: string | undefined,
  driver: string,
  adapters: ReadonlyMap<string, string>,
): string {
  // Zones are numbered as they register; a driver's name of itself is all that lasts.
  if (devicePath === undefined || /\/thermal_zone\d+$/.test(devicePath)) return `virtual/${driver}`;
  return placeOf(relative(join(root, "devices"), devicePath), adapters);
}

/** Devices without a bus of their own (an NVMe controller, a battery) may have another device behind them. */
const DEVICES_DEEP_MAX = 16;

async function findBus(devicePath: string): Promise<ChipBus> {
  let path = devicePath;
  for (let depth = 0; depth < DEVICES_DEEP_MAX; depth += 1) {
    const bus = busOf(await subsystemOf(path), basename(path));
    if (bus !== undefined) return bus;
    const behind = await realpath(join(path, "device")).catch(() => undefined);
    if (behind === undefined) break;
    path = behind;
  }
  return VIRTUAL_BUS;
}

async function subsystemOf(path: string): Promise<string | undefined> {
  const target = await readlink(join(path, "subsystem")).catch(() => undefined);
  return target === undefined ? undefined : basename(target);
}

/** `i2c-0` to its name. Kernels from 6.13 on have no class for them, only the bus. */
async function i2cAdapters(sysfs: Sysfs): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const folder of ["class/i2c-adapter", "bus/i2c/devices"]) {
    const path = join(sysfs.root, folder);
    const { names } = await listed(path, ({ name }) => /^i2c-\d+$/.test(name));
    for (const name of names.slice(0, CHIPS_MAX)) {
      const text = nameIn(await textOf(sysfs, join(path, name, "name")));
      if (text !== undefined) found.set(name, text);
    }
    if (names.length > 0) break;
  }
  return found;
}
