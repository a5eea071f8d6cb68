/** `balefire temps`: all hosts' temperatures and fans, with least, greatest and trend of the last ten minutes. */
import { ok, type Result } from "../kit/result.ts";
import { formatDuration, ms } from "../kit/time.ts";
import type { FeltReport, HostTempsReport, TempsReport } from "../wire/heat-reports.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { byKind, type Degrees, digits, stateCell, symbolOf } from "./reading-words.ts";
import { harmlessReport, type Style } from "./screen.ts";
import { noiseOf, sparkline, speaksUnicode, steadyOf, trendArrow } from "./spark.ts";
import { type Cell, type Row, table } from "./table.ts";
import { localTime } from "./words.ts";

export interface TempsGiven {
  readonly watch?: boolean;
  readonly celsius?: boolean;
  readonly fahrenheit?: boolean;
}

/** Readings change every few seconds. */
const REDRAW_MS = 2000;
/** Readings older than this are said to be. */
const FRESH_MS = 60_000;

export async function temps(
  context: Context,
  node: string | undefined,
  given: TempsGiven,
  signal: AbortSignal,
): Promise<ExitCode> {
  const fahrenheit = given.fahrenheit === true;
  if (fahrenheit && given.celsius === true) {
    const message = "--celsius and --fahrenheit exclude one another";
    return refuse(context, { code: "usage", message, retry: false });
  }
  const degrees = fahrenheit ? "fahrenheit" : "celsius";
  const show = (report: TempsReport): void => {
    const lines = tempsLines(context, report, degrees, node !== undefined);
    lines.forEach(context.screen.line);
  };
  if (given.watch !== true) return present(context, await askTemps(context, node), show);
  return watchTemps(context, node, show, signal);
}

/** All hosts: those of a large mesh come in several answers. */
async function askTemps(context: Context, node: string | undefined): Promise<Result<TempsReport>> {
  const hosts: HostTempsReport[] = [];
  let from = 0;
  for (;;) {
    const answer = await ask(context, "temps", { from, ...(node === undefined ? {} : { node }) });
    if (!answer.ok) return answer;
    hosts.push(...answer.value.hosts);
    const { next } = answer.value;
    if (next === null || next <= from) return ok({ ...answer.value, hosts, next: null });
    from = next;
  }
}

/** Until `signal` aborts (Ctrl-C), or the daemon goes. Not on a terminal, each picture is printed below the last. */
async function watchTemps(
  context: Context,
  node: string | undefined,
  show: (report: TempsReport) => void,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { screen, json } = context;
  while (!signal.aborted) {
    const result = await askTemps(context, node);
    if (signal.aborted) break;
    if (result.ok && screen.terminal && !json) screen.clear();
    const exit = present(context, result, show);
    if (!result.ok) return exit;
    await pause(REDRAW_MS, signal);
    if (!screen.terminal && !json && !signal.aborted) screen.line();
  }
  return EXIT.ok;
}

function pause(length: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, length);
    signal.addEventListener("abort", end);
  });
}

export function tempsLines(
  { screen, env }: Pick<Context, "screen" | "env">,
  report: TempsReport,
  degrees: Degrees,
  everything: boolean,
): string[] {
  const unicode = speaksUnicode(env);
  return harmlessReport(report).hosts.flatMap((host, place) => {
    const shown = host.readings.filter((each) => everything || isOfInterest(each)).toSorted(byKind);
    const rows = shown.map((each) => row(each, degrees, unicode));
    const header = ["SENSOR", "NOW", "", "MIN", "MAX", "TREND", "LAST 10 MIN", ""];
    const body = rows.length === 0 ? [] : table(screen, header, rows);
    return [...(place === 0 ? [] : [""]), headline(screen, host, degrees), ...body];
  });
}

/** Voltages and spots of drives are for who asks for one host. */
const isOfInterest = ({ unit, kind, spot }: FeltReport): boolean =>
  (unit === "celsius" && !spot) || kind === "fan";

function headline(screen: Context["screen"], host: HostTempsReport, degrees: Degrees): string {
  const name = screen.paint("bold", host.name);
  if (host.source === null) return `${name}: ${screen.paint("dim", "no readings known")}`;
  const remarks: string[] = [];
  if (host.cpu !== null)
    remarks.push(`CPU ${digits(host.cpu.celsius, "celsius", degrees)} ${symbolOf("celsius", degrees)}`);
  if (host.readings.length === 0) remarks.push("no sensors");
  if (host.source === "relayed") remarks.push("as another node heard it");
  if (host.ageMs !== null && host.ageMs > FRESH_MS) {
    remarks.push(
      screen.paint("yellow", `${formatDuration(ms(host.ageMs))} ago, at ${localTime(host.at ?? "")}`),
    );
  }
  return remarks.length === 0 ? name : `${name}: ${remarks.join(", ")}`;
}

function row(reading: FeltReport, degrees: Degrees, unicode: boolean): Row {
  const { name, unit, value, validity, alarm, at, min, max, trend, recent } = reading;
  const amountOf = (known: number | null): string => (known === null ? "-" : digits(known, unit, degrees));
  const style = heatStyle(reading);
  const state = reading.ignored ? { text: "ignored", style: "dim" as const } : stateCell(validity, alarm, at);
  return [
    name,
    { text: amountOf(value), ...(style === undefined ? {} : { style }) },
    unicode ? symbolOf(unit, degrees) : symbolOf(unit, degrees).replace("°", ""),
    amountOf(min),
    amountOf(max),
    trendArrow(trend, steadyOf(unit), unicode),
    sparkline(recent, noiseOf(unit), unicode),
    wordsOf(reading, state),
  ];
}

/** Its limit says more than the driver's alarm bit. */
function wordsOf({ value, validity, warning, critical, ignored }: FeltReport, state: Cell): Cell {
  if (ignored || validity !== "ok" || value === null) return state;
  if (critical !== null && value >= critical) return { text: "critical", style: "red" };
  if (warning !== null && value >= warning) return { text: "warning", style: "yellow" };
  return state;
}

function heatStyle({ value, validity, warning, critical, ignored }: FeltReport): Style | undefined {
  if (validity === "idle" || ignored) return "dim";
  if (value === null) return undefined;
  if (critical !== null && value >= critical) return "red";
  if (warning !== null && value >= warning) return "yellow";
  return warning === null && critical === null ? undefined : "green";
}
