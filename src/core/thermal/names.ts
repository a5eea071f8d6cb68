/** Names that a person knows: the part, its model, its slot. */
import { CPU_DRIVERS } from "./kinds.ts";
import type { RawChannel, RawChip } from "./raw.ts";
import type { ReadingKind } from "./reading.ts";

/** Longer labels and models are cut: readings travel. */
export const NAME_MAX: number = 80;

/** `Tctl`, else `temp1`. */
export const labelOf = ({ label, type, index }: RawChannel): string =>
  label === null || label === "" ? `${type}${index}` : label;

/** Names of the chips' channels need all chips: "CPU" is enough where there is one. */
export function nameOf(
  chip: RawChip,
  channel: RawChannel,
  kind: ReadingKind,
  all: readonly RawChip[],
): string {
  return clipped(named(chip, channel, kind, all));
}

const clipped = (name: string): string => {
  const characters = [...name];
  return characters.length <= NAME_MAX ? name : `${characters.slice(0, NAME_MAX - 1).join("")}…`;
};

function named(chip: RawChip, channel: RawChannel, kind: ReadingKind, all: readonly RawChip[]): string {
  const label = labelOf(channel);
  switch (kind) {
    case "cpu-package":
    case "cpu-core":
    case "cpu-die":
      return cpuName(chip, channel, kind, all);
    case "nvme":
    case "ssd":
    case "hdd":
      return diskName(chip, channel);
    case "gpu":
      return `GPU ${label === "temp1" ? "" : `${label} `}(${chip.device ?? chip.driver})`;
    case "memory":
      return `${memoryName(chip)}${label === "temp1" ? "" : ` ${label}`}`;
    default:
      return `${label} (${boardName(chip, all)})`;
  }
}

function cpuName(chip: RawChip, channel: RawChannel, kind: ReadingKind, all: readonly RawChip[]): string {
  const socket = socketOf(chip, all);
  const cpu = socket === undefined ? "CPU" : `CPU ${socket}`;
  const label = labelOf(channel);
  const number = /\d+/.exec(channel.label ?? "")?.[0];
  if (kind === "cpu-core" && number !== undefined) return `${cpu} core ${number}`;
  if (kind === "cpu-die" && number !== undefined) return `${cpu} die ${number}`;
  return /^(package|tctl|tdie|temp\d)/i.test(label) ? cpu : `${cpu} ${label}`;
}

/** Counted from 0, as the kernel does; undefined where there is but one. */
function socketOf(chip: RawChip, all: readonly RawChip[]): number | undefined {
  const sockets = all.filter(({ driver }) => driver === chip.driver && CPU_DRIVERS.includes(driver));
  if (sockets.length < 2) return undefined;
  const package_ = chip.channels
    .map(({ label }) => /^Package id (\d+)$/.exec(label ?? "")?.[1])
    .find(Boolean);
  if (package_ !== undefined) return Number(package_);
  return sockets
    .map(({ place }) => place)
    .toSorted(byNumbers)
    .indexOf(chip.place);
}

const byNumbers = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

function diskName(chip: RawChip, channel: RawChannel): string {
  const { disk, slot } = chip;
  const model = disk?.model ?? (chip.driver === "nvme" ? "NVMe drive" : "disk");
  const where = [slot === null ? undefined : `slot ${slot}`, disk?.device ?? chip.device ?? undefined];
  const place = where.filter((part) => part !== undefined).join(", ");
  const spot = channel.index > 1 ? ` ${labelOf(channel).toLowerCase()}` : "";
  return `${model}${place === "" ? "" : ` (${place})`}${spot}`;
}

/** JEDEC gives the modules of a bus the addresses 0x18 to 0x1f (EE1004-v, TS) or 0x50 to 0x57 (SPD5118), by slot. */
function memoryName({ bus, device, driver }: RawChip): string {
  if (bus.type !== "i2c") return `memory (${device ?? driver})`;
  return `memory module ${bus.address % 8} (i2c ${bus.address.toString(16).padStart(2, "0")})`;
}

/** With the device where several chips have one name. */
function boardName(chip: RawChip, all: readonly RawChip[]): string {
  const alike = all.filter(({ driver }) => driver === chip.driver).length;
  return alike < 2 || chip.device === null ? chip.driver : `${chip.driver} ${chip.device}`;
}
