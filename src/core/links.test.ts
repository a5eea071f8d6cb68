import fc from "fast-check";
import { expect, it } from "vitest";
import { ms, wallTime } from "../kit/time.ts";
import { untilNextBeat } from "./beats.ts";

it("nodes whose clocks agree send their beats at the same moments", () => {
  expect(untilNextBeat(wallTime(1_000_050), ms(200))).toBe(150);
  expect(1_000_050 + 150).toBe(1_000_000 + 200);
  expect(untilNextBeat(wallTime(1_000_000), ms(200))).toBe(200);
});

it("whatever the clock says, the gap is between half a period and one and a half", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 4e12, noNaN: true }),
      fc.integer({ min: 20, max: 5000 }),
      (wall, period) => {
        const gap = untilNextBeat(wallTime(wall), ms(period));
        expect(gap).toBeGreaterThanOrEqual(period / 2);
        expect(gap).toBeLessThanOrEqual(1.5 * period);
      },
    ),
  );
});
