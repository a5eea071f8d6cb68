/** GPUs under NVIDIA's own driver, which has no hwmon: what `nvidia-smi` says. */
import { type ChildProcess, execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Said } from "../../core/thermal/said.ts";
import { between, type Duration, type Instant, minutes, seconds, type WallTime } from "../../kit/time.ts";
import type { ExtraPass, ExtraSensors, Unexpected } from "../../ports/sensors.ts";
import { sampleOf } from "./sample.ts";

/** Starting it takes tens of milliseconds of CPU, seconds without the persistence daemon. */
export const NVIDIA_INTERVAL: Duration = minutes(1);
export const NVIDIA_TIMEOUT: Duration = seconds(5);
/** How often an absent program is looked for. */
const LOOK_INTERVAL: Duration = minutes(10);
const OUTPUT_BYTES_MAX = 65_536;
const GPUS_MAX = 32;
const SOURCE = "nvidia-smi";

/** `nvidia-smi --help-query-gpu` explains each. */
const FIELDS = [
  "uuid",
  "name",
  "pci.bus_id",
  "temperature.gpu",
  "temperature.memory",
  "fan.speed",
  "power.draw",
] as const;

export interface NvidiaOptions {
  /** Where the program is looked for, as `PATH` has it. */
  readonly path: string;
  /** Default: `NVIDIA_TIMEOUT`. */
  readonly timeout?: Duration;
}

const NOTHING: ExtraPass = { said: [], unexpected: [] };

export function createNvidiaSmi({ path, timeout = NVIDIA_TIMEOUT }: NvidiaOptions): ExtraSensors {
  let program: string | undefined;
  let lookedAt: Instant | undefined;
  let askedAt: Instant | undefined;
  let latest = NOTHING;
  /** One that did not end when it was killed waits for the driver; another would join it. */
  let running: ChildProcess | undefined;

  const find = async (now: Instant): Promise<string | undefined> => {
    if (program !== undefined || (lookedAt !== undefined && between(lookedAt, now) < LOOK_INTERVAL))
      return program;
    lookedAt = now;
    program = await inPath(path);
    return program;
  };

  return {
    read: async ({ now, wall }) => {
      const found = await find(now);
      if (found === undefined) return NOTHING;
      if (askedAt !== undefined && between(askedAt, now) < NVIDIA_INTERVAL)
        return { ...latest, unexpected: [] };
      askedAt = now;
      if (running !== undefined) latest = silent("does not end");
      else {
        const text = await run(found, timeout, (child) => {
          running = child;
        });
        latest = text === undefined ? silent("does not answer") : gpusIn(text, wall);
      }
      return latest;
    },
  };
}

const silent = (what: string): ExtraPass => ({
  said: [],
  unexpected: [{ source: SOURCE, what, sample: "" }],
});

async function inPath(path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((part) => part.startsWith("/"))) {
    const candidate = join(folder, SOURCE);
    const usable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return candidate;
  }
  return undefined;
}

/** What it prints; undefined when it fails, or has not ended in time: a hanging driver cannot be killed, so nobody waits for the end. */
function run(
  program: string,
  timeout: Duration,
  track: (child: ChildProcess | undefined) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const args = [`--query-gpu=${FIELDS.join(",")}`, "--format=csv,noheader,nounits"];
    const child = execFile(program, args, { maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout) => {
      clearTimeout(timer);
      resolve(error === null ? stdout : undefined);
    });
    track(child);
    child.once("exit", () => track(undefined));
    child.once("error", () => track(undefined));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve(undefined);
    }, timeout);
  });
}

/** One GPU a line. */
export function gpusIn(text: string, wall: WallTime): ExtraPass {
  const said: Said[] = [];
  const unexpected: Unexpected[] = [];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  for (const line of lines.slice(0, GPUS_MAX)) {
    const values = line.split(",").map((value) => value.trim());
    const [uuid = "", name = "", bus = ""] = values;
    if (values.length !== FIELDS.length || !/^GPU-[\da-f-]+$/i.test(uuid)) {
      unexpected.push({ source: SOURCE, what: "a line that is no GPU", sample: sampleOf(line) });
      continue;
    }
    said.push(...gpu(uuid, `${name} (${bus.toLowerCase()})`, values.slice(3), wall));
    for (const value of values.slice(3))
      if (numberOf(value) === undefined && !ABSENT.test(value))
        unexpected.push({ source: SOURCE, what: "a value that is no number", sample: sampleOf(line) });
  }
  return { said, unexpected };
}

/** `[N/A]`, `[Not Supported]`, `N/A`: this GPU has no such sensor. */
const ABSENT = /^\[?(n\/a|not supported)\]?$/i;
const numberOf = (text: string): number | undefined =>
  /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;

function gpu(uuid: string, name: string, values: readonly string[], at: WallTime): readonly Said[] {
  const [core = "", memory = "", fan = "", power = ""] = values;
  const common = { driver: SOURCE, at };
  const parts = [
    { text: core, label: "core", kind: "gpu", unit: "celsius", suffix: "" },
    { text: memory, label: "memory", kind: "gpu", unit: "celsius", suffix: " memory" },
    { text: fan, label: "fan", kind: "fan", unit: "percent", suffix: " fan" },
    { text: power, label: "power", kind: "power", unit: "watt", suffix: " power" },
  ] as const;
  return parts
    .filter(({ text }) => !ABSENT.test(text))
    .map(({ text, label, kind, unit, suffix }) => ({
      ...common,
      id: `nvidia:${uuid}/${label}`,
      kind,
      unit,
      label,
      name: `${name}${suffix}`,
      value: numberOf(text) ?? null,
      idle: false,
      limits: {},
    }));
}
