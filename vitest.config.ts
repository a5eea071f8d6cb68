import { defineConfig } from "vitest/config";

/** These drive real daemons against the clock, and mostly wait: two files at a time. */
const AGAINST_THE_CLOCK = ["test/e2e/{demo,lab,mesh,bench,systemd}*.test.ts"];
/** Of them, those that take all of the machine or measure it. */
const ALONE = ["test/e2e/{lab-alone,bench}.test.ts"];
const daemons = {
  globalSetup: "test/e2e/ground.ts",
  testTimeout: 120_000,
  hookTimeout: 120_000,
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
