/**
 * `npm test`: sets up and runs everything, then lists what was run and what failed.
 * Words choose the steps whose names hold one of them: `npm test -- lint types`.
 * Exit code 0 when nothing failed. Under CI=true what cannot run is a failure, elsewhere it is skipped and said.
 */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPackages, missingPackages } from "./apt-packages.mjs";
import { CHECKOUT, installIfStale, OWN_NODE } from "./install.mjs";
import { readRecord, summary } from "./test-summary.mjs";

const CI = process.env.CI === "true";
const STEP_MS_MAX = 40 * 60_000;
const VITEST = join(CHECKOUT, "node_modules/vitest/vitest.mjs");
const RECORDS = join(CHECKOUT, "build/test-records");
/** Kept of what a step without a record says, to tell why it failed. */
const SAID_CHARS_MAX = 20_000;
const bin = (name) => join(CHECKOUT, "node_modules/.bin", name);

/** `record`: where vitest writes what each test showed; a step without one counts as one test. */
const STEPS = [
  { name: "types", argv: [bin("tsc"), "-b"] },
  { name: "format and lint", argv: [bin("biome"), "check", "--error-on-warnings"] },
  { name: "dead code", argv: [OWN_NODE, bin("knip")] },
  { name: "unit and integration", ...vitest("unit", ["unit"]) },
  { name: "build", argv: [OWN_NODE, join(CHECKOUT, "scripts/build.ts")] },
  { name: "real daemons: demonstration, lab, benchmark", ...vitest("daemons", ["daemons", "daemons alone"]) },
];

function vitest(name, projects) {
  const reporters = ["--reporter=default", `--reporter=${join(CHECKOUT, "scripts/test-record.ts")}`];
  const chosen = projects.flatMap((project) => ["--project", project]);
  return {
    argv: [OWN_NODE, VITEST, "run", ...chosen, "--passWithNoTests", ...reporters],
    record: join(RECORDS, `${name}.jsonl`),
  };
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

async function runStep(step) {
  process.stdout.write(`\n=== ${step.name}\n`);
  const began = Date.now();
  if (step.record !== undefined) rmSync(step.record, { force: true });
  const ended = await run(step);
  return { name: step.name, seconds: (Date.now() - began) / 1000, ...outcomeOf(step, ended) };
}

/** Resolves with what was said, and why it is no success; what it says is passed on meanwhile. Never rejects. */
function run(step) {
  const [command, ...args] = step.argv;
  const child = spawn(command, args, {
    cwd: CHECKOUT,
    stdio: step.record === undefined ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PATH: `${join(CHECKOUT, "node_modules/.bin")}:${process.env.PATH}`,
      BALEFIRE_TEST_RECORD: step.record ?? "",
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text) => {
      process.stdout.write(text);
      if (said.length < SAID_CHARS_MAX) said += text;
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill();
  }, STEP_MS_MAX);
  return new Promise((resolve) => {
    child.once("error", ({ message }) => resolve({ said, trouble: message }));
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const trouble = late ? `cut off after ${STEP_MS_MAX / 60_000} minutes` : `ended with ${signal ?? code}`;
      resolve({ said, late, trouble: code === 0 && !late ? undefined : trouble });
    });
  });
}

/** A run that was cut off, or broke down without a failed test, is one failure more. */
function outcomeOf(step, { said, late, trouble }) {
  const counts = { passed: trouble === undefined ? 1 : 0, failed: 0, skipped: 0 };
  const outcome =
    step.record === undefined ? { ...counts, failures: [], timed: [] } : readRecord(step.record);
  if (trouble === undefined || (outcome.failed > 0 && !late)) return outcome;
  const failures = [...outcome.failures, { name: step.name, why: `${trouble}\n${said}` }];
  return { ...outcome, failed: failures.length, failures };
}

setUp();
mkdirSync(RECORDS, { recursive: true });
const words = process.argv.slice(2);
const wanted = STEPS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (wanted.length === 0) {
  process.stderr.write(`no step named like that; there are: ${STEPS.map(({ name }) => name).join("; ")}\n`);
  process.exit(2);
}
const results = [];
for (const step of wanted) results.push(await runStep(step));
process.stdout.write(`\n${summary(results)}`);
process.exitCode = results.some(({ failed }) => failed > 0) ? 1 : 0;
