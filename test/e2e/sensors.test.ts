/** `balefire sensors` as a process of its own, without daemon or state. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { SensorsReport } from "../../src/wire/readings.ts";
import { MACHINES, nvme, sata, together } from "../fixtures/sysfs/machines.ts";
import { whyNoMounts, within } from "../fixtures/sysfs/namespace.ts";
import { buildTree, type Machine } from "../fixtures/sysfs/tree.ts";

const BALEFIRE = fileURLToPath(new URL("../../bin/balefire", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "balefire-sensors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function treeOf(machine: Machine): string {
  const root = mkdtempSync(join(folder, "m-"));
  buildTree(root, machine);
  return root;
}

function balefire(...args: readonly string[]) {
  return spawnSync(BALEFIRE, ["sensors", ...args], { encoding: "utf8", timeout: 20_000 });
}

const canTrace = spawnSync("strace", ["-V"]).error === undefined;

describe("balefire sensors", () => {
  it("needs no state, no daemon and no configuration", () => {
    const root = treeOf(MACHINES["two-socket EPYC with Tctl and Tdie"] ?? { chips: [] });
    const { stdout, status } = balefire("--sysfs-root", root);
    expect(status).toBe(0);
    expect(stdout).toContain("CPU 1 die 8");
    expect(stdout).toContain("CPU temperature: 53.1 °C (k10temp)");
  });

  it.skipIf(!canTrace && process.env.CI !== "true")(
    "spawns no process and opens nothing but sysfs for the kernel's sensors",
    () => {
      const drives = nvme({
        pci: "pci0000:00/0000:01:00.0",
        controller: "nvme0",
        model: "M",
        serial: "S",
        composite: 40000,
      });
      const disk = sata({ block: "sda", host: 0, model: "HDD", serial: "H", rotational: true, input: 30000 });
      const root = treeOf(together(drives, disk));
      const traced = spawnSync(
        "strace",
        ["-f", "-qq", "-e", "trace=execve,openat", BALEFIRE, "sensors", "--sysfs-root", root, "--json"],
        { encoding: "utf8" },
      );
      expect(traced.error).toBeUndefined();
      const started = traced.stderr.split("\n").filter((line) => line.includes("execve("));
      const node = started.findIndex((line) => line.includes("src/main.ts") && line.endsWith("= 0"));
      expect(node).toBeGreaterThan(-1);
      expect(started.slice(node + 1)).toEqual([]);
      expect(traced.stderr).not.toContain(
        `${root}/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/hwmon/hwmon1/temp1_input`,
      );
    },
  );
});

const reason = whyNoMounts();

describe.skipIf(reason !== undefined)(
  `a driver that hangs${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    it("costs its own sensors only, and does not hold the process at its end", () => {
      const root = treeOf(MACHINES["Ryzen with k10temp, nct6798 and a network chip"] ?? { chips: [] });
      const pipe = join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      const began = performance.now();
      const { stdout, status } = within(
        root,
        `mount --bind ${pipe} "/sys/class/hwmon/hwmon0/temp1_input"; exec ${BALEFIRE} sensors --json`,
      );
      expect(performance.now() - began).toBeLessThan(8000);
      expect(status).toBe(0);
      const report = JSON.parse(stdout) as SensorsReport;
      const states = (driver: string) =>
        new Set(report.readings.filter((each) => each.driver === driver).map(({ validity }) => validity));
      expect(states("k10temp")).toEqual(new Set(["ok"]));
      expect(states("nct6798")).toEqual(new Set(["stuck"]));
      expect([report.stuck, report.cpu?.celsius]).toEqual([1, 52.625]);
    });
  },
);
