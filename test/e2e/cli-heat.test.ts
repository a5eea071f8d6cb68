/** `temps`, `blackbox` and `history` as people and programs see them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/program.ts";
import { felt, historyOf, temps } from "./cli-heat-answers.ts";
import { createRig, type Rig } from "./cli-rig.ts";

const UNICODE = { LANG: "C.UTF-8", NO_COLOR: "1" };
let rig: Rig;
const asked: unknown[] = [];
beforeAll(async () => {
  rig = await createRig({
    history: async (params) => {
      asked.push(params);
      return historyOf(params.sensor);
    },
  });
});
afterAll(() => rig.close());

describe("temps", () => {
  it("shows each host's temperatures and fans with least, greatest, trend and curve", async () => {
    const { stdout, code } = await rig.run(["temps"], { env: UNICODE });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^a: CPU 60.0 °C$/m);
    expect(stdout).toMatch(/^CPU +60\.0 +°C +40\.0 +60\.0 +↗ +▁▃ █$/m);
    expect(stdout).toMatch(/^hot disk +96\.0 .* critical$/m);
    expect(stdout).toMatch(/^sleeping disk +31\.0 .* idle, read 2026-/m);
    expect(stdout).toMatch(/^gone +- +°C +- +- .* missing$/m);
    expect(stdout).toMatch(/^fan1 +0 +rpm/m);
    expect(stdout).not.toContain("12 V");
    expect(stdout).toMatch(/^b: no readings known$/m);
  });

  it("of one host shows all its sensors", async () => {
    const { stdout } = await rig.run(["temps", "a"], { env: UNICODE });
    expect(stdout).toMatch(/^12 V +12\.10 +V/m);
  });

  it("speaks Fahrenheit where it is asked to, and ASCII where the terminal knows no more", async () => {
    const { stdout } = await rig.run(["temps", "--fahrenheit"], { env: { LANG: "C", NO_COLOR: "1" } });
    expect(stdout).toMatch(/^CPU +140\.0 +F +104\.0 +140\.0 +\^ +\.- @$/m);
    const both = await rig.run(["temps", "--fahrenheit", "--celsius"]);
    expect(both).toMatchObject({ code: 2, stdout: "" });
  });

  it("colours what is past its limits", async () => {
    const { stdout } = await rig.run(["temps"], { env: { LANG: "C.UTF-8", FORCE_COLOR: "1" } });
    expect(stdout).toContain("\u001b[31m96.0");
    expect(stdout).toContain("\u001b[32m60.0");
    expect(stdout).toContain("\u001b[2m31.0");
  });

  it("puts the answers about a large mesh together", async () => {
    const [a, b] = temps.hosts;
    const pages = await createRig({
      temps: async ({ from = 0 }) => ({
        ...temps,
        hosts: from === 0 && a !== undefined ? [a] : b === undefined ? [] : [b],
        next: from === 0 ? 1 : null,
      }),
    });
    expect((await pages.json(["temps"])).document).toEqual(temps);
    await pages.close();
  });

  it("lets no sensor's name play with the terminal", async () => {
    const [host] = temps.hosts;
    const hostile = await createRig({
      temps: async () => ({
        ...temps,
        hosts: host === undefined ? [] : [{ ...host, readings: [felt("evil\u001b[2J", 40)] }],
      }),
    });
    expect((await hostile.run(["temps"])).stdout).not.toContain("\u001b[2J");
    await hostile.close();
  });

  it("--watch draws again until it is interrupted", async () => {
    const stop = new AbortController();
    let printed = "";
    const ended = runCommandLine({
      args: ["temps", "--watch"],
      operations: {} as never,
      out: {
        isTTY: true,
        columns: 100,
        write: (text: string) => {
          printed += text;
        },
      },
      err: { write: () => true },
      env: { NO_COLOR: "1", BALEFIRE_SOCKET: rig.socketPath },
      signal: stop.signal,
    });
    await expect
      .poll(() => printed.split("\u001b[H\u001b[J").length, { timeout: 8000 })
      .toBeGreaterThanOrEqual(3);
    stop.abort();
    expect(await ended).toBe(0);
  });
});

describe("blackbox", () => {
  it("shows each sensor's last, least and greatest, and how long before the silence", async () => {
    const { stdout, code } = await rig.run(["blackbox", "b"], { env: UNICODE });
    expect(code).toBe(0);
    expect(stdout).toContain("b: 2 looks from ");
    expect(stdout).toMatch(/^It was last heard .*, 13 s after the last look\.$/m);
    expect(stdout).toMatch(/^CPU, the "hot" one +99\.0 +°C +61\.5 +99\.0 +▁█$/m);
    expect(stdout).toMatch(/^fan1 +- +rpm +1200 +1200/m);
  });

  it("gives every look as JSON", async () => {
    const { code, document } = await rig.json(["blackbox", "b"]);
    expect(code).toBe(0);
    expect(document).toMatchObject({
      schema: 1,
      name: "b",
      samples: [{ values: [61.5, 1200] }, { values: [99, null] }],
    });
  });

  it("gives every look as CSV", async () => {
    const { stdout } = await rig.run(["blackbox", "b", "--csv"]);
    expect(stdout.split("\n")).toEqual([
      'time,"CPU, the ""hot"" one [celsius] platform/test.0/temp1",fan1 [rpm] platform/test.0/fan1',
      "2026-03-01T02:13:00.000Z,61.5,1200",
      "2026-03-01T02:13:10.000Z,99,",
      "",
    ]);
  });

  it.each([
    ["two forms at once", ["--csv", "--json"], "two forms of the same"],
    ["a time that is none", ["--at", "teatime"], "is not a time"],
  ])("refuses %s", async (_, more, why) => {
    const { code, stdout, stderr } = await rig.run(["blackbox", "b", ...more]);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(why);
  });
});

describe("history", () => {
  it("shows a curve and the steps", async () => {
    const { stdout, code } = await rig.run(["history", "CPU"], { env: UNICODE });
    expect(code).toBe(0);
    expect(stdout).toContain("a: CPU (platform/test.0/temp1), in °C");
    expect(stdout).toContain("▁█");
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +44\.0 +50\.0 +61\.0$/m);
  });

  it("gives CSV and JSON", async () => {
    const { stdout } = await rig.run(["history", "CPU", "--csv"]);
    expect(stdout).toBe(
      "time,min,mean,max,count\n2026-03-01T02:13:00.000Z,40,41.5,43,6\n2026-03-01T02:14:00.000Z,44,50,61,6\n",
    );
    expect((await rig.json(["history", "CPU"])).document).toEqual(historyOf("CPU"));
  });

  it("asks for the times, the step and the host that were typed", async () => {
    const times = ["--from", "2026-03-01T00:00:00Z", "--to", "2026-03-02T00:00:00Z", "--step", "15m"];
    await rig.run(["history", "fan1", "--node", "b", ...times]);
    expect(asked.at(-1)).toEqual({
      sensor: "fan1",
      node: "b",
      from: Date.UTC(2026, 2, 1),
      to: Date.UTC(2026, 2, 2),
      stepMs: 900_000,
    });
    const before = Date.now();
    await rig.run(["history", "fan1", "--from", "-2h"]);
    const { from } = asked.at(-1) as { from: number };
    expect(Math.abs(before - 7_200_000 - from)).toBeLessThan(20_000);
  });
});
