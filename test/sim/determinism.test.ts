/** A seed is a run: what fails once can be played again, here and elsewhere. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CORE } from "./core.ts";
import { run } from "./run.ts";
import { makeSchedule } from "./schedule.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const hours = 0.1;

const traceOf = async (seed: number): Promise<string> =>
  (await run({ seed, nodes: 3, hours, faults: "all", machine: CORE })).traceSha256;

describe("the same seed", () => {
  it("gives the same trace, in another process too; another seed gives another", async () => {
    const first = await traceOf(7);
    expect(await traceOf(7)).toBe(first);
    expect(await traceOf(8)).not.toBe(first);

    const { stdout } = await promisify(execFile)(process.execPath, [
      MAIN,
      ...["--seed", "7", "--nodes", "3", "--hours", String(hours), "--json"],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, seed: 7, traceSha256: first, violations: [] });
  });

  it("makes the same faults whatever the core does with its own randomness", () => {
    const options = { seed: 3, nodes: 5, mode: "all", length: 600_000 } as const;
    expect(makeSchedule(options)).toEqual(makeSchedule(options));
    expect(makeSchedule({ ...options, seed: 4 })).not.toEqual(makeSchedule(options));
  });
});

describe("a schedule", () => {
  it("ends with everything repaired and a calm", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const length = 600_000;
      const faults = makeSchedule({ seed, nodes: 4, mode: "all", length });
      const last = Math.max(...faults.map(({ at }) => at));
      expect(length - last).toBe(75_000);
      const atEnd = faults.filter(({ at }) => at === last).map(({ fault }) => fault);
      for (let host = 0; host < 4; host += 1) {
        expect(atEnd).toContainEqual({ type: "power-on", host });
        expect(atEnd).toContainEqual({ type: "link", host, up: true });
      }
      expect(atEnd).toContainEqual({ type: "heal" });
    }
  });

  it("holds nothing but loss, short pauses and clock steps when asked to", () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 50; seed += 1) {
      for (const { at, fault } of makeSchedule({ seed, nodes: 4, mode: "loss", length: 600_000 })) {
        if (at > 2000) kinds.add(fault.type);
        if (fault.type === "quality") expect(fault.loss).toBeLessThanOrEqual(0.3);
      }
    }
    expect([...kinds].sort()).toEqual(["pause", "quality", "resume", "wall-step"]);
  });
});

describe("npm run sim", () => {
  it("refuses what it does not understand", async () => {
    const refused = async (...given: string[]): Promise<unknown> =>
      promisify(execFile)(process.execPath, [MAIN, ...given]).catch((error: unknown) => error);
    expect(await refused("--nodes", "1")).toMatchObject({ code: 2 });
    expect(await refused("--faults", "some")).toMatchObject({ code: 2 });
    expect(await refused("--seed", "x")).toMatchObject({ code: 2 });
    expect(await refused("--whatever")).toMatchObject({ code: 2 });
  });
});
