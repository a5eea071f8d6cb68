import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHECKOUT } from "../lab/driver/checkout.ts";
import { runToEnd } from "../lab/driver/child.ts";

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly { readonly name: string; readonly why: string }[];
  readonly timed: readonly { readonly name: string; readonly ms: number }[];
  readonly again?: readonly string[];
}
const { readRecord, summary } = (await import(`${join(CHECKOUT, "scripts/test-summary.mjs")}`)) as {
  readRecord(path: string): Outcome;
  summary(results: readonly (Outcome & { readonly name: string; readonly seconds: number })[]): string;
};

const PROBES = {
  "vitest.config.mjs": "export default {};",
  "some.test.ts": `
    import { describe, expect, test } from "vitest";
    test("holds", () => {});
    describe("a group", () => {
      test("does not hold", () => expect({ kept: 1 }).toEqual({ kept: 2 }));
      test["skip"]("is left out", () => {});
    });`,
  "again.test.ts": `
    import { expect, test } from "vitest";
    let tries = 0;
    test("holds later", { retry: 1 }, () => { tries += 1; expect(tries).toBe(2); });`,
  "hook.test.ts": `
    import { beforeAll, test } from "vitest";
    beforeAll(() => { throw new Error("no ground to stand on"); });
    test("is never begun", () => {});`,
  "unreadable.test.ts": `import "./not-there.ts";`,
};

let folder: string;
let outcome: Outcome;
beforeAll(async () => {
  mkdirSync(join(CHECKOUT, "build"), { recursive: true });
  folder = mkdtempSync(join(CHECKOUT, "build/record-"));
  for (const [name, text] of Object.entries(PROBES)) writeFileSync(join(folder, name), text);
  const record = join(folder, "record.jsonl");
  const vitest = [
    process.execPath,
    join(CHECKOUT, "node_modules/vitest/vitest.mjs"),
    "run",
    "--root",
    folder,
  ];
  const done = await runToEnd([...vitest, "--reporter", join(CHECKOUT, "scripts/test-record.ts")], {
    env: { ...process.env, BALEFIRE_TEST_RECORD: record },
    cwd: folder,
    timeoutMs: 50_000,
  });
  expect(done.code, done.stderr).toBe(1);
  outcome = readRecord(record);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the record of a run", () => {
  test("counts what passed, failed, broke and was skipped", () => {
    expect(outcome).toMatchObject({
      passed: 2,
      failed: 3,
      skipped: 2,
      again: ["again.test.ts > holds later"],
    });
  });

  test("names each failure with its place and difference, hooks and files that cannot be loaded as well", () => {
    const why = Object.fromEntries(outcome.failures.map((failure) => [failure.name, failure.why]));
    expect(why["some.test.ts > a group > does not hold"]).toMatch(
      /^at some\.test\.ts:\d+\n.*toEqual|deeply equal/,
    );
    expect(why["some.test.ts > a group > does not hold"]).toContain('+   "kept": 1');
    expect(why["hook.test.ts"]).toContain("no ground to stand on");
    expect(why["unreadable.test.ts"]).toContain("not-there.ts");
  });

  test("that was cut off in the middle of a line counts up to there; one that is missing counts nothing", () => {
    const cut = join(tmpdir(), `balefire-cut-${process.pid}.jsonl`);
    writeFileSync(cut, '{"name":"a","state":"passed","ms":3,"why":""}\n{"name":"b","sta');
    expect(readRecord(cut)).toMatchObject({ passed: 1, failed: 0, timed: [{ name: "a" }] });
    rmSync(cut);
    expect(readRecord(cut)).toMatchObject({ passed: 0, failed: 0, skipped: 0 });
  });
});

describe("the end of npm test", () => {
  const step = (name: string, change: Partial<Outcome>): Outcome & { name: string; seconds: number } => ({
    name,
    seconds: 12.34,
    passed: 1,
    failed: 0,
    skipped: 0,
    failures: [],
    timed: [],
    ...change,
  });

  test("is one line of counts when nothing failed, after the steps and the slowest tests", () => {
    const timed = [1000, 7000, 3000, 2000, 6000, 5000, 4000].map((ms) => ({ name: `test of ${ms} ms`, ms }));
    const lines = summary([step("types", {}), step("unit", { passed: 7, skipped: 2, timed })]).split("\n");
    expect(lines).toEqual([
      "=== What was run",
      `ok    ${"types".padEnd(46)}   12.3 s  1 passed, 0 failed`,
      `ok    ${"unit".padEnd(46)}   12.3 s  7 passed, 0 failed, 2 skipped`,
      "slow     7.0 s  test of 7000 ms",
      "slow     6.0 s  test of 6000 ms",
      "slow     5.0 s  test of 5000 ms",
      "slow     4.0 s  test of 4000 ms",
      "slow     3.0 s  test of 3000 ms",
      "8 passed, 0 failed, 2 skipped",
      "",
    ]);
  });

  test("names what passed only when it was tried again", () => {
    const lines = summary([step("daemons", { again: ["lab > cut"] })]).split("\n");
    expect(lines).toContain("passed at the second try  lab > cut");
  });

  test("names what failed last of all, each with the first lines of its reason", () => {
    const why = Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n\n");
    const failures = [
      { name: "a.test.ts > a", why },
      { name: "b.test.ts", why: "x".repeat(1000) },
    ];
    const text = summary([step("unit", { failed: 2, failures })]);
    const lines = text.slice(text.indexOf("=== What failed")).split("\n");
    expect(lines.slice(0, 3)).toEqual(["=== What failed", "FAIL  a.test.ts > a", "      line 0"]);
    expect(lines[16]).toBe("      line 14");
    expect(lines.slice(17, 19)).toEqual(["      … 25 lines more", "FAIL  b.test.ts"]);
    expect(lines[19]).toHaveLength(206);
    expect(text).toContain("1 passed, 2 failed\n\n=== What failed");
  });

  test("of a run where everything failed stays short", () => {
    const failures = Array.from({ length: 100 }, (_, number) => ({ name: `test ${number}`, why: "so" }));
    const lines = summary([step("unit", { failed: 100, failures })]).split("\n");
    expect(lines.slice(-2)).toEqual(["and 70 more", ""]);
    expect(lines.length).toBeLessThan(70);
  });
});
