/**
 * A host's judgement of its own sensors: what has been past a limit for long enough, a fan that ran and
 * stands still, a sensor that is gone. Pure: readings and the time go in, changes come out.
 */
import { sha256Hex } from "../../kit/hash.ts";
import { after, type Duration, type Instant, seconds } from "../../kit/time.ts";
import { classOf, type HeatLimits, type HeatPolicy, heatLimits } from "./heat-policy.ts";
import type { Reading } from "./reading.ts";

/** What can be wrong with a sensor; `critical` and `warning` stand together. */
export type HeatTrouble = "warning" | "critical" | "stopped" | "lost";
export const HEAT_TROUBLES: readonly HeatTrouble[] = ["warning", "critical", "stopped", "lost"];

/** A sensor, or its driver, may be away for a moment: a module that is loaded anew, a resume. */
export const LOST_SUSTAIN: Duration = seconds(120);
/** Drivers of cards whose fans stand still by design while there is little to do. */
const FANS_REST: ReadonlySet<string> = new Set(["amdgpu", "radeon", "nouveau", "nvidia-smi", "i915", "xe"]);
/** Sensors that are remembered at most: thousands would be a driver gone wrong. */
export const WATCHED_MAX = 512;

interface Watched {
  /** As it was last read with a value. */
  reading: Reading;
  /** A fan is known to turn. */
  ran: boolean;
  readonly troubles: Set<HeatTrouble>;
  /** Since when what would change a trouble has held. */
  readonly changing: Map<HeatTrouble, Instant>;
}

export interface HeatState {
  /** When the first readings came. */
  begunAt: Instant | undefined;
  readonly watched: Map<string, Watched>;
}

export const emptyHeat = (): HeatState => ({ begunAt: undefined, watched: new Map() });

export interface HeatChange {
  readonly sensor: string;
  readonly trouble: HeatTrouble;
  readonly begins: boolean;
  /** `CPU package: 97 °C, critical from 95 °C`; 200 characters at most. */
  readonly detail: string;
}

/** Short and stable: sensors' own ids may be long. */
export const sensorKey = (sensor: string): string => sha256Hex(sensor).slice(0, 16);
export const heatTopic = (sensor: string, trouble: HeatTrouble): string => `${sensorKey(sensor)} ${trouble}`;

/** Takes up, after a restart, what was open about a sensor: it ends by a reading, not by forgetting. */
export function resumeTroubles(heat: HeatState, reading: Reading, open: (topic: string) => boolean): void {
  if (heat.watched.has(reading.id) || heat.watched.size >= WATCHED_MAX) return;
  const troubles = new Set(HEAT_TROUBLES.filter((trouble) => open(heatTopic(reading.id, trouble))));
  heat.watched.set(reading.id, { reading, ran: troubles.has("stopped"), troubles, changing: new Map() });
}

export function judgeHeat(
  heat: HeatState,
  readings: readonly Reading[],
  { host, policy }: { readonly host: string; readonly policy: HeatPolicy },
  now: Instant,
): HeatChange[] {
  const present = new Map(
    readings.filter((reading) => classOf(reading) !== undefined).map((each) => [each.id, each]),
  );
  const changes: HeatChange[] = [];
  for (const [id, watched] of heat.watched) {
    const reading = present.get(id);
    if (reading !== undefined && reading.value !== null) watched.reading = reading;
    const limits = heatLimits(watched.reading, host, policy);
    if (watched.reading.kind === "fan" && (reading?.value ?? 0) > 0) watched.ran = true;
    for (const trouble of HEAT_TROUBLES) {
      const wanted = isWanted(watched, reading, trouble, limits);
      if (follow(watched, trouble, wanted, trouble === "lost" ? LOST_SUSTAIN : limits.sustain, now))
        changes.push({
          sensor: id,
          trouble,
          begins: wanted,
          detail: detailOf(watched.reading, trouble, limits),
        });
    }
  }
  return changes;
}

/** Whether the trouble should stand, by this reading alone. */
function isWanted(
  watched: Watched,
  reading: Reading | undefined,
  trouble: HeatTrouble,
  limits: HeatLimits,
): boolean {
  if (limits.ignore || watched.reading.spot) return false;
  const stands = watched.troubles.has(trouble);
  const isGone = reading === undefined || reading.validity === "missing" || reading.validity === "unreadable";
  if (trouble === "lost") return isGone;
  // Of what cannot be read now nothing new is known.
  if (reading === undefined || reading.value === null) return stands;
  if (trouble === "stopped")
    return watched.ran && reading.kind === "fan" && reading.value === 0 && !FANS_REST.has(reading.driver);
  const limit = limits[trouble];
  if (limit === undefined || reading.kind === "fan") return false;
  return reading.value >= (stands ? limit - limits.hysteresis : limit);
}

/** True when the trouble has now changed. */
function follow(
  watched: Watched,
  trouble: HeatTrouble,
  wanted: boolean,
  sustain: Duration,
  now: Instant,
): boolean {
  const { troubles, changing } = watched;
  if (wanted === troubles.has(trouble)) {
    changing.delete(trouble);
    return false;
  }
  const since = changing.get(trouble) ?? now;
  changing.set(trouble, since);
  if (now < after(since, sustain)) return false;
  changing.delete(trouble);
  if (wanted) troubles.add(trouble);
  else troubles.delete(trouble);
  return true;
}

const DETAIL_NAME_MAX = 100;

function detailOf({ name, value }: Reading, trouble: HeatTrouble, limits: HeatLimits): string {
  const shown = name.replaceAll(": ", " ").slice(0, DETAIL_NAME_MAX);
  const degrees = (limit: number | undefined): string => `${Math.round((limit ?? 0) * 10) / 10} °C`;
  switch (trouble) {
    case "warning":
      return `${shown}: ${degrees(value ?? 0)}, warns from ${degrees(limits.warning)}`;
    case "critical":
      return `${shown}: ${degrees(value ?? 0)}, critical from ${degrees(limits.critical)}`;
    case "stopped":
      return `${shown}: stands still`;
    case "lost":
      return `${shown}: has disappeared`;
  }
}
