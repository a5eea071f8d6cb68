/** Looks at this host's sensors again and again. One look at a time; what hangs in a driver holds up nothing else. */
import { createSensors } from "../adapters/sensors/kernel-sensors.ts";
import type { SingleInput } from "../core/io.ts";
import { between, type Duration, type Instant, seconds } from "../kit/time.ts";
import type { Sensors, Unexpected } from "../ports/sensors.ts";
import type { SettingValues } from "../wire/config-settings.ts";
import { monotonicNow, wallNow } from "./clock.ts";
import { extraSensors } from "./extra-sensors.ts";
import type { Log } from "./log.ts";
import { createSensing, isCpuDriver, type Sensed, type Sensing } from "./sensing.ts";
import { unhurried } from "./unhurried.ts";

/** A look that has not ended by now hangs: all that waits within it has shorter limits of its own. */
export const LOOK_HANGS: Duration = seconds(30);

export interface SensorWatchOptions {
  /** `PATH`, where programs that know more are looked for. */
  readonly path: string;
  readonly push: (input: SingleInput) => void;
  readonly log: Pick<Log, "info" | "warning">;
}

export type SensorSettings = Pick<SettingValues, "sensors.watch" | "sensors.every" | "sensors.sysfsRoot">;

/** What doctor says of the watch. */
export interface SensorsState {
  readonly watched: boolean;
  readonly every: Duration;
  /** Of the latest look; undefined before the first. */
  readonly readings: number | undefined;
  /** Sensors beyond the limits. */
  readonly left: number;
  /** Drivers that do not answer. */
  readonly stuck: number;
  /** A look has not ended for `LOOK_HANGS`. */
  readonly hangs: boolean;
  /** What was not understood. */
  readonly unexpected: number;
}

export interface SensorWatch {
  /** Begins, or goes on with other settings. */
  configure(settings: SensorSettings): void;
  state(): SensorsState;
  /** Ends it. A look that is under way is not waited for. */
  close(): void;
}

interface Source {
  readonly root: string;
  readonly sensors: Sensors;
  readonly sensing: Sensing;
}

export function createSensorWatch({ path, push, log }: SensorWatchOptions): SensorWatch {
  let every: Duration = seconds(0);
  let source: Source | undefined;
  let timer: NodeJS.Timeout | undefined;
  let begunAt = monotonicNow();
  let lookingSince: Instant | undefined;
  let latest: Sensed | undefined;
  /** Once anything was known, all passes are of interest: also one in which everything is gone. */
  let told: "nothing" | "something" | "off" = "nothing";

  const tell = (sensed: Sensed): void => {
    latest = sensed;
    for (const surprise of sensed.news) log.warning(surpriseLine(surprise));
    if (sensed.readings.length > 0) told = "something";
    if (told === "something") push({ type: "readings", readings: sensed.readings });
  };

  const look = async (from: Source): Promise<void> => {
    const now = monotonicNow();
    lookingSince = now;
    const hanging = setTimeout(
      () => log.warning("a look at the sensors does not end; there is none until it does"),
      LOOK_HANGS,
    );
    hanging.unref();
    const sensed = await from.sensing.sense({ now, wall: wallNow() });
    clearTimeout(hanging);
    if (source !== from) return;
    lookingSince = undefined;
    tell(sensed);
    begunAt = now;
    waitFor(from);
  };

  /** Looks begin `every` apart, or one after the other where they take longer. */
  const waitFor = (from: Source): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(from), Math.max(0, every - between(begunAt, monotonicNow())));
  };

  const end = (): void => {
    clearTimeout(timer);
    source?.sensors.close();
    source = undefined;
    lookingSince = undefined;
    latest = undefined;
  };

  return {
    configure: (settings) => {
      every = settings["sensors.every"];
      const root = settings["sensors.sysfsRoot"];
      if (settings["sensors.watch"] === "off") {
        end();
        // What is known of them is not of now any more; also what an earlier process knew.
        if (told !== "off") push({ type: "readings", readings: [], unwatched: true });
        told = "off";
        return;
      }
      if (source?.root === root) {
        if (lookingSince === undefined) waitFor(source);
        return;
      }
      end();
      source = open(root, path);
      void look(source);
    },
    state: () => ({
      watched: source !== undefined,
      every,
      readings: latest?.readings.length,
      left: latest?.left ?? 0,
      stuck: source?.sensors.stuck() ?? 0,
      hangs: lookingSince !== undefined && between(lookingSince, monotonicNow()) >= LOOK_HANGS,
      unexpected: source?.sensing.unexpected().length ?? 0,
    }),
    close: end,
  };
}

function open(root: string, path: string): Source {
  const sensors = createSensors({ root, isCpuDriver });
  const extras = extraSensors(root, path).map(({ extra, source }) => unhurried(extra, source));
  return { root, sensors, sensing: createSensing(sensors, extras) };
}

const surpriseLine = ({ source, what, sample }: Unexpected): string =>
  `a sensor said something that is not understood: ${source}: ${what}${sample === "" ? "" : ` (${sample})`}`;
