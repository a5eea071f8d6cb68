/** "The CPU temperature" of a host: the best source it has, and the hottest of that source. */
import { CPU_DRIVERS, isSocZone } from "./kinds.ts";
import type { Reading } from "./reading.ts";

export interface CpuTemperature {
  readonly celsius: number;
  /** The reading it is taken from. */
  readonly id: string;
  readonly driver: string;
  /** A board or firmware sensor stands in, since the processor's own are missing. */
  readonly standIn: boolean;
}

/** Labels under which board chips show a processor's own digital sensor, then those of a probe beside it. */
const DIGITAL = /^(peci agent|tsi\d|amd tsi|smbusmaster|sb-?tsi)/i;
const BESIDE = /^(cputin|cpu\b)/i;
const ACPI = "acpitz";

/** Lower is better; undefined: says nothing about the CPU. */
function rank({ kind, unit, driver, label }: Reading): number | undefined {
  if (unit !== "celsius") return undefined;
  if (kind.startsWith("cpu-")) {
    const own = CPU_DRIVERS.indexOf(driver);
    if (own >= 0) return own;
    return CPU_DRIVERS.length + (isSocZone(driver) ? 0 : 1);
  }
  const boards = CPU_DRIVERS.length + 2;
  if (driver === ACPI) return boards + 2;
  if (kind !== "board") return undefined;
  if (DIGITAL.test(label)) return boards;
  return BESIDE.test(label) ? boards + 1 : undefined;
}

/** The hottest valid reading among those of the best rank; undefined when nothing tells. */
export function cpuTemperature(readings: readonly Reading[]): CpuTemperature | undefined {
  let best: { readonly rank: number; readonly reading: Reading; readonly value: number } | undefined;
  for (const reading of readings) {
    const { value, validity } = reading;
    if (value === null || validity !== "ok") continue;
    const own = rank(reading);
    if (own === undefined) continue;
    if (best === undefined || own < best.rank || (own === best.rank && value > best.value))
      best = { rank: own, reading, value };
  }
  if (best === undefined) return undefined;
  const { id, driver, kind } = best.reading;
  return { celsius: best.value, id, driver, standIn: !kind.startsWith("cpu-") };
}
