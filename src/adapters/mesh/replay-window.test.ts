import fc from "fast-check";
import { expect, it } from "vitest";
import { REPLAY_WINDOW, ReplayWindow } from "./replay-window.ts";

it("takes each number once, in any order, unless overtaken by a whole window", () => {
  const arrivals = fc.array(fc.oneof(fc.nat(60), fc.nat(3 * REPLAY_WINDOW), fc.nat(2 ** 40)), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(arrivals, (numbers) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const number of numbers) {
        const expected = !seen.has(number) && number > highest - REPLAY_WINDOW;
        expect(window.isFresh(number)).toBe(expected);
        if (!expected) continue;
        window.note(number);
        seen.add(number);
        highest = Math.max(highest, number);
      }
    }),
  );
});

it("asking does not use a number up: only what proved authentic does", () => {
  const window = new ReplayWindow();
  expect(window.isFresh(9)).toBe(true);
  expect(window.isFresh(9)).toBe(true);
  window.note(9);
  expect(window.isFresh(9)).toBe(false);
  expect(window.isFresh(8)).toBe(true);
});
