/** `balefire history SENSOR`: what a sensor measured, over years. */
import { ok, type Result } from "../kit/result.ts";
import { formatDuration, ms } from "../kit/time.ts";
import { STEP_LEAST } from "../wire/heat-limits.ts";
import type { HistoryReport } from "../wire/heat-reports.ts";
import { parseLength } from "./arguments.ts";
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import { csvLine } from "./csv.ts";
import type { ExitCode } from "./exit-codes.ts";
import { bothForms } from "./forms.ts";
import { digits, symbolOf } from "./reading-words.ts";
import { noiseOf, sparkline, speaksUnicode } from "./spark.ts";
import { table } from "./table.ts";
import { parseTime } from "./times.ts";
import { count, localTime } from "./words.ts";

export interface HistoryGiven {
  readonly node?: string;
  readonly from?: string;
  readonly to?: string;
  readonly step?: string;
  readonly csv?: boolean;
}

/** Lines of the table; more points are shown as a curve only. */
const ROWS_SHOWN = 40;

export async function history(context: Context, sensor: string, given: HistoryGiven): Promise<ExitCode> {
  const { screen, json } = context;
  if (json && given.csv === true) return refuse(context, bothForms);
  const asked = parseRange(given, Date.now());
  if (!asked.ok) return refuse(context, asked.error);
  const node = given.node === undefined ? {} : { node: given.node };
  const result = await ask(context, "history", { sensor, ...node, ...asked.value }, SLOW_CALL_TIMEOUT);
  const lines = given.csv === true ? csvLines : (report: HistoryReport) => historyLines(context, report);
  return present(context, result, (report) => lines(report).forEach(screen.line));
}

interface Range {
  readonly from?: number;
  readonly to?: number;
  readonly stepMs?: number;
}

function parseRange({ from, to, step }: HistoryGiven, now: number): Result<Range> {
  const range: { from?: number; to?: number; stepMs?: number } = {};
  for (const [key, text] of [
    ["from", from],
    ["to", to],
  ] as const) {
    if (text === undefined) continue;
    const at = parseTime(text, now);
    if (!at.ok) return at;
    range[key] = at.value;
  }
  if (step === undefined) return ok(range);
  const length = parseLength(step);
  if (!length.ok) return length;
  range.stepMs = Math.max(STEP_LEAST, length.value);
  return ok(range);
}

const csvLines = ({ points }: HistoryReport): string[] => [
  csvLine(["time", "min", "mean", "max", "count"]),
  ...points.map(({ at, min, mean, max, count: samples }) => csvLine([at, min, mean, max, samples])),
];

function historyLines({ screen, env }: Context, report: HistoryReport): string[] {
  const { name, sensor, from, to, stepMs, points } = report;
  const symbol = symbolOf(sensor.unit);
  const head = [
    `${screen.paint("bold", name)}: ${sensor.name} (${sensor.id}), in ${symbol}`,
    `${localTime(from)} to ${localTime(to)}, in steps of ${formatDuration(ms(stepMs))}`,
    "",
  ];
  if (points.length === 0) {
    return [
      ...head,
      `Nothing was measured then; there is something from ${localTime(sensor.first)} to ${localTime(sensor.last)}.`,
    ];
  }
  const step = Math.ceil(points.length / (screen.columns - 2));
  const curve = points.filter((_, place) => place % step === 0).map(({ max }) => max);
  const shown = points.slice(-ROWS_SHOWN);
  const left = points.length - shown.length;
  const rows = shown.map(({ at, min, mean, max }) => [
    localTime(at),
    ...[min, mean, max].map((value) => digits(value, sensor.unit)),
  ]);
  return [
    ...head,
    sparkline(curve, noiseOf(sensor.unit), speaksUnicode(env)),
    "",
    ...table(screen, ["FROM", "MIN", "MEAN", "MAX"], rows),
    ...(left === 0 ? [] : ["", `${count(left, "earlier step")} left out; --csv and --json have all.`]),
  ];
}
