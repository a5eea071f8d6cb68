/** From when on a sensor is too hot: each class's defaults, what its own chip says, and what a person has set. */
import { globFits } from "../../kit/glob.ts";
import { type Duration, seconds } from "../../kit/time.ts";
import type { Reading } from "./reading.ts";

/** What people set limits for. */
export type HeatClass = "cpu" | "nvme" | "ssd" | "hdd" | "gpu" | "memory" | "board" | "ambient" | "fan";

/** Degrees Celsius and lengths of time; what is absent is left as it was. */
export interface HeatSettings {
  readonly warning?: number;
  readonly critical?: number;
  /** A level is left only this far below its limit. */
  readonly hysteresis?: number;
  /** How long a value must be past a limit, or back, to count. */
  readonly sustain?: Duration;
  readonly ignore?: boolean;
}

/** Settings for what fits; all that is given must fit, `*` stands for any characters. */
export interface HeatRule extends HeatSettings {
  /** Name of the host. */
  readonly node?: string;
  readonly class?: HeatClass;
  /** Id or name of the sensor. */
  readonly sensor?: string;
}

export interface HeatPolicy {
  /** Names of the hosts whose sensors nobody is told of. */
  readonly unwatched: readonly string[];
  /** Later ones win over earlier ones. */
  readonly rules: readonly HeatRule[];
}

export const DEFAULT_HEAT_POLICY: HeatPolicy = { unwatched: [], rules: [] };

/** What one sensor is judged by. Undefined limits are never passed. */
export interface HeatLimits {
  readonly warning: number | undefined;
  readonly critical: number | undefined;
  readonly hysteresis: number;
  readonly sustain: Duration;
  readonly ignore: boolean;
}

export const HYSTERESIS = 5;
const SUSTAIN: Readonly<Record<HeatClass, Duration>> = {
  cpu: seconds(30),
  nvme: seconds(30),
  ssd: seconds(60),
  hdd: seconds(60),
  gpu: seconds(30),
  memory: seconds(60),
  board: seconds(60),
  ambient: seconds(300),
  fan: seconds(30),
};

const CLASS_OF: Readonly<Partial<Record<Reading["kind"], HeatClass>>> = {
  "cpu-package": "cpu",
  "cpu-core": "cpu",
  "cpu-die": "cpu",
  nvme: "nvme",
  ssd: "ssd",
  hdd: "hdd",
  gpu: "gpu",
  memory: "memory",
  board: "board",
  ambient: "ambient",
  fan: "fan",
};

/** Undefined where nobody is told of such sensors: voltages, currents, powers, humidity. */
export const classOf = ({ kind, unit }: Pick<Reading, "kind" | "unit">): HeatClass | undefined =>
  unit === "celsius" || kind === "fan" ? CLASS_OF[kind] : undefined;

/** This far below the chip's own critical point it counts as critical: the chip throttles, or switches off, there. */
const CHIP_MARGIN = 10;
/** A processor that is critical early is warned of this far before. */
const WARNING_LEAD = 10;

/** What of a reading its limits depend on: nothing that changes from pass to pass. */
type Judged = Pick<Reading, "id" | "kind" | "name" | "unit" | "limits">;

export function heatLimits(reading: Judged, host: string, policy: HeatPolicy): HeatLimits {
  const own = classOf(reading);
  const given: HeatSettings = {};
  for (const rule of policy.rules) if (applies(rule, reading, host, own)) Object.assign(given, defined(rule));
  const byDefault = own === undefined ? {} : defaults(own, reading);
  return {
    warning: given.warning ?? byDefault.warning,
    critical: given.critical ?? byDefault.critical,
    hysteresis: given.hysteresis ?? HYSTERESIS,
    sustain: given.sustain ?? (own === undefined ? seconds(60) : SUSTAIN[own]),
    ignore: (given.ignore ?? false) || policy.unwatched.includes(host),
  };
}

function applies(rule: HeatRule, reading: Judged, host: string, own: HeatClass | undefined): boolean {
  if (rule.node !== undefined && !globFits(rule.node, host)) return false;
  if (rule.class !== undefined && rule.class !== own) return false;
  return (
    rule.sensor === undefined || globFits(rule.sensor, reading.id) || globFits(rule.sensor, reading.name)
  );
}

function defined({ warning, critical, hysteresis, sustain, ignore }: HeatRule): HeatSettings {
  return {
    ...(warning === undefined ? {} : { warning }),
    ...(critical === undefined ? {} : { critical }),
    ...(hysteresis === undefined ? {} : { hysteresis }),
    ...(sustain === undefined ? {} : { sustain }),
    ...(ignore === undefined ? {} : { ignore }),
  };
}

function defaults(own: HeatClass, { limits }: Judged): { warning?: number; critical?: number } {
  switch (own) {
    case "cpu":
    case "gpu": {
      const critical = Math.min(95, (limits.crit ?? Number.POSITIVE_INFINITY) - CHIP_MARGIN);
      return { critical, warning: Math.min(85, critical - WARNING_LEAD) };
    }
    case "nvme":
      return driveLimits(limits.max, limits.crit);
    case "ssd":
      return { warning: 60, critical: 70 };
    case "hdd":
      return { warning: 50, critical: 60 };
    case "memory":
      return { warning: 85, critical: 95 };
    case "board":
    case "ambient":
    case "fan":
      return {};
  }
}

/** The drive's own warning and critical composite temperature (NVMe base specification, WCTEMP and CCTEMP). */
function driveLimits(
  max: number | undefined,
  crit: number | undefined,
): { warning: number; critical: number } {
  const critical = crit ?? (max === undefined ? 80 : max + 10);
  return { warning: Math.min(max ?? 70, critical), critical };
}
