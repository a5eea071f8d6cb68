/** Who knows more of this host's sensors than its kernel. */
import { SYSFS_DEFAULT } from "../adapters/sensors/kernel-sensors.ts";
import { createNvidiaSmi } from "../adapters/sensors/nvidia-smi.ts";
import { createSmartFiles } from "../adapters/sensors/smart-files.ts";
import type { ExtraSensors } from "../ports/sensors.ts";

export interface NamedExtra {
  readonly source: string;
  readonly extra: ExtraSensors;
}

/** None for a tree of another host: programs know about this one only. `path`: where they are looked for, as `PATH`. */
export const extraSensors = (root: string, path: string): readonly NamedExtra[] =>
  root === SYSFS_DEFAULT
    ? [
        { source: "nvidia-smi", extra: createNvidiaSmi({ path }) },
        { source: "smartctl", extra: createSmartFiles() },
      ]
    : [];
