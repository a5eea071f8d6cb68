/** The benchmark measures: two cuts, on the built bundle. Whether it is fast enough is for the full run to say. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CHECKOUT } from "../../lab/driver/checkout.ts";
import { runToEnd } from "../../lab/driver/child.ts";
import { whyNoNamespaces } from "../../lab/driver/namespaces.ts";

const reason = whyNoNamespaces();

describe.skipIf(reason !== undefined && process.env.CI !== "true")("bench:detect", () => {
  test("two cuts of a mesh of three are told and timed, a kill is noticed, and nothing is false", async () => {
    const words = ["--nodes", "3", "--trials", "2", "--kills", "1", "--rest", "2s", "--no-targets"];
    const done = await runToEnd([process.execPath, join(CHECKOUT, "bench/detect.ts"), ...words], {
      timeoutMs: 100_000,
    });
    expect(done.code, done.stderr).toBe(0);
    const lines = done.stdout.split("\n").filter((line) => line.startsWith("{"));
    const [first, second, kill, summary] = lines.map((line) => JSON.parse(line));
    for (const trial of [first, second]) {
      expect(trial).toMatchObject({
        schema: 1,
        event: "trial",
        contestant: "balefire",
        nodes: 3,
        falsePositives: 0,
      });
      expect(trial.toldMs).toBeGreaterThan(100);
      expect(trial.toldMs).toBeLessThan(10_000);
    }
    expect(kill).toMatchObject({ event: "kill", victim: "pve1" });
    expect(kill.verdictMs).toBeGreaterThan(0);
    expect(kill.verdictMs).toBeLessThan(5_000);
    expect([first.victim, second.victim]).toEqual(["pve1", "pve2"]);
    expect(summary).toMatchObject({ event: "summary", missed: 0, falsePositives: 0 });
    expect(summary.cpuPercentMax).toBeGreaterThanOrEqual(0);
    expect(summary.rssMBMax).toBeGreaterThan(10);
    expect(summary.bytesPerSecondMax).toBeGreaterThan(0);
    expect(done.stdout).toContain("p99 ms");
  });

  test("words that make no sense are refused with the usage", async () => {
    for (const words of [
      ["--nodes", "1"],
      ["--nodes", "3,x"],
      ["--trials", "0"],
      ["--kills", "-1"],
      ["--against", "ping"],
      ["--rest", "soon"],
    ]) {
      const done = await runToEnd([process.execPath, join(CHECKOUT, "bench/detect.ts"), ...words], {
        timeoutMs: 20_000,
      });
      expect({ words, code: done.code }).toEqual({ words, code: 2 });
    }
  });
});
