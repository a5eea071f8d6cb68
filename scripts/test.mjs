/**
 * `npm test`: sets up and runs everything, then lists what was run.
 * Words choose the steps whose names hold one of them: `npm test -- lint types`.
 * Exit code 0 when nothing failed. Under CI=true what cannot run is a failure, elsewhere it is skipped and said.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPackages, missingPackages } from "./apt-packages.mjs";
import { CHECKOUT, installIfStale, OWN_NODE } from "./install.mjs";

const CI = process.env.CI === "true";
const STEP_MS_MAX = 30 * 60_000;
const VITEST = join(CHECKOUT, "node_modules/vitest/vitest.mjs");
const REPORTS = join(CHECKOUT, "build/test-reports");
const bin = (name) => join(CHECKOUT, "node_modules/.bin", name);

/** `report`: where vitest writes its counts; a step without one counts as one test. */
const STEPS = [
  { name: "types", argv: [bin("tsc"), "-b"] },
  { name: "format and lint", argv: [bin("biome"), "check", "--error-on-warnings"] },
  { name: "dead code", argv: [OWN_NODE, bin("knip")] },
  { name: "unit and integration", ...vitest("unit") },
  { name: "build", argv: [OWN_NODE, join(CHECKOUT, "scripts/build.ts")] },
  { name: "real daemons: demonstration, lab, benchmark", ...vitest("daemons") },
];

function vitest(project) {
  const report = join(REPORTS, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  return { argv: [OWN_NODE, VITEST, "run", "--project", project, "--passWithNoTests", ...reporters], report };
}

function setUp() {
  installIfStale();
  const missing = missingPackages();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  if (CI && process.getuid?.() === 0) {
    process.stdout.write(`Installing ${names.join(", ")}\n`);
    if (installPackages(names)) return;
    process.stdout.write("apt-get failed\n");
  }
  for (const { name, for: purpose } of missing) {
    process.stdout.write(
      `${name} is missing (${purpose}): its tests ${CI ? "will fail" : "are skipped"}. apt-get install ${name}\n`,
    );
  }
}

function runStep(step) {
  process.stdout.write(`\n=== ${step.name}\n`);
  const began = Date.now();
  if (step.report !== undefined) rmSync(step.report, { force: true });
  const [command, ...args] = step.argv;
  const done = spawnSync(command, args, {
    cwd: CHECKOUT,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: STEP_MS_MAX,
    env: { ...process.env, PATH: `${join(CHECKOUT, "node_modules/.bin")}:${process.env.PATH}` },
  });
  const seconds = (Date.now() - began) / 1000;
  return { name: step.name, seconds, ...countsOf(step, done.status === 0) };
}

/** A run that broke down without a count, or failed beside its tests, is one failure. */
function countsOf(step, succeeded) {
  if (step.report === undefined) return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 };
  if (!existsSync(step.report)) return { passed: 0, failed: succeeded ? 0 : 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(step.report, "utf8"),
  );
  const failed = succeeded ? numFailedTests : Math.max(1, numFailedTests);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

const counted = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

setUp();
mkdirSync(REPORTS, { recursive: true });
const words = process.argv.slice(2);
const wanted = STEPS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (wanted.length === 0) {
  process.stderr.write(`no step named like that; there are: ${STEPS.map(({ name }) => name).join("; ")}\n`);
  process.exit(2);
}
const results = wanted.map(runStep);
const total = { passed: 0, failed: 0, skipped: 0 };
process.stdout.write("\n=== What was run\n");
for (const result of results) {
  for (const key of Object.keys(total)) total[key] += result[key];
  const mark = result.failed > 0 ? "FAIL" : "ok  ";
  process.stdout.write(
    `${mark}  ${result.name.padEnd(46)} ${result.seconds.toFixed(1).padStart(6)} s  ${counted(result)}\n`,
  );
}
process.stdout.write(`${counted(total)}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
