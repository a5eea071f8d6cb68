/** `balefire sensors`: one look at this host, without a daemon or a state folder. */
import { setTimeout as sleep } from "node:timers/promises";
import { createSensors, SYSFS_DEFAULT } from "../adapters/sensors/kernel-sensors.ts";
import { readLmRules } from "../adapters/sensors/lm-config.ts";
import type { Sensors } from "../ports/sensors.ts";
import { lmSensorsJson } from "../wire/lm-sensors.ts";
import type { SensorsReport } from "../wire/readings.ts";
import { monotonicNow, wallNow } from "./clock.ts";
import { extraSensors } from "./extra-sensors.ts";
import { createSensing, isCpuDriver, sensorsReport } from "./sensing.ts";

export interface SenseOptions {
  readonly sysfsRoot: string | undefined;
  /** `PATH`, where programs are looked for. */
  readonly path: string;
}

export interface Once<T> {
  readonly value: T;
  /** A driver still holds a thread: the process has to be left by force. */
  readonly hanging: boolean;
}

/** Counters that move within this time tell that a rotational disk turns. */
const SECOND_LOOK_MS = 1000;

const moment = () => ({ now: monotonicNow(), wall: wallNow() });

export function senseOnce({ sysfsRoot, path }: SenseOptions): Promise<Once<SensorsReport>> {
  return withSensors(sysfsRoot, async (sensors) => {
    const extras = extraSensors(sysfsRoot ?? SYSFS_DEFAULT, path);
    const sensing = createSensing(
      sensors,
      extras.map(({ extra }) => extra),
    );
    let at = moment();
    let sensed = await sensing.sense(at);
    if (sensed.readings.some(({ validity }) => validity === "idle")) {
      await sleep(SECOND_LOOK_MS);
      at = moment();
      sensed = await sensing.sense(at);
    }
    return sensorsReport(sensed, sensing, sensors, at);
  });
}

export interface LmOptions {
  readonly sysfsRoot: string | undefined;
  readonly wakeDisks: boolean;
}

/** The text of `sensors -j`. */
export function senseAsLm({ sysfsRoot, wakeDisks }: LmOptions): Promise<Once<string>> {
  return withSensors(sysfsRoot, async (sensors) => {
    const [chips, rules] = await Promise.all([sensors.dump(moment(), wakeDisks), readLmRules()]);
    return lmSensorsJson(chips, rules);
  });
}

async function withSensors<T>(
  root: string | undefined,
  work: (sensors: Sensors) => Promise<T>,
): Promise<Once<T>> {
  const sensors = createSensors({ isCpuDriver, ...(root === undefined ? {} : { root }) });
  try {
    return { value: await work(sensors), hanging: sensors.stuck() > 0 };
  } finally {
    sensors.close();
  }
}
