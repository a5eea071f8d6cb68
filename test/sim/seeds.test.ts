/**
 * Many short lives of many small meshes. A seed that ever failed is kept in
 * seeds.json and played again here: add it there with what it showed.
 */
import { describe, expect, it } from "vitest";
import { CORE } from "./core.ts";
import { type RunReport, run } from "./run.ts";
import type { FaultMode } from "./schedule.ts";
import kept from "./seeds.json" with { type: "json" };

interface Lot {
  readonly nodes: number;
  readonly seeds: readonly number[];
  readonly hours: number;
  readonly faults: FaultMode;
}

/** A lot of schedules on a machine that also does other things. */
const LOT_MS_MAX = 180_000;

const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

const LOTS: readonly Lot[] = [
  { nodes: 2, seeds: from(100, 10), hours: 0.33, faults: "all" },
  { nodes: 3, seeds: from(200, 10), hours: 0.33, faults: "all" },
  { nodes: 5, seeds: from(300, 4), hours: 0.25, faults: "all" },
  { nodes: 10, seeds: from(400, 1), hours: 0.17, faults: "all" },
  // Above twelve nobody watches everybody.
  { nodes: 14, seeds: [42], hours: 0.1, faults: "all" },
  { nodes: 20, seeds: [700], hours: 0.08, faults: "all" },
  { nodes: 2, seeds: from(500, 3), hours: 0.33, faults: "loss" },
  { nodes: 4, seeds: from(600, 3), hours: 0.25, faults: "loss" },
];

const play = (seed: number, nodes: number, hours: number, faults: FaultMode): Promise<RunReport> =>
  run({ seed, nodes, hours, faults, machine: CORE });

function expectSound(report: RunReport): void {
  const where = `npm run sim -- --seed ${report.seed} --nodes ${report.nodes} --hours ${report.hours} --faults ${report.faults}`;
  expect(report.violations, `replay: ${where}`).toEqual([]);
}

describe("no invariant is violated", () => {
  for (const { nodes, seeds, hours, faults } of LOTS) {
    it(
      `by ${seeds.length} schedules (${faults}) for ${nodes} nodes`,
      async () => {
        let faultsApplied = 0;
        for (const seed of seeds) {
          const report = await play(seed, nodes, hours, faults);
          expectSound(report);
          faultsApplied += report.faultsApplied;
        }
        // A schedule that does nothing proves nothing.
        expect(faultsApplied).toBeGreaterThan(seeds.length * (nodes + 3));
      },
      LOT_MS_MAX,
    );
  }

  for (const { seed, nodes, hours, faults, showed } of kept as KeptSeed[]) {
    it(
      `by seed ${seed}, which once showed: ${showed}`,
      async () => {
        expectSound(await play(seed, nodes, hours, faults));
      },
      LOT_MS_MAX,
    );
  }
});

interface KeptSeed {
  readonly seed: number;
  readonly nodes: number;
  readonly hours: number;
  readonly faults: FaultMode;
  readonly showed: string;
}
