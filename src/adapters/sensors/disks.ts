/** The disk behind a chip, and which slot it or another device is in. */
import { basename, dirname, join } from "node:path";
import type { RawDisk } from "../../core/thermal/raw.ts";
import { type FoundChip, listed, type Sysfs, textOf } from "./chips.ts";

export interface DiskBehind extends RawDisk {
  /** Its counters; reading them touches no disk. */
  readonly statPath: string;
}

/** Undefined when the chip is not a disk's. Everything read here was kept by the kernel since the disk was found. */
export async function diskBehind(sysfs: Sysfs, chip: FoundChip): Promise<DiskBehind | undefined> {
  const { driver, devicePath } = chip;
  if (devicePath === undefined) return undefined;
  if (driver === "drivetemp") return scsiDisk(sysfs, devicePath);
  return driver === "nvme" ? nvmeDisk(sysfs, devicePath) : undefined;
}

async function scsiDisk(sysfs: Sysfs, devicePath: string): Promise<DiskBehind | undefined> {
  const { names } = await listed(join(devicePath, "block"), () => true);
  const device = names[0];
  const block = join(devicePath, "block", device ?? "");
  return {
    device: device ?? basename(devicePath),
    model: trimmed(await textOf(sysfs, join(devicePath, "model"))),
    serial:
      serialIn(await textOf(sysfs, join(devicePath, "vpd_pg80"))) ??
      trimmed(await textOf(sysfs, join(devicePath, "wwid"))),
    // A disk that does not say is treated as one that could be woken.
    rotational: (await textOf(sysfs, join(block, "queue/rotational")))?.trim() !== "0",
    statPath: join(block, "stat"),
  };
}

/** Before Linux 5.5 the chip hung below the PCI device, since then below the controller. */
async function nvmeDisk(sysfs: Sysfs, devicePath: string): Promise<DiskBehind> {
  const { names } = await listed(join(devicePath, "nvme"), ({ name }) => /^nvme\d+$/.test(name));
  const controller = names[0] === undefined ? devicePath : join(devicePath, "nvme", names[0]);
  return {
    device: basename(controller),
    model: trimmed(await textOf(sysfs, join(controller, "model"))),
    serial: trimmed(await textOf(sysfs, join(controller, "serial"))),
    rotational: false,
    statPath: join(controller, `${basename(controller)}n1`, "stat"),
  };
}

function trimmed(text: string | null): string | null {
  const short = (text ?? "").replaceAll("\0", "").trim();
  return short === "" ? null : short;
}

/** Unit serial number page (SPC-6, 7.7.18): four bytes before the text. */
const serialIn = (page: string | null): string | null =>
  page === null || page.length <= 4 ? null : trimmed(page.slice(4));

/** PCI address without function (`0000:01:00`) to the slot's name, where the firmware tells. */
export async function pciSlots(sysfs: Sysfs): Promise<ReadonlyMap<string, string>> {
  const folder = join(sysfs.root, "bus/pci/slots");
  const { names } = await listed(folder, () => true);
  const slots = new Map<string, string>();
  for (const name of names) {
    const address = trimmed(await textOf(sysfs, join(folder, name, "address")));
    if (address !== null) slots.set(address, name);
  }
  return slots;
}

/** The bay of an enclosure that says which disk is in it, else the PCI slot of the device or what is above it. */
export async function slotOf(
  devicePath: string | undefined,
  slots: ReadonlyMap<string, string>,
): Promise<string | null> {
  if (devicePath === undefined) return null;
  const { names } = await listed(devicePath, ({ name }) => name.startsWith("enclosure_device:"));
  const bay = names[0]?.slice("enclosure_device:".length).trim();
  if (bay !== undefined && bay !== "") return bay;
  for (let path = devicePath; path.length > 1; path = dirname(path)) {
    const slot = slots.get(basename(path).replace(/\.[\da-f]$/, ""));
    if (slot !== undefined) return slot;
  }
  return null;
}
