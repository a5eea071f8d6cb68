/** Real daemons that read sensor trees made for them: what each knows of the others, who is told of what, what is left of the dead. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { sleep, until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { messageIn, tells } from "../../lab/driver/message.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import type { HistoryReport } from "../../src/wire/heat-reports.ts";
import { nvme, together } from "../fixtures/sysfs/machines.ts";
import { buildTree, chipFolder, type Machine, write } from "../fixtures/sysfs/tree.ts";

const PORT = 18_054;
const WAIT_MS_MAX = 15_000;

const CPU = {
  name: "coretemp",
  device: "platform/coretemp.0",
  bus: "platform",
  number: 1,
  channels: {
    temp1: { input: 45000, label: "Package id 0", crit: 105000 },
    temp2: { input: 44000, label: "Core 0", crit: 105000 },
  },
} as const;
const BOARD = {
  name: "nct6798",
  device: "platform/nct6798.656",
  bus: "platform",
  number: 2,
  channels: { fan1: { input: 1200 }, temp1: { input: 38000, label: "SYSTIN", max: 90000 } },
} as const;
const drive = nvme({
  pci: "pci0000:00/0000:01:00.0",
  controller: "nvme0",
  model: "Some drive",
  serial: "S1",
  composite: 41000,
});
const MACHINE: Machine = together(drive, { chips: [CPU, BOARD] });
const NVME_FILE = `${chipFolder(drive.chips[0] ?? CPU, 0)}/temp1_input`;
const CPU_FILE = `${chipFolder(CPU, 1)}/temp1_input`;
const CORE_FILE = `${chipFolder(CPU, 1)}/temp2_input`;
/** Opened anew from time to time, so that a pipe in its place makes its driver hang. */
const BOARD_LIMIT = `${chipFolder(BOARD, 2)}/temp1_max`;

const FAN = "fan1 (nct6798)";

const folder = mkdtempSync(join(tmpdir(), "balefire-heat-"));
const rootOf = (name: string): string => join(folder, name);
const set = (name: string, file: string, value: number): void => write(rootOf(name), file, String(value));

let mesh: Mesh;
let a: Daemon;
let b: Daemon;
beforeAll(async () => {
  for (const name of ["a", "b", "c"]) buildTree(rootOf(name), MACHINE);
  mesh = await Mesh.form({
    names: ["a", "b", "c"],
    network: loopbackNetwork(),
    balefire: FROM_SOURCE,
    port: PORT,
    policy: { daemonDown: { grace: "0s" } },
    configOf: (name) => ({
      sensors: { sysfsRoot: rootOf(name), every: "500ms", rules: [{ sustain: "0s" }] },
      history: { flush: "1s" },
    }),
  });
  a = mesh.daemon("a");
  b = mesh.daemon("b");
});
afterAll(async () => {
  await mesh.close();
  rmSync(folder, { recursive: true, force: true });
});

const command = (daemon: Daemon, ...words: string[]): Promise<Finished> =>
  runToEnd([...FROM_SOURCE, ...words], { env: daemon.env, timeoutMs: 60_000 });
const tempsOf = async (daemon: Daemon, node: string) => {
  const { hosts } = await daemon.control.call("temps", { node });
  return hosts[0];
};
const valueOn = async (daemon: Daemon, node: string, name: string) =>
  (await tempsOf(daemon, node))?.readings.find((each) => each.name === name);

test("every node shows the sensors of all others, and what changes there", async () => {
  await until("b to know of a", WAIT_MS_MAX, async () => (await valueOn(b, "a", "CPU")) ?? undefined);
  set("a", CPU_FILE, 51500);
  const cpu = await until("b to see it change", WAIT_MS_MAX, async () => {
    const reading = await valueOn(b, "a", "CPU");
    return reading?.value === 51.5 ? reading : undefined;
  });
  expect(cpu).toMatchObject({ kind: "cpu-package", validity: "ok", warning: 85, critical: 95 });
  expect(cpu.max).toBe(51.5);
  const shown = await command(b, "temps");
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toMatch(/^a: CPU 51.5 °C$/m);
  expect(shown.stdout).toMatch(/^Some drive \(nvme0\) +41\.0 +°C/m);
});

describe("a driver that never answers", () => {
  test("costs its own sensors alone, and no beat", async () => {
    await until("a to know of c", WAIT_MS_MAX, async () => (await valueOn(a, "c", FAN)) ?? undefined);
    rmSync(join(rootOf("c"), BOARD_LIMIT));
    execFileSync("mkfifo", [join(rootOf("c"), BOARD_LIMIT)]);
    const stuck = await until("the driver to hang", WAIT_MS_MAX, async () => {
      const fan = await valueOn(a, "c", FAN);
      return fan?.validity === "stuck" ? fan : undefined;
    });
    expect(stuck.value).toBeNull();
    set("c", CPU_FILE, 47000);
    await until("passes to go on", WAIT_MS_MAX, async () =>
      (await valueOn(a, "c", "CPU"))?.value === 47 ? true : undefined,
    );
    const [seen] = (await a.status()).nodes.filter(({ name }) => name === "c");
    expect(seen?.verdict).toBe("alive");
    expect(seen?.beatsPerSecond).toBeGreaterThan(3);
    expect(mesh.notices.filter(({ event }) => event.event === "verdict" && event.to === "suspect")).toEqual(
      [],
    );
  });

  test("is found by doctor", async () => {
    const { stdout } = await command(mesh.daemon("c"), "doctor");
    expect(stdout).toContain("1 driver does not answer");
  });

  test("does not keep the daemon from ending when it is told to", async () => {
    await mesh.perform("stop", "c");
    rmSync(join(rootOf("c"), BOARD_LIMIT));
    set("c", BOARD_LIMIT, 90000);
    await mesh.perform("revive", "c");
    await until("the driver to answer", WAIT_MS_MAX, async () =>
      (await valueOn(a, "c", FAN))?.value === 1200 ? true : undefined,
    );
  });
});

describe("a sensor past its limit", () => {
  test("is one message, and its recovery another; what crosses together is told together", async () => {
    set("a", CPU_FILE, 97000);
    set("a", CORE_FILE, 98000);
    set("a", NVME_FILE, 90000);
    const opened = await mesh.delivery("the message", WAIT_MS_MAX, (each) => tells(each, "open", "a"));
    const message = messageIn(opened);
    expect(message?.kind).toBe("heat");
    await until("all of it to be shown", WAIT_MS_MAX, async () =>
      (await valueOn(b, "a", "CPU"))?.value === 97 ? true : undefined,
    );
    await sleep(2000);
    expect(mesh.receiver.deliveries.filter((each) => tells(each, "open", "a"))).toHaveLength(1);
    expect(message?.text).toContain("CPU 97 °C");
    expect(message?.text).toContain("Some drive");
    for (const [file, value] of [
      [CPU_FILE, 50000],
      [CORE_FILE, 50000],
      [NVME_FILE, 41000],
    ] as const)
      set("a", file, value);
    await mesh.delivery("the recovery", WAIT_MS_MAX, (each) => tells(each, "resolved", "a"));
    await sleep(2000);
    expect(mesh.receiver.deliveries.filter((each) => tells(each, "resolved", "a"))).toHaveLength(1);
  });
});

describe("history", () => {
  test("of a peer's sensor is kept on every node that hears it, and survives a kill", async () => {
    const lately = async (): Promise<HistoryReport> => {
      const from = Date.now() - 600_000;
      return b.control.call("history", { sensor: "CPU", node: "a", from, stepMs: 1000 });
    };
    const noSuch = await command(b, "history", "package", "--node", "a");
    expect(noSuch.stderr).toContain("no sensor of a is called");
    const before = await until("b to have kept what a felt", WAIT_MS_MAX, async () => {
      const report = await lately();
      return report.points.some(({ max }) => max === 97) ? report : undefined;
    });
    await sleep(1500);
    await mesh.perform("kill", "b");
    await mesh.perform("revive", "b");
    const after = await lately();
    const kept = after.points.filter(({ at }) => before.points.some((point) => point.at === at));
    expect(kept.length).toBeGreaterThanOrEqual(before.points.length - 1);
    expect(after.sensor).toMatchObject({ name: "CPU", unit: "celsius" });
  });

  test("of a part that fits several sensors is refused with a list", async () => {
    const refused = await command(a, "history", "temp");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("platform/coretemp.0/temp1 (CPU)");
    const csv = await command(a, "history", "SYSTIN", "--from", "-10m", "--step", "1m", "--csv");
    expect(csv.stdout).toMatch(/^time,min,mean,max,count\n2\d{3}-.*,38,38,38,\d+$/m);
  });
});

describe("a history that is damaged", () => {
  test("is set aside at the start, and the daemon watches and keeps on", async () => {
    await mesh.perform("stop", "b");
    const file = join(b.folder, "state/history.sqlite");
    writeFileSync(file, "no database at all ".repeat(1000));
    await mesh.perform("revive", "b");
    await mesh.settled();
    const again = await until("b to keep what a feels", WAIT_MS_MAX, () =>
      b.control.call("history", { sensor: "CPU", node: "a" }).catch(() => undefined),
    );
    expect(again.points.length).toBeGreaterThan(0);
    expect(readFileSync(`${file}.damaged-1`, "utf8")).toMatch(/^no database at all/);
    expect(b.logTail()).toContain("history.sqlite.damaged-1");
  });
});

describe("a host that goes down in order", () => {
  /** An environment in which systemd says that it is about to reach a target. */
  function headingFor(target: string): NodeJS.ProcessEnv {
    const programs = mkdtempSync(join(folder, "bin-"));
    const program = join(programs, "systemctl");
    writeFileSync(program, `#!/bin/sh\necho "12 ${target} start waiting"\n`, { mode: 0o755 });
    return { PATH: `${programs}:${process.env.PATH}`, INVOCATION_ID: "1" };
  }
  const seenFrom = async (daemon: Daemon, name: string) =>
    (await daemon.status()).nodes.find((node) => node.name === name);

  test("says why as its last word", async () => {
    const c = mesh.daemon("c");
    await c.stop();
    await c.run(headingFor("reboot.target"));
    await until("a to hear it", WAIT_MS_MAX, async () =>
      (await seenFrom(a, "c"))?.verdict === "alive" ? true : undefined,
    );
    await c.stop();
    const left = await until("a to hear that it leaves", WAIT_MS_MAX, async () => {
      const seen = await seenFrom(a, "c");
      return seen?.verdict === "planned" ? seen : undefined;
    });
    expect(left.farewell).toBe("reboot");
    expect((await command(a, "status")).stdout).toContain("c: said goodbye: its host was rebooted");
  });

  test("past its critical limit is told at once, as having been too hot", async () => {
    const c = mesh.daemon("c");
    await c.run(headingFor("poweroff.target"));
    await until("a to hear it", WAIT_MS_MAX, async () =>
      (await valueOn(a, "c", "CPU"))?.value === 47 ? true : undefined,
    );
    set("c", CPU_FILE, 99000);
    await mesh.delivery("word of the heat", WAIT_MS_MAX, (each) => tells(each, "open", "c"));
    const from = mesh.receiver.deliveries.length;
    await c.stop();
    const told = await mesh.delivery("its last word", WAIT_MS_MAX, (each) => tells(each, "open", "c"), from);
    expect(messageIn(told)?.text).toContain("too hot");
    set("c", CPU_FILE, 47000);
    await mesh.perform("revive", "c");
    await mesh.settled();
  });
});

describe("a host that is killed", () => {
  test("is told with what it last felt, and its black box is on the survivors", async () => {
    await mesh.settled();
    const from = mesh.receiver.deliveries.length;
    await mesh.perform("kill", "c");
    const down = await mesh.delivery("the message", WAIT_MS_MAX, (each) => tells(each, "open", "c"), from);
    expect(messageIn(down)?.subjects[0]).toBeDefined();
    const box = await b.control.call("blackbox", { node: "c" });
    expect(box.silentSince).not.toBeNull();
    expect(box.samples.length).toBeGreaterThanOrEqual(3);
    const place = box.sensors.findIndex(({ name }) => name === "CPU");
    expect(box.samples.at(-1)?.values[place]).toBe(47);
  });
});

describe("a host that was removed from the mesh", () => {
  test("is still known to the history, by its name and by its id, but not to temps", async () => {
    const { id } = mesh.daemon("c");
    expect((await command(a, "node", "remove", "c", "--why", "sold")).code).toBe(0);
    await until("b to know of it", WAIT_MS_MAX, async () =>
      (await b.status()).nodes.some(({ name }) => name === "c") ? undefined : true,
    );
    for (const node of ["c", id]) {
      const past = await b.control.call("history", { sensor: "CPU", node });
      expect(past).toMatchObject({ node: id, name: "c", sensor: { name: "CPU" } });
      expect(past.points.some(({ max }) => max === 99)).toBe(true);
      expect((await command(b, "blackbox", node)).stdout).toContain("CPU");
    }
    expect((await command(b, "temps", "c")).stderr).toContain("no node is named c");
    expect((await command(b, "history", "CPU", "--node", "z")).stderr).toContain("no node is named z");
  });
});
