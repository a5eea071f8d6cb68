/** What a channel measures, as far as its driver's name and label tell. */
import type { ChannelType, RawChannel, RawChip } from "./raw.ts";
import type { ReadingKind } from "./reading.ts";

const BY_TYPE: Readonly<Record<Exclude<ChannelType, "temp">, ReadingKind>> = {
  fan: "fan",
  in: "voltage",
  curr: "current",
  power: "power",
  humidity: "humidity",
};

/** Drivers all of whose temperatures are of one kind. */
const BY_DRIVER: ReadonlyMap<string, ReadingKind> = new Map([
  ["nvme", "nvme"],
  ["amdgpu", "gpu"],
  ["radeon", "gpu"],
  ["nouveau", "gpu"],
  ["i915", "gpu"],
  ["xe", "gpu"],
  ["jc42", "memory"],
  ["spd5118", "memory"],
  ["peci_dimmtemp", "memory"],
  ["k8temp", "cpu-core"],
  ["via_cputemp", "cpu-package"],
] as const);

/** Drivers of a processor's own sensors, best first: the order in which they stand for "the CPU temperature". */
export const CPU_DRIVERS: readonly string[] = ["coretemp", "k10temp", "zenpower", "k8temp", "via_cputemp"];

/** Thermal zones of systems on a chip, and the package zone of Intel's: `cpu_thermal`, `soc-thermal`, `cpuss0-thermal`. */
const SOC_ZONE =
  /^(cpu|cpuss|soc|bigcore|littlecore|cluster|package|x86_pkg_temp)[\d_-]*(thermal|temp)?[\d_-]*$/i;
export const isSocZone = (driver: string): boolean => SOC_ZONE.test(driver);

const AMBIENT = /ambient|inlet|intake|front ?panel|room|outside/i;

export function kindOf(chip: RawChip, channel: RawChannel): ReadingKind {
  if (channel.type !== "temp") return BY_TYPE[channel.type];
  const label = channel.label ?? "";
  if (chip.driver === "drivetemp") return chip.disk?.rotational === true ? "hdd" : "ssd";
  const fixed = BY_DRIVER.get(chip.driver);
  if (fixed !== undefined) return fixed;
  if (CPU_DRIVERS.includes(chip.driver)) return cpuKind(label);
  if (isSocZone(chip.driver)) return "cpu-package";
  return AMBIENT.test(label) ? "ambient" : "board";
}

function cpuKind(label: string): ReadingKind {
  if (/^core\b/i.test(label)) return "cpu-core";
  return /^tccd\d/i.test(label) ? "cpu-die" : "cpu-package";
}

/**
 * Tctl of early Ryzen and Threadripper is 10 to 49 °C above any temperature, for the fan's sake; the
 * kernel then shows Tdie beside it (drivers/hwmon/k10temp.c), which is the one to believe.
 */
export const isShadowed = (chip: RawChip, channel: RawChannel): boolean =>
  channel.label === "Tctl" && chip.channels.some(({ label }) => label === "Tdie");

/** The drive's composite temperature is what its limits are about; the others are spots of it (NVMe base specification, figure "SMART / Health Information"). */
export const isSpot = (chip: RawChip, channel: RawChannel): boolean =>
  chip.driver === "nvme" && channel.type === "temp" && channel.index > 1;
