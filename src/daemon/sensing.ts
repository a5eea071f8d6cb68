/** The host's own temperatures: the kernel's sensors and what else tells, as readings that are checked. */
import { cpuTemperature } from "../core/thermal/cpu.ts";
import { CPU_DRIVERS, isSocZone } from "../core/thermal/kinds.ts";
import { type Outlines, outline, readings } from "../core/thermal/normalise.ts";
import type { RawPass } from "../core/thermal/raw.ts";
import type { Reading } from "../core/thermal/reading.ts";
import { readingOf, type Said, withoutKnownDisks } from "../core/thermal/said.ts";
import { isoTime } from "../kit/time.ts";
import type { ExtraSensors, Moment, Sensors, Unexpected } from "../ports/sensors.ts";
import { readingReport, readingSchema, type SensorsReport, type UnexpectedReport } from "../wire/readings.ts";

/** Kinds of surprise that are told apart; further ones are counted as one. */
export const UNEXPECTED_MAX: number = 64;
/** Characters of it that are kept. */
const SAMPLE_MAX = 200;

export interface Sensed {
  readonly readings: readonly Reading[];
  /** Seen for the first time since the start: to be told once. */
  readonly news: readonly Unexpected[];
  /** Sensors beyond the limits. */
  readonly left: number;
}

export interface Sensing {
  /** One pass; never rejects. */
  sense(at: Moment): Promise<Sensed>;
  /** All that was not understood since the start, with counts. */
  unexpected(): readonly UnexpectedReport[];
}

/** Drivers whose presence makes thermal zones needless. */
export const isCpuDriver = (driver: string): boolean => CPU_DRIVERS.includes(driver) || isSocZone(driver);

export function createSensing(sensors: Sensors, extras: readonly ExtraSensors[]): Sensing {
  let outlines: Outlines = outline([]);
  /** Ids whose readings have another shape than all rely on. What varies from pass to pass cannot change that. */
  let refused: ReadonlySet<string> = new Set();
  const seen = new Map<string, UnexpectedReport>();
  const checkedBefore = new WeakMap<readonly Said[], readonly Reading[]>();

  /** Programs are asked rarely, and give the same list until then. */
  const checkedOnce = (said: readonly Said[], surprises: Unexpected[]): readonly Reading[] => {
    const before = checkedBefore.get(said);
    if (before !== undefined) return before;
    const all = said.map(readingOf);
    const wrong = refusedOf(all, surprises);
    const fine = all.filter(({ id }) => !wrong.has(id));
    checkedBefore.set(said, fine);
    return fine;
  };

  const note = (surprise: Unexpected): boolean => {
    const key = `${surprise.source}: ${surprise.what}`;
    const before = seen.get(key);
    if (before === undefined && seen.size >= UNEXPECTED_MAX) return false;
    seen.set(key, { ...surprise, ...before, count: (before?.count ?? 0) + 1 });
    return before === undefined;
  };

  return {
    sense: async (at) => {
      const [pass, ...others] = await Promise.all([
        sensors.read(at),
        ...extras.map((extra) => extra.read(at)),
      ]);
      const surprises = others.flatMap(({ unexpected }) => unexpected);
      const changed = pass.chips !== outlines.chips;
      if (changed) {
        outlines = outline(pass.chips);
        surprises.push(...outlines.duplicates.map(duplicate));
      }
      const kernel = readings(pass, outlines);
      if (changed) refused = refusedOf(kernel, surprises);
      surprises.push(...noNumbers(pass, outlines, kernel));
      const said = others.flatMap((other) => checkedOnce(other.said, surprises));
      const fine = refused.size === 0 ? kernel : kernel.filter(({ id }) => !refused.has(id));
      return {
        readings: [...fine, ...withoutKnownDisks(fine, said)],
        news: surprises.filter(note),
        left: pass.left + outlines.left,
      };
    },
    unexpected: () => [...seen.values()],
  };
}

const duplicate = (id: string): Unexpected => ({
  source: "kernel",
  what: `two sensors are ${id}`,
  sample: id,
});

/** What drivers print instead of numbers. */
function noNumbers(pass: RawPass, outlines: Outlines, kernel: readonly Reading[]): readonly Unexpected[] {
  return kernel.flatMap(({ validity, driver, label }, index) => {
    if (validity !== "unexpected") return [];
    const place = outlines.list[index];
    const text = place === undefined ? undefined : pass.values[place.chip]?.[place.channel]?.text;
    return [{ source: driver, what: `${label} is not a number`, sample: (text ?? "").slice(0, SAMPLE_MAX) }];
  });
}

/** Ids of readings that do not pass the schema; each is a surprise. */
function refusedOf(all: readonly Reading[], surprises: Unexpected[]): ReadonlySet<string> {
  const refused = new Set<string>();
  for (const reading of all) {
    const result = readingSchema.safeParse(reading);
    if (result.success) continue;
    const [issue] = result.error.issues;
    const what = `a reading whose ${issue?.path.join(".") ?? ""} is not as it should be`;
    surprises.push({ source: reading.driver, what, sample: JSON.stringify(reading).slice(0, SAMPLE_MAX) });
    refused.add(reading.id);
  }
  return refused;
}

export function sensorsReport(sensed: Sensed, sensing: Sensing, sensors: Sensors, at: Moment): SensorsReport {
  return {
    schema: 1,
    at: isoTime(at.wall),
    cpu: cpuTemperature(sensed.readings) ?? null,
    readings: sensed.readings.map(readingReport),
    unexpected: sensing.unexpected(),
    left: sensed.left,
    stuck: sensors.stuck(),
  };
}
