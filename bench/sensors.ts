/**
 * What one look at forty sensors costs in CPU: the daemon's pass, with the settings it runs with, beside
 * a run of Debian's `sensors -j` on the same tree, in the same minute on the same machine.
 * Run: `node bench/sensors.ts`. Ends with 1 when a pass costs more than its budget.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSensors } from "../src/adapters/sensors/kernel-sensors.ts";
import { createSensing, isCpuDriver } from "../src/daemon/sensing.ts";
import { instant, wallTime } from "../src/kit/time.ts";
import { MACHINES, nvme, together } from "../test/fixtures/sysfs/machines.ts";
import { whyNoLmSensors, whyNoMounts, within } from "../test/fixtures/sysfs/namespace.ts";
import { buildTree, type Machine } from "../test/fixtures/sysfs/tree.ts";
import { percentile } from "./statistics.ts";

const SENSORS = 40;
/** Of CPU time, all threads, for one pass. */
const BUDGET_MS = 2;
const PASSES = 300;
const ROUNDS = 9;
const WARMUP = 50;
const RUNS = 50;
/** Passes of a daemon are ten seconds apart. */
const PASS_INTERVAL_MS = 10_000;

/** A two-socket server with memory sensors, a power meter and drives. */
function server(): Machine {
  const drive = (slot: number) =>
    nvme({
      pci: `pci0000:40/0000:40:0${slot}.0/0000:4${slot}:00.0`,
      controller: `nvme${slot}`,
      model: "SAMSUNG MZQL23T8HCLS-00A07",
      serial: `S64HNE0R${slot}`,
      composite: 38_850 + slot * 1000,
      spots: slot < 3 ? [41_850, 46_850, 39_850] : [41_850, 46_850],
    });
  const xeon = MACHINES["two-socket Xeon with memory sensors and an ACPI power meter"] ?? { chips: [] };
  return together(xeon, drive(1), drive(2), drive(3));
}

interface Measured {
  readonly sensors: number;
  /** Median of the rounds' means, in milliseconds of CPU. */
  readonly passMs: number;
  readonly dumpMs: number;
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function costOf(work: (at: number) => Promise<unknown>, times: number): Promise<number> {
  for (let at = 0; at < WARMUP; at += 1) await work(at);
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = cpuMs();
    for (let at = 0; at < times; at += 1) await work(WARMUP + round * times + at);
    rounds.push((cpuMs() - before) / times);
  }
  return percentile(rounds, 50);
}

async function measure(root: string): Promise<Measured> {
  const sensors = createSensors({ root, isCpuDriver });
  const sensing = createSensing(sensors, []);
  const moment = (at: number) => ({
    now: instant(at * PASS_INTERVAL_MS),
    wall: wallTime(at * PASS_INTERVAL_MS),
  });
  const { readings } = await sensing.sense(moment(0));
  const passMs = await costOf((at) => sensing.sense(moment(at)), PASSES);
  const dumpMs = await costOf((at) => sensors.dump(moment(at), true), 5);
  sensors.close();
  return { sensors: readings.length, passMs, dumpMs };
}

/** CPU of one run of lm-sensors, in milliseconds: the shell's `times` of many. */
function lmSensorsMs(root: string): number | undefined {
  if ((whyNoMounts() ?? whyNoLmSensors()) !== undefined) return undefined;
  const loop = `i=0; while [ $i -lt ${RUNS} ]; do sensors -j -c /dev/null >/dev/null; i=$((i+1)); done; times`;
  const [, children = ""] = within(root, loop).stdout.trim().split("\n");
  const spent = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => Number(m) * 60 + Number(s));
  return (1000 * spent.reduce((sum, seconds) => sum + seconds, 0)) / RUNS;
}

/** The settings the daemon runs with, as `bin/balefire` has them. */
function daemonSettings(): readonly string[] {
  const starter = readFileSync(fileURLToPath(new URL("../bin/balefire", import.meta.url)), "utf8");
  return /^exec "\$node" (.*) "\$entry"/m.exec(starter)?.[1]?.split(" ") ?? [];
}

const given = process.argv[2];
if (given !== undefined) console.log(JSON.stringify(await measure(given)));
else {
  const root = mkdtempSync(join(tmpdir(), "balefire-bench-"));
  try {
    buildTree(root, server());
    const theirs = lmSensorsMs(root);
    const said = execFileSync(process.execPath, [...daemonSettings(), fileURLToPath(import.meta.url), root], {
      encoding: "utf8",
    });
    const { sensors, passMs, dumpMs } = JSON.parse(said) as Measured;
    if (sensors !== SENSORS) throw new Error(`the tree has ${sensors} sensors, not ${SENSORS}`);
    const ratio = (ms: number): string =>
      theirs === undefined ? "" : `, ${(theirs / ms).toFixed(1)} times less than it`;
    console.log(
      `sensors -j, a process each time      ${theirs === undefined ? "not here" : `${theirs.toFixed(2)} ms`}`,
    );
    console.log(
      `one pass over ${sensors} sensors             ${passMs.toFixed(2)} ms${ratio(passMs)} (budget ${BUDGET_MS} ms)`,
    );
    console.log(`all files, as for --json-lm          ${dumpMs.toFixed(2)} ms`);
    if (passMs > BUDGET_MS) process.exitCode = 1;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
