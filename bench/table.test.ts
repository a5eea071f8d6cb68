import { expect, test } from "vitest";
import { missedTargets, renderTable, type Summary, summarize } from "./table.ts";
import type { Kill, Trial, TrialSet } from "./trials.ts";

const trial = (toldMs: number | null, falsePositives = 0): Trial => ({
  contestant: "balefire",
  nodes: 3,
  trial: 1,
  victim: "pve1",
  toldMs,
  repeats: 0,
  falsePositives,
  healMs: 1,
});

const kill = (verdictMs: number | null): Kill => ({
  contestant: "balefire",
  nodes: 3,
  kill: 1,
  victim: "pve1",
  verdictMs,
});

const set = (trials: readonly Trial[], change: Partial<TrialSet["rest"][number]> = {}): TrialSet => ({
  contestant: "balefire",
  version: "",
  nodes: 3,
  trials,
  kills: [],
  falseAtRest: 0,
  rest: [
    {
      pid: 1,
      cpuPercent: 1,
      rssMB: 80,
      pssMB: 60,
      sentBytesPerSecond: 10,
      receivedBytesPerSecond: 20,
      ...change,
    },
    { pid: 2, cpuPercent: 0.5, rssMB: 70, pssMB: 50, sentBytesPerSecond: 5, receivedBytesPerSecond: 5 },
  ],
});

const good = [trial(600), trial(700)];

test("all targets met is no line", () => {
  expect(missedTargets(summarize(set(good)))).toEqual([]);
});

const cases: readonly (readonly [string, TrialSet, string])[] = [
  ["a slow median", set([trial(900), trial(900)]), "p50"],
  ["one slow cut", set([trial(600), trial(600), trial(1300)]), "p99"],
  ["a busy daemon", set(good, { cpuPercent: 2.1 }), "CPU"],
  ["a fat daemon", set(good, { rssMB: 101 }), "RSS"],
  ["a death nobody told", set([trial(600), trial(null)]), "missed deaths"],
  ["a false claim during a trial", set([trial(600, 1), trial(600)]), "false positives"],
  ["a false claim at rest", { ...set(good), falseAtRest: 1 }, "false positives"],
  ["a killed daemon that was noticed late", { ...set(good), kills: [kill(200), kill(501)] }, "verdict"],
  ["a killed daemon that nobody noticed", { ...set(good), kills: [kill(null)] }, "verdict"],
  ["no trial at all", set([]), "p50"],
];
for (const [what, given, line] of cases) {
  test(`${what} misses a target`, () => {
    expect(missedTargets(summarize(given)).some((missed) => missed.includes(line))).toBe(true);
  });
}

test("the table has one line a set and the ratio where both were measured", () => {
  const own: Summary = summarize(set(good));
  const serf: Summary = { ...own, contestant: "serf", p50Ms: 6000, p99Ms: 7000 };
  const lines = renderTable([own, serf]).split("\n");
  expect(lines).toHaveLength(4);
  expect(new Set(lines.slice(0, 3).map((line) => line.length)).size).toBe(1);
  expect(lines[3]).toBe("n = 3: serf takes 10.0 times as long at p50, 10.0 at p99");
});
