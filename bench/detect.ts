/**
 * `npm run bench:detect`: from a pulled cable to the webhook, on the built bundle, in namespaces.
 * Prints one JSON line a trial and one a summary, then a table.
 */
import { NODES_MAX, whyNoNamespaces } from "../lab/driver/namespaces.ts";
import { buildIfStale } from "../scripts/build.ts";
import { parseDuration } from "../src/kit/time.ts";
import { enterBalefire } from "./balefire.ts";
import type { Enter } from "./contestant.ts";
import { enterSerf, serfPath } from "./serf.ts";
import { missedTargets, renderTable, type Summary, summarize, TARGETS } from "./table.ts";
import { runTrials } from "./trials.ts";
import { readWords } from "./words.ts";

const USAGE = `npm run bench:detect -- [--nodes 3,10] [--trials 20] [--kills 5] [--rest 10s] [--against serf] [--no-targets]

Needs root, iproute2 and nftables. Exit code 1 when a target is missed: cut to webhook p50 ${TARGETS.p50Ms} ms,
p99 ${TARGETS.p99Ms} ms; a killed daemon's verdict within ${TARGETS.killMs} ms; at rest ${TARGETS.cpuPercent} % of a core and ${TARGETS.rssMB} MB resident for the worst daemon; no death missed, nobody
falsely claimed down. --no-targets only measures.
`;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const TRIALS_MAX = 1000;

interface Plan {
  readonly sizes: readonly number[];
  readonly trials: number;
  readonly kills: number;
  readonly restMs: number;
  readonly serf: boolean;
  readonly targets: boolean;
}

const OPTIONS = {
  nodes: { type: "string", default: "3,10" },
  trials: { type: "string", default: "20" },
  kills: { type: "string", default: "5" },
  rest: { type: "string", default: "10s" },
  against: { type: "string" },
  targets: { type: "boolean", default: true },
} as const;

/** Undefined when the words make no sense. */
function parsePlan(): Plan | undefined {
  const values = readWords(OPTIONS);
  if (values === undefined) return undefined;
  const sizes = values.nodes.split(",").map(Number);
  const trials = Number(values.trials);
  const kills = Number(values.kills);
  const restMs = parseDuration(values.rest);
  const sound =
    sizes.every((size) => Number.isInteger(size) && size >= 2 && size <= NODES_MAX) &&
    Number.isInteger(trials) &&
    trials >= 1 &&
    trials <= TRIALS_MAX &&
    Number.isInteger(kills) &&
    kills >= 0 &&
    kills <= TRIALS_MAX &&
    restMs !== undefined &&
    (values.against === undefined || values.against === "serf");
  if (!sound) return undefined;
  return { sizes, trials, kills, restMs, serf: values.against === "serf", targets: values.targets };
}

const progress = (text: string): boolean => process.stderr.write(`  ${text}\n`);
const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify({ schema: 1, ...line })}\n`);
};

async function measure(enter: Enter, size: number, plan: Plan): Promise<Summary> {
  const contestant = await enter(size, progress);
  try {
    progress(
      `${contestant.name} ${contestant.version}, n = ${size}: at rest, then ${plan.trials} cuts, ${plan.kills} kills`,
    );
    const { trials: cuts, kills, restMs } = plan;
    const set = await runTrials(contestant, { cuts, kills, restMs }, (done) =>
      print({ event: "kill" in done ? "kill" : "trial", ...done }),
    );
    const summary = summarize(set);
    print({ event: "summary", version: set.version, ...summary });
    return summary;
  } finally {
    await contestant.close();
  }
}

async function main(): Promise<number> {
  const plan = parsePlan();
  if (plan === undefined) {
    process.stderr.write(USAGE);
    return EXIT_USAGE;
  }
  const reason =
    whyNoNamespaces() ?? (plan.serf && serfPath() === undefined ? "serf is not installed" : undefined);
  if (reason !== undefined) {
    process.stderr.write(`The benchmark cannot run: ${reason}.\n`);
    return EXIT_FAILED;
  }
  if (await buildIfStale()) progress("built dist/");
  const summaries: Summary[] = [];
  for (const size of plan.sizes) {
    summaries.push(await measure(enterBalefire, size, plan));
    if (plan.serf) summaries.push(await measure(enterSerf, size, plan));
  }
  console.log(`\n${renderTable(summaries)}`);
  const missed = summaries.filter(({ contestant }) => contestant === "balefire").flatMap(missedTargets);
  if (!plan.targets) return 0;
  console.log(missed.length === 0 ? "every target is met" : `missed:\n  ${missed.join("\n  ")}`);
  return missed.length === 0 ? 0 : EXIT_FAILED;
}

const code = await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  return EXIT_FAILED;
});
// Whatever was not closed on the way of an error must not keep us here; leaving cleans it up.
process.exit(code);
