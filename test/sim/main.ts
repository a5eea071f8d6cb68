/** `npm run sim`: one seed, virtual hours, a summary; on a violated invariant, what led to it and how to replay. */
import { parseArgs } from "node:util";
import { CORE } from "./core.ts";
import { type DeliveryReport, sumOf } from "./count-deliveries.ts";
import { type KeyYearOptions, keyYear } from "./key-year.ts";
import { type RunOptions, type RunReport, run } from "./run.ts";
import type { FaultMode } from "./schedule.ts";
import type { SensorMood } from "./sensors.ts";

const USAGE = `Usage: npm run sim -- [options]
  --seed S       the run; same seed, same trace (default 1)
  --nodes N      2 to 40 (default 5)
  --hours H      virtual hours, may be a fraction (default 1)
  --faults F     all, loss, none or deliveries (default all)
  --networks M   that every host is in, 1 to 3 (default 1)
  --sensors M    of the hosts: tame or wild (default: tame for even seeds, else none)
  --seeds K      as many runs, from seed S upwards
  --keys         a year of certificates instead: renewals, absences, the keymaster's death
  --days D       of that year (default 365)
  --verbose      every telling event as it happens
  --around MS    every event within two seconds of this virtual millisecond
  --json         the reports as JSON lines`;

const NODES_MAX = 40;
const AROUND = 2000;

function usage(problem: string): never {
  process.stderr.write(`${problem}\n${USAGE}\n`);
  process.exit(2);
}

function readNumber(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || value < low || value > high)
    usage(`--${name} must be a number from ${low} to ${high}, not "${text}"`);
  return value;
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        seed: { type: "string", default: "1" },
        nodes: { type: "string", default: "5" },
        hours: { type: "string", default: "1" },
        networks: { type: "string", default: "1" },
        faults: { type: "string", default: "all" },
        sensors: { type: "string" },
        seeds: { type: "string", default: "1" },
        keys: { type: "boolean", default: false },
        days: { type: "string", default: "365" },
        around: { type: "string" },
        verbose: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const FAULT_MODES: readonly string[] = ["all", "loss", "none", "deliveries"];
const isFaultMode = (text: string): text is FaultMode => FAULT_MODES.includes(text);
const isSensorMood = (text: string | undefined): text is SensorMood => text === "tame" || text === "wild";

function describe(report: RunReport, took: number): string {
  const { traffic, toldWithin } = report;
  return [
    `seed ${report.seed}: ${report.nodes} nodes, ${report.hours} h, faults ${report.faults}`,
    `  events          ${report.events} in ${(took / 1000).toFixed(1)} s`,
    `  faults          ${report.faultsApplied}`,
    `  verdicts        ${report.verdicts}, of them ${report.downVerdicts} down`,
    `  messages        ${report.messagesDelivered} delivered, ${report.duplicates} duplicates (${report.repeats} with the same id), ${report.contradictions} after the end was told`,
    `  told within     ${toldWithin.median} ms at the median, ${toldWithin.max} ms at most (${toldWithin.count} lone deaths)`,
    `  traffic         ${traffic.messages} messages, ${Math.round(traffic.bytesPerNodeSecond)} bytes a node and second`,
    ...(report.deliveries === undefined ? [] : [describeDeliveries(report.deliveries)]),
    `  traceSha256     ${report.traceSha256}`,
  ].join("\n");
}

function describeDeliveries(counted: DeliveryReport): string {
  const { incidents, messages, kills, lost, duplicates, keyedDuplicates, complaints } = counted;
  const again = Object.entries(duplicates).map(([trouble, count]) => `${count} (${trouble})`);
  return [
    `  incidents       ${incidents}, each with a beginning and an end; ${messages} messages`,
    `  senders killed  ${kills}`,
    `  told to nobody  ${lost}`,
    `  told again      ${again.length === 0 ? "0" : again.join(", ")}; with a receiver that takes a key ${keyedDuplicates}`,
    ...complaints.map((complaint) => `  ${complaint}`),
  ].join("\n");
}

function describeViolations(report: RunReport, networks: string, sensors: string | undefined): string {
  const several =
    (networks === "1" ? "" : ` --networks ${networks}`) +
    (sensors === undefined ? "" : ` --sensors ${sensors}`);
  const replay = `npm run sim -- --seed ${report.seed} --nodes ${report.nodes} --hours ${report.hours} --faults ${report.faults}${several}`;
  return [
    "",
    `The last ${report.lastLines.length} telling events:`,
    ...report.lastLines,
    "",
    ...report.violations.map(
      ({ at, invariant, detail }) =>
        `VIOLATED at ${at.toFixed(3)} ms, seed ${report.seed}: ${invariant}\n  ${detail}`,
    ),
    `Replay: ${replay} --verbose, or with --around ${Math.round(report.violations[0]?.at ?? 0)}`,
  ].join("\n");
}

async function playKeys(options: KeyYearOptions, json: boolean): Promise<void> {
  const started = performance.now();
  const report = await keyYear(options);
  const took = ((performance.now() - started) / 1000).toFixed(1);
  const { seed, violations, ...counts } = report;
  if (violations.length > 0) process.exitCode = 1;
  const lines = json
    ? [JSON.stringify({ schema: 1, nodes: options.nodes, days: options.days, ...report })]
    : [
        `seed ${seed}: ${options.nodes} nodes, ${options.days} days, in ${took} s`,
        `  ${Object.entries(counts)
          .map(([what, number]) => `${what} ${number}`)
          .join(", ")}`,
        ...violations.map((each) => `VIOLATED, seed ${seed}: ${each}`),
      ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

async function main(): Promise<void> {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", () => process.exit());
  const given = readArguments();
  if (given.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  if (!isFaultMode(given.faults))
    usage(`--faults must be one of ${FAULT_MODES.join(", ")}, not "${given.faults}"`);
  if (given.sensors !== undefined && !isSensorMood(given.sensors))
    usage(`--sensors must be tame or wild, not "${given.sensors}"`);
  const first = readNumber("seed", given.seed, 0, Number.MAX_SAFE_INTEGER);
  const count = readNumber("seeds", given.seeds, 1, 1_000_000);
  const around =
    given.around === undefined ? undefined : readNumber("around", given.around, 0, Number.MAX_SAFE_INTEGER);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (given.keys) {
    const nodes = readNumber("nodes", given.nodes, 3, NODES_MAX);
    const days = readNumber("days", given.days, 30, 10_000);
    for (let seed = first; seed < first + count; seed += 1)
      await playKeys({ seed, nodes, days, ...(given.verbose ? { onLine: say } : {}) }, given.json);
    return;
  }
  let failed = 0;
  let counted: DeliveryReport | undefined;
  for (let seed = first; seed < first + count; seed += 1) {
    const options: RunOptions = {
      seed,
      nodes: readNumber("nodes", given.nodes, 2, NODES_MAX),
      hours: readNumber("hours", given.hours, 0.03, 10_000),
      faults: given.faults,
      networks: readNumber("networks", given.networks, 1, 3),
      ...(isSensorMood(given.sensors) ? { sensors: given.sensors } : {}),
      machine: CORE,
      ...(given.verbose ? { onLine: say } : {}),
      ...(around === undefined
        ? {}
        : {
            onRoutine: (at: number, text: string) => {
              if (Math.abs(at - around) <= AROUND) say(`${at.toFixed(3).padStart(14)} ${text}`);
            },
          }),
    };
    const started = performance.now();
    const report = await run(options);
    const took = performance.now() - started;
    if (given.json) say(JSON.stringify({ schema: 1, ...report }));
    else say(describe(report, took));
    if (report.deliveries !== undefined) counted = sumOf(counted, report.deliveries);
    const isSound = report.violations.length === 0 && (report.deliveries?.complaints.length ?? 0) === 0;
    if (isSound) continue;
    failed += 1;
    if (!given.json && report.violations.length > 0)
      say(describeViolations(report, given.networks, given.sensors));
  }
  if (counted !== undefined && count > 1 && !given.json)
    say(`all ${count} runs:\n${describeDeliveries({ ...counted, complaints: [] })}`);
  if (failed > 0) process.exitCode = 1;
}

await main();
