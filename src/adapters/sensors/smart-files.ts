/**
 * Disks that only root can ask: a timer runs `smartctl` and leaves its JSON in a folder, which is read
 * here (packaging/balefire-smart). `sda.json` is what the disk said when it was last awake, `sda.idle`
 * stands beside it since it has been left alone.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Said } from "../../core/thermal/said.ts";
import { between, type Duration, type Instant, minutes, type WallTime, wallTime } from "../../kit/time.ts";
import type { ExtraPass, ExtraSensors, Unexpected } from "../../ports/sensors.ts";
import { sampleOf } from "./sample.ts";

export const SMART_FOLDER_DEFAULT: string = "/run/balefire-smart";
/** The timer runs every five minutes. */
export const SMART_INTERVAL: Duration = minutes(1);
/** Files that nobody has written for this long say nothing about now. */
export const SMART_STALE: Duration = minutes(20);
/** smartctl's longest outputs have some 100 kB. */
const FILE_BYTES_MAX = 524_288;
const FILES_MAX = 128;
const SOURCE = "smartctl";
const MS_PER_SECOND = 1000;
/** Some SCSI disks give 255 for "none". */
const TRIP_MOST = 150;

/** As much of smartctl's JSON (smartmontools 7, format 1.0) as is used; the rest may be anything. */
const smartOutput = z.object({
  json_format_version: z.array(z.number()).optional(),
  local_time: z.object({ time_t: z.number().int().min(0).max(8.64e12) }),
  device: z.object({ name: z.string().max(100), protocol: z.string().max(20).optional() }),
  model_name: z.string().max(100).optional(),
  serial_number: z.string().max(100),
  rotation_rate: z.number().optional(),
  temperature: z.object({ current: z.number(), drive_trip: z.number().optional() }).optional(),
});
type SmartOutput = z.infer<typeof smartOutput>;

const NOTHING: ExtraPass = { said: [], unexpected: [] };

export function createSmartFiles(folder: string = SMART_FOLDER_DEFAULT): ExtraSensors {
  let readAt: Instant | undefined;
  let latest = NOTHING;
  return {
    read: async ({ now, wall }) => {
      if (readAt !== undefined && between(readAt, now) < SMART_INTERVAL) return { ...latest, unexpected: [] };
      readAt = now;
      latest = await disksIn(folder, wall);
      return latest;
    },
  };
}

async function disksIn(folder: string, wall: WallTime): Promise<ExtraPass> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  const said: Said[] = [];
  const unexpected: Unexpected[] = [];
  for (const name of names.filter((each) => each.endsWith(".json")).slice(0, FILES_MAX)) {
    const idle = `${name.slice(0, -".json".length)}.idle`;
    const left = names.includes(idle);
    const fresh = await isFresh(join(folder, left ? idle : name), wall);
    const text = fresh ? await fileText(join(folder, name)) : undefined;
    if (text === undefined) continue;
    const output = parsed(text);
    if (output === undefined) {
      unexpected.push({ source: SOURCE, what: "output of another shape", sample: sampleOf(text) });
      continue;
    }
    said.push(diskReading(output, left));
  }
  return { said, unexpected };
}

/** Written of late: the timer still runs. */
const isFresh = (path: string, wall: WallTime): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => wall - mtimeMs <= SMART_STALE,
    () => false,
  );

/** Undefined when it is gone or too long. */
async function fileText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    return size > FILE_BYTES_MAX ? undefined : await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

function parsed(text: string): SmartOutput | undefined {
  try {
    return smartOutput.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function diskReading(output: SmartOutput, idle: boolean): Said {
  const { device, model_name: model, serial_number: serial, temperature } = output;
  const trip = temperature?.drive_trip;
  const at = wallTime(output.local_time.time_t * MS_PER_SECOND);
  return {
    id: `smart:${serial.trim().replace(/[^\w.:-]+/g, "-")}/temp1`,
    kind: kindOf(output),
    name: `${model ?? "disk"} (${device.name.replace(/^\/dev\//, "")})`,
    unit: "celsius",
    driver: SOURCE,
    label: "temperature",
    value: temperature?.current ?? null,
    idle,
    limits: trip !== undefined && trip > 0 && trip < TRIP_MOST ? { crit: trip } : {},
    at,
  };
}

function kindOf({ device, rotation_rate: rate }: SmartOutput): "nvme" | "ssd" | "hdd" {
  if (device.protocol === "NVMe") return "nvme";
  return rate === 0 ? "ssd" : "hdd";
}
