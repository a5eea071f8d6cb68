/** Where devices are, in words that stay the same from boot to boot. */
import type { ChipBus } from "../../core/thermal/raw.ts";

/** A device's folder, cut at slashes, to its place: numbers that depend on the order of probing are left out. */
export function placeOf(devicePath: string, adapters: ReadonlyMap<string, string>): string {
  return devicePath
    .split("/")
    .map((part) => stablePart(part, adapters))
    .filter((part) => part !== "")
    .join("/");
}

function stablePart(part: string, adapters: ReadonlyMap<string, string>): string {
  if (/^(hwmon\d*|host\d+|target[\d:]+|nvme\d+)$/.test(part)) return "";
  // Adapters are numbered as they are found; their names tell those of one device apart.
  if (/^i2c-\d+$/.test(part)) return `i2c:${slug(adapters.get(part) ?? "")}`;
  return (
    part
      // I2C client `3-0050`, SCSI device `0:0:1:0`, HID device `0003:1B1C:1C05.0005`.
      .replace(/^\d+-([\da-f]{4})$/, "$1")
      .replace(/^\d+(:\d+:\d+:\d+)$/, "scsi$1")
      .replace(/^([\dA-F]{4}:[\dA-F]{4}:[\dA-F]{4})\.[\dA-F]{4}$/, "$1")
  );
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

export const VIRTUAL_BUS: ChipBus = { type: "virtual", number: 0, address: 0 };

/**
 * Which bus libsensors 3.6 puts a device on, by its subsystem and its name; undefined when it looks
 * further, at the device's own `device`. A device without subsystem is taken for what its name looks like.
 */
export function busOf(subsystem: string | undefined, name: string): ChipBus | undefined {
  const among = (...names: readonly string[]): boolean =>
    subsystem === undefined || names.includes(subsystem);
  const i2c = among("i2c") ? /^(\d+)-([\da-f]+)/i.exec(name) : null;
  if (i2c !== null) return i2cBus(Number(i2c[1]), Number.parseInt(i2c[2] ?? "", 16));
  const spi = among("spi") ? /^spi(\d+)\.(\d+)/.exec(name) : null;
  if (spi !== null) return { type: "spi", number: Number(spi[1]), address: Number(spi[2]) };
  const pci = among("pci") ? hexParts(/^([\da-f]+):([\da-f]+):([\da-f]+)\.([\da-f]+)/i.exec(name)) : null;
  if (pci !== null) return { type: "pci", number: 0, address: pciAddress(pci) };
  if (among("platform", "of_platform"))
    return { type: "isa", number: 0, address: Number(/^[a-z\d_]+\.(\d+)/.exec(name)?.[1] ?? 0) };
  if (subsystem === "acpi") return { type: "acpi", number: 0, address: 0 };
  const hid =
    subsystem === "hid" ? hexParts(/^([\da-f]+):([\da-f]+):([\da-f]+)\.([\da-f]+)/i.exec(name)) : null;
  if (hid !== null) return { type: "hid", number: hid[0] ?? 0, address: hid[3] ?? 0 };
  if (subsystem === "mdio_bus")
    return { type: "mdio", number: 0, address: Number(/^[^:]+:(\d+)/.exec(name)?.[1] ?? 0) };
  const scsi = subsystem === "scsi" ? /^(\d+):(\d+):(\d+):([\da-f]+)/i.exec(name) : null;
  return scsi === null ? undefined : scsiBus(scsi);
}

/** Adapter 9191 was the ISA bus of kernels before 2.6.16. */
const i2cBus = (number: number, address: number): ChipBus =>
  number === 9191 ? { type: "isa", number: 0, address } : { type: "i2c", number, address };

function scsiBus([, host, channel, target, unit]: RegExpExecArray): ChipBus {
  const address = Number(channel) * 256 + Number(target) * 16 + Number.parseInt(unit ?? "", 16);
  return { type: "scsi", number: Number(host), address };
}

const hexParts = (found: RegExpExecArray | null): readonly number[] | null =>
  found === null ? null : found.slice(1).map((part) => Number.parseInt(part, 16));

/** In 32 bits, as libsensors counts: of a domain only the low 16 bits remain. */
const pciAddress = ([domain = 0, bus = 0, slot = 0, part = 0]: readonly number[]): number =>
  ((domain << 16) + (bus << 8) + (slot << 3) + part) >>> 0;
