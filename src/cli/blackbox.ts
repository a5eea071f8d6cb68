/** `balefire blackbox`: the last ten minutes of a host's sensors, before it fell silent or before a time. */
import type { BlackBoxReport } from "../wire/heat-reports.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import { csvLine } from "./csv.ts";
import type { ExitCode } from "./exit-codes.ts";
import { bothForms } from "./forms.ts";
import { byKind, digits, symbolOf } from "./reading-words.ts";
import { noiseOf, sparkline, speaksUnicode } from "./spark.ts";
import { table } from "./table.ts";
import { parseTime } from "./times.ts";
import { count, localTime } from "./words.ts";

export interface BlackBoxGiven {
  readonly at?: string;
  readonly csv?: boolean;
}

/** Characters of a curve. */
const STEPS = 30;

export async function blackbox(context: Context, node: string, given: BlackBoxGiven): Promise<ExitCode> {
  const { screen, json } = context;
  if (json && given.csv === true) return refuse(context, bothForms);
  const at = given.at === undefined ? undefined : parseTime(given.at, Date.now());
  if (at?.ok === false) return refuse(context, at.error);
  const result = await ask(context, "blackbox", { node, ...(at === undefined ? {} : { at: at.value }) });
  const lines = given.csv === true ? csvLines : (report: BlackBoxReport) => blackBoxLines(context, report);
  return present(context, result, (report) => lines(report).forEach(screen.line));
}

function csvLines({ sensors, samples }: BlackBoxReport): string[] {
  const header = ["time", ...sensors.map(({ name, unit, id }) => `${name} [${unit}] ${id}`)];
  return [csvLine(header), ...samples.map(({ at, values }) => csvLine([at, ...values]))];
}

function blackBoxLines({ screen, env }: Context, report: BlackBoxReport): string[] {
  const { name, source, silentSince, sensors, samples } = report;
  const first = samples.at(0);
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return [`${name}: nothing was measured then.`];
  const from = source === "history" ? ", from this node's disk" : "";
  const rows = sensors
    .map((sensor, place) => ({ ...sensor, values: samples.map(({ values }) => values[place] ?? null) }))
    .toSorted(byKind)
    .map(({ name: called, unit, values }) => {
      const present = values.filter((value) => value !== null);
      const shown = (value: number | undefined): string => (value === undefined ? "-" : digits(value, unit));
      return [
        called,
        shown(values.at(-1) ?? undefined),
        symbolOf(unit),
        shown(present.length === 0 ? undefined : present.reduce((a, b) => Math.min(a, b))),
        shown(present.length === 0 ? undefined : present.reduce((a, b) => Math.max(a, b))),
        sparkline(thinned(values), noiseOf(unit), speaksUnicode(env)),
      ];
    });
  return [
    `${screen.paint("bold", name)}: ${count(samples.length, "look")} from ${localTime(first.at)} to ${localTime(last.at)}${from}`,
    ...(silentSince === null ? [] : [silence(silentSince, last.at)]),
    "",
    ...table(screen, ["SENSOR", "LAST", "", "MIN", "MAX", "OVER THE TIME"], rows),
    "",
    "--csv and --json have every look.",
  ];
}

function silence(silentSince: string, last: string): string {
  const before = (Date.parse(silentSince) - Date.parse(last)) / 1000;
  const length = before < 0 ? "" : `, ${Math.round(before)} s after the last look`;
  return `It was last heard ${localTime(silentSince)}${length}.`;
}

/** The mean of as many neighbours as make a curve of `STEPS`. */
function thinned(values: readonly (number | null)[]): (number | null)[] {
  const each = Math.max(1, Math.ceil(values.length / STEPS));
  const steps = Math.ceil(values.length / each);
  return Array.from({ length: steps }, (_, step) => {
    const present = values.slice(step * each, (step + 1) * each).filter((value) => value !== null);
    return present.length === 0 ? null : present.reduce((a, b) => a + b) / present.length;
  });
}
