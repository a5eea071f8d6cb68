import { defineConfig } from "vitest/config";

/** These drive real daemons against the clock: one file at a time, so that they don't starve each other. */
const AGAINST_THE_CLOCK = ["test/e2e/{demo,lab,mesh,bench}*.test.ts"];

export default defineConfig({
  test: {
    reporters: ["default"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,test,lab,bench,demo,scripts}/**/*.test.ts"],
          exclude: AGAINST_THE_CLOCK,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "daemons",
          include: AGAINST_THE_CLOCK,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          maxWorkers: 1,
        },
      },
    ],
  },
});
