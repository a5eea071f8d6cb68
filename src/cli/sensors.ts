/** `balefire sensors`: this host's own sensors; needs neither daemon nor state. */
import { type Failure, ok } from "../kit/result.ts";
import { environmentName } from "../wire/config-settings.ts";
import type { ReadingReport, SensorsReport } from "../wire/readings.ts";
import { type Context, present, refuse } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { amount, byKind, digits, stateCell } from "./reading-words.ts";
import { type Row, table } from "./table.ts";

export interface SensorsGiven {
  readonly jsonLm?: boolean;
  readonly sysfsRoot?: string;
  readonly wakeDisks?: boolean;
}

const NO_CHIPS = "{\n\n}\n";

export async function sensors(context: Context, given: SensorsGiven): Promise<ExitCode> {
  const { operations, env, screen } = context;
  const variable = env[environmentName("sensors.sysfsRoot")];
  const sysfsRoot = given.sysfsRoot ?? (variable === "" ? undefined : variable);
  if (given.jsonLm === true) {
    if (context.json) return refuse(context, usage("--json and --json-lm are two forms of the same"));
    const text = await operations.sensorsAsLm({ sysfsRoot, wakeDisks: given.wakeDisks === true });
    screen.line(text.trimEnd());
    if (text !== NO_CHIPS) return EXIT.ok;
    // As the program it stands in for.
    screen.note("No sensors found.");
    return EXIT.failed;
  }
  if (given.wakeDisks === true) return refuse(context, usage("--wake-disks goes with --json-lm only"));
  const report = await operations.sensors({ sysfsRoot, path: env.PATH ?? "" });
  return present(context, ok(report), (shown) => show(context, shown));
}

const usage = (message: string): Failure => ({ code: "usage", message, retry: false });

function show({ screen }: Context, report: SensorsReport): void {
  if (report.readings.length === 0) screen.line("No sensors found.");
  else {
    const rows = report.readings.toSorted(byKind).map(row);
    for (const line of table(screen, ["SENSOR", "KIND", "NOW", "LIMITS", ""], rows)) screen.line(line);
  }
  if (report.cpu !== null) {
    const stand = report.cpu.standIn ? ", which stands in for the CPU's own sensor" : "";
    screen.line(`\nCPU temperature: ${amount(report.cpu.celsius, "celsius")} (${report.cpu.driver}${stand})`);
  }
  if (report.stuck > 0) screen.line(`${report.stuck} drivers do not answer; their sensors are "stuck".`);
  if (report.left > 0) screen.line(`${report.left} more sensors are beyond the limits and not read.`);
  for (const { source, what, sample, count } of report.unexpected)
    screen.line(`Not understood (${count}): ${source}: ${what}: ${sample}`);
}

function row(reading: ReadingReport): Row {
  const { name, kind, unit, value, validity, limits, at } = reading;
  const now = value === null ? "–" : amount(value, unit);
  const bounds = (["min", "max", "crit"] as const).flatMap((limit) => {
    const bound = limits[limit];
    return bound === undefined ? [] : [`${limit} ${Number(digits(bound, unit))}`];
  });
  return [name, kind, now, bounds.join(", "), stateCell(validity, reading.alarm, at)];
}
