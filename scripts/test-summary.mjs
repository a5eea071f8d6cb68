/** What `npm test` says at its end. Plain JavaScript: it runs on the machine's own Node. */
import { existsSync, readFileSync } from "node:fs";

const SLOWEST_SHOWN = 5;
/** The end of the output is all that some services show, so it is short. */
const FAILURES_SHOWN_MAX = 30;
const WHY_LINES_MAX = 15;
const LINE_CHARS_MAX = 200;

/**
 * @typedef {{ name: string, why: string }} Failure
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * @typedef {Counts & { failures: Failure[], timed: { name: string, ms: number }[], again?: string[] }} Outcome
 * @typedef {Outcome & { name: string, seconds: number }} StepResult
 */

/**
 * What test-record.ts wrote; its last line may be cut off in the middle.
 * @param {string} path
 * @returns {Outcome}
 */
export function readRecord(path) {
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  const entries = lines.map((line) => JSON.parse(line));
  const count = (...states) => entries.filter(({ state }) => states.includes(state)).length;
  return {
    passed: count("passed"),
    failed: count("failed", "broken"),
    skipped: count("skipped"),
    failures: entries.filter(({ state }) => state === "failed" || state === "broken"),
    timed: entries.filter(({ ms }) => ms > 0),
    again: entries.filter(({ again }) => again === true).map(({ name }) => name),
  };
}

/**
 * A table of the steps, the slowest tests, one line of counts, and last of all what failed and why.
 * @param {readonly StepResult[]} results
 */
export function summary(results) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results) for (const key of Object.keys(total)) total[key] += result[key];
  const failures = results.flatMap((result) => result.failures);
  return [
    "=== What was run",
    ...results.map(row),
    ...slowest(results.flatMap(({ timed }) => timed)),
    ...results
      .flatMap(({ again = [] }) => again)
      .map((name) => `passed at the second try  ${shortened(name)}`),
    counted(total),
    ...(failures.length === 0 ? [] : ["", "=== What failed", ...failed(failures)]),
    "",
  ].join("\n");
}

const row = (result) =>
  `${result.failed > 0 ? "FAIL" : "ok  "}  ${result.name.padEnd(46)} ${seconds(result.seconds * 1000)}  ${counted(result)}`;

const slowest = (timed) =>
  [...timed]
    .sort((one, other) => other.ms - one.ms)
    .slice(0, SLOWEST_SHOWN)
    .map(({ name, ms }) => `slow  ${seconds(ms)}  ${shortened(name)}`);

const failed = (failures) => [
  ...failures.slice(0, FAILURES_SHOWN_MAX).flatMap(({ name, why }) => [`FAIL  ${name}`, ...indented(why)]),
  ...(failures.length > FAILURES_SHOWN_MAX ? [`and ${failures.length - FAILURES_SHOWN_MAX} more`] : []),
];

function indented(why) {
  const lines = why.split("\n").filter((line) => line.trim() !== "");
  const shown = lines.slice(0, WHY_LINES_MAX).map((line) => `      ${shortened(line)}`);
  return lines.length > WHY_LINES_MAX
    ? [...shown, `      … ${lines.length - WHY_LINES_MAX} lines more`]
    : shown;
}

const seconds = (ms) => `${(ms / 1000).toFixed(1).padStart(6)} s`;
const shortened = (text) => (text.length > LINE_CHARS_MAX ? `${text.slice(0, LINE_CHARS_MAX - 1)}…` : text);

const counted = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
