/** A year of renewals, in virtual time. More seeds: `npm run sim -- --keys --seeds 100`. */
import { expect, test } from "vitest";
import { keyYear } from "./key-year.ts";

const YEAR_MS_MAX = 60_000;

test.each([1, 2, 3])(
  "a year of keys, seed %d: nobody falls out, nothing runs out unnoticed, and another keymaster heals all",
  async (seed) => {
    const report = await keyYear({ seed, nodes: 4, days: 365 });
    expect(report.violations, `replay: npm run sim -- --keys --nodes 4 --seed ${seed} --verbose`).toEqual([]);
    // A year in which nothing happened proves nothing.
    expect(report.renewals).toBeGreaterThan(4 * 20);
    expect(report.restarts).toBeGreaterThan(100);
    expect(report.absences).toBeGreaterThan(20);
    expect(report.told).toBeGreaterThan(3);
  },
  YEAR_MS_MAX,
);
