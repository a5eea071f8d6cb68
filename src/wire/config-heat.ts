/** Settings of sensors and their history: what is accepted, and how it is written. */
import * as z from "zod";
import type { HeatClass, HeatRule } from "../core/thermal/heat-policy.ts";
import { type Duration, hours, minutes, ms, seconds } from "../kit/time.ts";
import {
  type Complaint,
  checked,
  duration,
  numberBetween,
  size,
  type ValueKind,
  written,
  writtenSize,
} from "./config-values.ts";

/** How much of the past this node keeps on its disk. */
export interface HistoryLimits {
  /** Bytes of the file at most. */
  readonly size: number;
  /** What a kill may lose; the disk is written to this often. */
  readonly flush: Duration;
}

const MEBIBYTE = 1024 * 1024;
export const HISTORY_DEFAULT: HistoryLimits = { size: 256 * MEBIBYTE, flush: seconds(60) };
const historySize = size(MEBIBYTE, 64 * 1024 * MEBIBYTE);
const historyFlush = duration(seconds(1), minutes(10));

export const history: ValueKind<HistoryLimits> = {
  schema: z
    .strictObject({ size: historySize.optional(), flush: historyFlush.schema.optional() })
    .transform((given) => ({
      size: given.size ?? HISTORY_DEFAULT.size,
      flush: given.flush ?? HISTORY_DEFAULT.flush,
    })),
  written: (value) => ({ size: writtenSize(value.size), flush: written(value.flush) }),
};

/** All there are: the compiler misses one that is left out. */
const HEAT_CLASSES: Readonly<Record<HeatClass, true>> = {
  cpu: true,
  nvme: true,
  ssd: true,
  hdd: true,
  gpu: true,
  memory: true,
  board: true,
  ambient: true,
  fan: true,
};
export const HEAT_RULES_MAX: number = 200;
/** As many characters as the longest id of a sensor has. */
const PATTERN_CHARS_MAX = 240;
/** What a sensor can show at all. */
const degrees = numberBetween(-40, 150, "°C");
const sustain = duration(ms(0), hours(24));
const SETTINGS_OF_RULE = ["warning", "critical", "hysteresis", "sustain", "ignore"] as const;

const pattern = z.string().min(1).max(PATTERN_CHARS_MAX).optional();
const rule: z.ZodType<HeatRule> = z
  .strictObject({
    node: pattern,
    class: z.enum(Object.keys(HEAT_CLASSES) as HeatClass[]).optional(),
    sensor: pattern,
    warning: degrees.optional(),
    critical: degrees.optional(),
    hysteresis: numberBetween(0, 50, "°C").optional(),
    sustain: sustain.schema.optional(),
    ignore: z.boolean().optional(),
  })
  .superRefine((given, context) => {
    const { warning, critical } = given;
    const complain = (path: string[], message: string, fix: string): void =>
      context.addIssue({ code: "custom", path, message, params: { fix } });
    if (warning !== undefined && critical !== undefined && warning >= critical) {
      complain(["warning"], "it is not below `critical`", "Warn before it is critical: write a lower one.");
    }
    if (SETTINGS_OF_RULE.every((key) => given[key] === undefined))
      complain([], "it sets nothing", `Add one of ${SETTINGS_OF_RULE.join(", ")}, or remove the rule.`);
  }) as unknown as z.ZodType<HeatRule>;

export const heatRules: ValueKind<readonly HeatRule[]> = {
  schema: z.array(rule).max(HEAT_RULES_MAX),
  written: (rules) =>
    rules.map(({ sustain: length, ...rest }) =>
      length === undefined ? rest : { ...rest, sustain: written(length) },
    ),
};

/** A folder of this node's own. */
export const folder: ValueKind<string> = {
  schema: checked((value) =>
    typeof value === "string" ? checkFolder(value) : { message: "this is not a path", fix: FOLDER_FIX },
  ),
  fromText: checkFolder,
  written: (value) => value,
};

const FOLDER_FIX = "Write the whole path of a folder, from its first /.";
const PATH_CHARS_MAX = 1024;

function checkFolder(text: string): string | Complaint {
  if (text.startsWith("/") && text.length <= PATH_CHARS_MAX) return text;
  return { message: "this is not a path from the root", fix: FOLDER_FIX };
}
