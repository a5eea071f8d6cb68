/**
 * A vitest reporter: writes one JSON line as each test ends to the file in BALEFIRE_TEST_RECORD, so that also
 * a run that is cut off has said what it showed. test-summary.mjs reads it.
 */
import { appendFileSync, writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from "vitest/node";

/** Enough for a transcript; a value that prints as megabytes is not kept. */
const WHY_CHARS_MAX = 20_000;

interface RecordLine {
  /** File and full name of the test; the file alone, or with its suite, for what fails around tests. */
  readonly name: string;
  /** `broken`: no test, but a file that could not be loaded, a hook, or an error outside of everything. */
  readonly state: "passed" | "failed" | "skipped" | "broken";
  readonly ms: number;
  /** It passed, though not the first time. */
  readonly again?: true;
  /** Of what failed or broke: each error with its difference and place. */
  readonly why: string;
}

export default class TestRecord implements Reporter {
  readonly #path: string;

  constructor() {
    this.#path = process.env.BALEFIRE_TEST_RECORD ?? "";
    if (this.#path === "") throw new Error("BALEFIRE_TEST_RECORD names no file");
    writeFileSync(this.#path, "");
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state === "pending") return;
    const name = `${test.module.relativeModuleId} > ${test.fullName}`;
    const { duration = 0, retryCount = 0 } = test.diagnostic() ?? {};
    const again = state === "passed" && retryCount > 0 ? ({ again: true } as const) : {};
    this.#write({ name, state, ms: Math.round(duration), why: textOf(errors), ...again });
  }

  onTestSuiteResult(suite: TestSuite): void {
    this.#broken(`${suite.module.relativeModuleId} > ${suite.fullName}`, suite.errors());
  }

  onTestModuleEnd(module: TestModule): void {
    this.#broken(module.relativeModuleId, module.errors());
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    this.#broken("outside of every test", unhandled);
  }

  #broken(name: string, errors: readonly SerializedError[]): void {
    if (errors.length > 0) this.#write({ name, state: "broken", ms: 0, why: textOf(errors) });
  }

  #write(line: RecordLine): void {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}

const textOf = (errors: readonly SerializedError[]): string =>
  stripVTControlCharacters(errors.map(errorText).join("\n")).slice(0, WHY_CHARS_MAX);

function errorText({ message, diff, stacks = [] }: SerializedError): string {
  const [place] = stacks;
  const at = place === undefined ? "" : `at ${place.file.replace(`${process.cwd()}/`, "")}:${place.line}`;
  return [at, message, diff ?? ""].filter((part) => part !== "").join("\n");
}
