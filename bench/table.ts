/** The results in a table, and whether the targets of the first mesh are met. */
import { largest, mean, percentile } from "./statistics.ts";
import type { TrialSet } from "./trials.ts";

/** Cut to webhook, and kill to verdict, in milliseconds; at rest, of one core and resident, for the worst daemon. */
export const TARGETS = { p50Ms: 800, p99Ms: 1200, killMs: 500, cpuPercent: 2, rssMB: 100 } as const;

export interface Summary {
  readonly contestant: string;
  readonly nodes: number;
  readonly trials: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly missed: number;
  /** Daemons killed, and the longest time until a verdict said so; absent where that is not measured. */
  readonly kills?: number;
  readonly killMaxMs?: number;
  readonly repeats: number;
  readonly falsePositives: number;
  readonly cpuPercentMean: number;
  readonly cpuPercentMax: number;
  readonly rssMBMax: number;
  readonly pssMBMean: number;
  /** Sent and received, by the busiest node. */
  readonly bytesPerSecondMax: number;
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
const hundredth = (value: number): number => Math.round(value * 100) / 100;

export function summarize(set: TrialSet): Summary {
  const told = set.trials.flatMap((trial) => trial.toldMs ?? []);
  const sum = (pick: (trial: TrialSet["trials"][number]) => number): number =>
    set.trials.reduce((total, trial) => total + pick(trial), 0);
  return {
    contestant: set.contestant,
    nodes: set.nodes,
    trials: set.trials.length,
    p50Ms: percentile(told, 50),
    p90Ms: percentile(told, 90),
    p99Ms: percentile(told, 99),
    maxMs: largest(told),
    missed: set.trials.length - told.length,
    ...killsIn(set),
    repeats: sum((trial) => trial.repeats),
    falsePositives: set.falseAtRest + sum((trial) => trial.falsePositives),
    cpuPercentMean: hundredth(mean(set.rest.map((cost) => cost.cpuPercent))),
    cpuPercentMax: hundredth(largest(set.rest.map((cost) => cost.cpuPercent))),
    rssMBMax: tenth(largest(set.rest.map((cost) => cost.rssMB))),
    pssMBMean: tenth(mean(set.rest.map((cost) => cost.pssMB))),
    bytesPerSecondMax: Math.round(
      largest(set.rest.map((cost) => cost.sentBytesPerSecond + cost.receivedBytesPerSecond)),
    ),
  };
}

/** A kill without a verdict took for ever. */
const killsIn = ({ kills }: TrialSet): Pick<Summary, "kills" | "killMaxMs"> =>
  kills.length === 0
    ? {}
    : {
        kills: kills.length,
        killMaxMs: largest(kills.map(({ verdictMs }) => verdictMs ?? Number.POSITIVE_INFINITY)),
      };

/** What was missed, one line each; a value that was never measured is missed as well. */
export function missedTargets(summary: Summary): readonly string[] {
  const rows: readonly (readonly [string, number, number])[] = [
    ["p50 (ms)", summary.p50Ms, TARGETS.p50Ms],
    ["p99 (ms)", summary.p99Ms, TARGETS.p99Ms],
    ["killed daemon's verdict (ms)", summary.killMaxMs ?? 0, TARGETS.killMs],
    ["CPU at rest (% of a core)", summary.cpuPercentMax, TARGETS.cpuPercent],
    ["RSS at rest (MB)", summary.rssMBMax, TARGETS.rssMB],
    ["missed deaths", summary.missed, 0],
    ["false positives", summary.falsePositives, 0],
  ];
  return rows
    .filter(([, value, limit]) => !(value <= limit))
    .map(([name, value, limit]) => `n = ${summary.nodes}: ${name} ${value}, target ${limit}`);
}

const COLUMNS: readonly (readonly [string, (summary: Summary) => string])[] = [
  ["", (summary) => summary.contestant],
  ["n", (summary) => String(summary.nodes)],
  ["cuts", (summary) => String(summary.trials)],
  ["p50 ms", (summary) => summary.p50Ms.toFixed(0)],
  ["p90 ms", (summary) => summary.p90Ms.toFixed(0)],
  ["p99 ms", (summary) => summary.p99Ms.toFixed(0)],
  ["max ms", (summary) => summary.maxMs.toFixed(0)],
  ["missed", (summary) => String(summary.missed)],
  ["kill max ms", (summary) => summary.killMaxMs?.toFixed(0) ?? "-"],
  ["repeats", (summary) => String(summary.repeats)],
  ["false", (summary) => String(summary.falsePositives)],
  ["CPU % mean", (summary) => summary.cpuPercentMean.toFixed(2)],
  ["max", (summary) => summary.cpuPercentMax.toFixed(2)],
  ["RSS MB max", (summary) => summary.rssMBMax.toFixed(1)],
  ["PSS MB", (summary) => summary.pssMBMean.toFixed(1)],
  ["bytes/s max", (summary) => String(summary.bytesPerSecondMax)],
];

export function renderTable(summaries: readonly Summary[]): string {
  const cells = [
    COLUMNS.map(([title]) => title),
    ...summaries.map((row) => COLUMNS.map(([, cell]) => cell(row))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  return [...lines, ...ratios(summaries)].join("\n");
}

/** How many times as fast, at the median and the 99th percentile, by number of nodes. */
function ratios(summaries: readonly Summary[]): readonly string[] {
  return summaries
    .filter(({ contestant }) => contestant === "serf")
    .flatMap((serf) => {
      const own = summaries.find(
        ({ contestant, nodes }) => contestant === "balefire" && nodes === serf.nodes,
      );
      if (own === undefined) return [];
      const ratio = (pick: (summary: Summary) => number): string => (pick(serf) / pick(own)).toFixed(1);
      return [
        `n = ${serf.nodes}: serf takes ${ratio((s) => s.p50Ms)} times as long at p50, ${ratio((s) => s.p99Ms)} at p99`,
      ];
    });
}
