import { describe, expect, it } from "vitest";
import type { ReadingReport, SensorsReport } from "../wire/readings.ts";
import type { LmSensorsOptions, Operations, SensorsOptions } from "./operations.ts";
import { runCommandLine } from "./program.ts";

const reading = (more: Partial<ReadingReport>): ReadingReport => ({
  id: "platform/coretemp.0/temp1",
  kind: "cpu-package",
  name: "CPU",
  unit: "celsius",
  value: 45,
  validity: "ok",
  limits: { max: 93, crit: 103.5 },
  alarm: false,
  at: "2027-01-15T08:00:00.000Z",
  driver: "coretemp",
  label: "Package id 0",
  spot: false,
  ...more,
});

const REPORT: SensorsReport = {
  schema: 1,
  at: "2027-01-15T08:00:00.000Z",
  cpu: { celsius: 45, id: "platform/coretemp.0/temp1", driver: "coretemp", standIn: false },
  readings: [
    reading({ name: "CPU fan", kind: "fan", unit: "rpm", value: 0, limits: {}, alarm: true }),
    reading({ name: "WDC (sda)", kind: "hdd", value: 31, validity: "idle", limits: {} }),
    reading({ name: "\u001b[2Jevil", kind: "board", value: null, validity: "stuck", at: null, limits: {} }),
    reading({}),
  ],
  unexpected: [{ source: "nct6798", what: "temp9 is not a number", sample: "warm", count: 3 }],
  left: 2,
  stuck: 1,
};

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, report: SensorsReport = REPORT) {
  const asked: (SensorsOptions | LmSensorsOptions)[] = [];
  const operations = {
    sensors: async (options: SensorsOptions) => {
      asked.push(options);
      return report;
    },
    sensorsAsLm: async (options: LmSensorsOptions) => {
      asked.push(options);
      return args.includes("/empty") ? "{\n\n}\n" : '{\n   "a-isa-0000":{\n   }\n}\n';
    },
  } as unknown as Operations;
  let stdout = "";
  let stderr = "";
  const code = await runCommandLine({
    args: ["sensors", ...args],
    operations,
    out: { write: (text: string) => (stdout += text) },
    err: { write: (text: string) => (stderr += text) },
    env,
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr, asked };
}

describe("balefire sensors", () => {
  it("shows the CPU first, limits, what cannot be believed and why", async () => {
    const { stdout, code } = await run([]);
    expect(code).toBe(0);
    const [, cpu, disk, board, fan] = stdout.split("\n");
    expect(cpu).toMatch(/^CPU +cpu-package +45\.0 °C +max 93, crit 103\.5$/);
    expect(disk).toMatch(/31\.0 °C +idle, read 2027-01-15/);
    expect(board).toMatch(/– +stuck$/);
    expect(fan).toMatch(/^CPU fan +fan +0 rpm +alarm$/);
    expect(stdout).toContain("CPU temperature: 45.0 °C (coretemp)");
    expect(stdout).toContain("nct6798: temp9 is not a number: warm");
    expect(stdout).toContain("1 drivers do not answer");
    expect(stdout).toContain("2 more sensors");
  });

  it("lets no driver's text play with the terminal", async () => {
    expect((await run([])).stdout).not.toContain("\u001b");
  });

  it("prints the report as it is with --json", async () => {
    expect((await run(["--json"])).stdout).toBe(`${JSON.stringify(REPORT)}\n`);
  });

  it("says that there is nothing, which is no failure", async () => {
    const { stdout, code } = await run(
      [],
      {},
      { ...REPORT, cpu: null, readings: [], unexpected: [], left: 0, stuck: 0 },
    );
    expect([stdout, code]).toEqual(["No sensors found.\n", 0]);
  });

  it("prints lm-sensors' text as it is with --json-lm", async () => {
    expect((await run(["--json-lm"])).stdout).toBe('{\n   "a-isa-0000":{\n   }\n}\n');
  });

  it("fails with --json-lm when there is no chip, as the program it stands in for", async () => {
    const { stdout, stderr, code } = await run(["--json-lm", "--sysfs-root", "/empty"]);
    expect([stdout, stderr, code]).toEqual(["{\n\n}\n", "No sensors found.\n", 1]);
  });

  it("takes the tree from the option, else from the environment, else the system's", async () => {
    const env = { BALEFIRE_SENSORS_SYSFS_ROOT: "/b", PATH: "/bin" };
    expect((await run(["--sysfs-root", "/a"], env)).asked).toEqual([{ sysfsRoot: "/a", path: "/bin" }]);
    expect((await run(["--json-lm"], env)).asked).toEqual([{ sysfsRoot: "/b", wakeDisks: false }]);
    expect((await run([], { BALEFIRE_SENSORS_SYSFS_ROOT: "" })).asked).toEqual([
      { sysfsRoot: undefined, path: "" },
    ]);
  });

  it.each([
    [["--json", "--json-lm"], "two forms"],
    [["--wake-disks"], "goes with --json-lm"],
  ])("refuses %j", async (args, words) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(words);
  });
});
