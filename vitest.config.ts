import { defineConfig } from "vitest/config";

/** These drive real daemons against the clock: one file at a time, or they would starve one another of it. */
const AGAINST_THE_CLOCK = ["test/e2e/{demo,lab,mesh,bench,systemd}*.test.ts"];
/** Of them, those that take all of the machine or measure it. */
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
          maxWorkers: 1,
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
