/** Thermal zones, for systems whose CPU has no hwmon chip: a Raspberry Pi, say. */
import { join } from "node:path";
import type { ChannelType, Setting } from "../../core/thermal/raw.ts";
import type { Channel } from "./channels.ts";
import { listed, type Sysfs, textOf } from "./chips.ts";
import { type Attribute, attribute } from "./patient-reader.ts";

export const ZONES_MAX: number = 64;
/** The kernel's own limit was 12 until 6.11; more than a few are not used. */
const TRIPS_MAX = 12;

export interface Zone {
  readonly type: string;
  readonly folder: string;
  readonly channel: Channel;
}

/** Zones whose type no hwmon chip has: the kernel shows most zones in both places, there with `_` for `-`. */
export async function findZones(sysfs: Sysfs, drivers: ReadonlySet<string>): Promise<readonly Zone[]> {
  const folder = join(sysfs.root, "class/thermal");
  const { names } = await listed(folder, ({ name }) => /^thermal_zone\d+$/.test(name));
  const zones: Zone[] = [];
  for (const name of names.slice(0, ZONES_MAX)) {
    const path = join(folder, name);
    const type = (await textOf(sysfs, join(path, "type")))?.trim() ?? "";
    if (type === "" || drivers.has(type) || drivers.has(type.replaceAll("-", "_"))) continue;
    const settings = await tripsOf(sysfs, path);
    const value = attribute(join(path, "temp"), true);
    const temp: ChannelType = "temp";
    zones.push({
      type,
      folder: path,
      channel: { type: temp, index: 1, value, fault: undefined, label: undefined, settings },
    });
  }
  return zones;
}

const TRIP_SETTINGS: Readonly<Record<string, Setting>> = { critical: "crit", hot: "max" };

async function tripsOf(sysfs: Sysfs, path: string): Promise<ReadonlyMap<Setting, Attribute>> {
  const settings = new Map<Setting, Attribute>();
  for (let trip = 0; trip < TRIPS_MAX; trip += 1) {
    const type = (await textOf(sysfs, join(path, `trip_point_${trip}_type`)))?.trim();
    if (type === undefined) break;
    const setting = TRIP_SETTINGS[type];
    if (setting !== undefined) settings.set(setting, attribute(join(path, `trip_point_${trip}_temp`), false));
  }
  return settings;
}
