import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** These drive real daemons against the clock, and mostly wait: two files at a time. */
const AGAINST_THE_CLOCK = ["test/e2e/{demo,lab,mesh,bench,systemd}*.test.ts"];
/** Of them, those that take all of the machine, or judge how fast something was. */
const ALONE = ["test/e2e/{lab-alone,bench}.test.ts"];
const COMPILE_CACHE = "test/compile-cache.ts";
const daemons = {
  globalSetup: [COMPILE_CACHE, "test/e2e/ground.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // What a busy machine spoils is tried once more; the summary names it.
  retry: 1,
};

export default defineConfig({
  test: {
    reporters: ["default"],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,test,lab,bench,demo,scripts}/**/*.test.ts"],
          exclude: AGAINST_THE_CLOCK,
          globalSetup: COMPILE_CACHE,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...daemons,
          name: "daemons",
          include: AGAINST_THE_CLOCK,
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...daemons,
          name: "daemons alone",
          include: ALONE,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
