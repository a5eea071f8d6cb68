import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MACHINES, nvme, sata, together } from "../../../test/fixtures/sysfs/machines.ts";
import {
  buildTree,
  type Chip,
  chipFolder,
  link,
  type Machine,
  write,
} from "../../../test/fixtures/sysfs/tree.ts";
import { instant, minutes, wallTime } from "../../kit/time.ts";
import type { Moment, Sensors } from "../../ports/sensors.ts";
import { CHANNELS_MAX } from "./channels.ts";
import { CHIPS_MAX } from "./chips.ts";
import { createSensors, DISCOVERY_INTERVAL, LIST_INTERVAL, SEARCH_INTERVAL } from "./kernel-sensors.ts";

let root: string;
let sensors: Sensors | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "balefire-sysfs-"));
});
afterEach(() => {
  sensors?.close();
  rmSync(root, { recursive: true, force: true });
});

/** Where nothing hangs, a busy machine's slowness must not look like it. */
const PATIENT_MS = 5000;
const IMPATIENT_MS = 100;
const PASS = 10_000;
const WALL = 1_800_000_000_000;
const moment = (ms: number): Moment => ({ now: instant(ms), wall: wallTime(WALL + ms) });

function open(machine: Machine, timeoutMs: number = PATIENT_MS): Sensors {
  buildTree(root, machine);
  sensors = createSensors({ root, isCpuDriver: (driver) => driver === "coretemp", timeoutMs });
  return sensors;
}

/** `driver label-or-channel` to text or outcome, after the pass at this time. */
async function seen(from: Sensors, ms: number): Promise<Record<string, string>> {
  const { chips, values } = await from.read(moment(ms));
  return Object.fromEntries(
    chips.flatMap((chip, at) =>
      chip.channels.map(({ type, index, label }, channel) => {
        const value = values[at]?.[channel];
        const text = value?.outcome === "read" ? value.text : `${value?.outcome} ${value?.text ?? "-"}`;
        return [`${chip.driver} ${label ?? `${type}${index}`}`, String(text)];
      }),
    ),
  );
}

const board = (name: string, input: number, number?: number): Chip => ({
  name,
  device: `platform/${name}.1`,
  bus: "platform",
  channels: { temp1: { input, max: 80000, label: "SYSTIN" }, fan1: { input: 900, fault: 0 } },
  ...(number === undefined ? {} : { number }),
});

describe("passes", () => {
  it("show what the files hold now, and the same chips as long as nothing changes", async () => {
    const from = open({ chips: [board("nct", 30000)] });
    const first = await from.read(moment(0));
    write(root, `${chipFolder(board("nct", 0), 0)}/temp1_input`, "31000");
    const second = await from.read(moment(PASS));
    expect([first, second].map(({ values }) => values[0]?.[0]?.text)).toEqual(["30000", "31000"]);
    expect(second.chips).toBe(first.chips);
    expect(second.values[0]?.[0]?.at).toBe(WALL + PASS);
  });

  it("notice a limit that was changed", async () => {
    const from = open({ chips: [board("nct", 30000)] });
    const first = await from.read(moment(0));
    write(root, `${chipFolder(board("nct", 0), 0)}/temp1_max`, "70000");
    const second = await from.read(moment(PASS));
    expect(second.chips).not.toBe(first.chips);
    expect(second.chips[0]?.channels[0]?.settings.get("max")).toBe("70000");
  });

  it("notice a fault bit at once", async () => {
    const from = open({ chips: [board("nct", 30000)] });
    await from.read(moment(0));
    write(root, `${chipFolder(board("nct", 0), 0)}/fan1_fault`, "1");
    expect((await from.read(moment(PASS))).values[0]?.[1]?.fault).toBe(true);
  });

  it("find a chip that was plugged in", async () => {
    const from = open({ chips: [board("one", 30000)] });
    expect(Object.keys(await seen(from, 0))).toHaveLength(2);
    buildTree(root, { chips: [board("two", 40000, 7)] });
    expect(await seen(from, LIST_INTERVAL)).toMatchObject({ "one SYSTIN": "30000", "two SYSTIN": "40000" });
  });

  it("lose a chip that was pulled out, in the midst of reading too, without losing others", async () => {
    const from = open({ chips: [board("one", 30000), board("two", 40000)] });
    await seen(from, 0);
    const between = from.read(moment(PASS));
    rmSync(join(root, "class/hwmon/hwmon1"));
    rmSync(join(root, "devices/platform/two.1"), { recursive: true });
    await between;
    expect(await seen(from, LIST_INTERVAL)).toEqual({ "one SYSTIN": "30000", "one fan1": "900" });
  });

  it("find files again that another chip put in the place of the old ones", async () => {
    const from = open({ chips: [{ ...board("one", 30000), channels: { temp1: { input: 30000 } } }] });
    rmSync(join(root, chipFolder(board("one", 0), 0), "temp1_input"));
    // Vanished before it was ever open.
    expect(await seen(from, 0)).toEqual({});
    write(root, `${chipFolder(board("one", 0), 0)}/temp1_input`, "55000");
    await seen(from, SEARCH_INTERVAL);
    expect(await seen(from, DISCOVERY_INTERVAL)).toEqual({ "one temp1": "55000" });
  });

  it("show an unreadable file as such, and what is beside it", async () => {
    const from = open({ chips: [board("nct", 30000)] });
    const path = join(root, chipFolder(board("nct", 0), 0), "temp1_input");
    await from.read(moment(0));
    rmSync(path);
    from.close();
    execFileSync("mkdir", [path]);
    // Listed as a folder, it is no sensor any more.
    expect(await seen(from, PASS)).toEqual({ "nct fan1": "900" });
  });

  it("find nothing in a tree without sensors, and in no tree at all", async () => {
    expect(await seen(open({ chips: [] }), 0)).toEqual({});
    const none = createSensors({ root: join(root, "nowhere"), isCpuDriver: () => false });
    expect((await none.read(moment(0))).chips).toEqual([]);
  });

  it("read no more than the limits from a tree with thousands of sensors, and say how many are left", async () => {
    const big = (number: number): Chip => ({
      name: "big",
      number,
      channels: Object.fromEntries(
        Array.from({ length: CHANNELS_MAX + 40 }, (_, at) => [`temp${at + 1}`, { input: at }]),
      ),
    });
    const pass = await open({ chips: [big(0), big(1), big(2)] }).read(moment(0));
    expect(pass.values.map((of) => of.length)).toEqual([CHANNELS_MAX, CHANNELS_MAX]);
    expect(pass.left).toBe(3 * 40 + CHANNELS_MAX);
    expect(pass.values.flat().every(({ outcome }) => outcome === "read")).toBe(true);
  });

  it("look at no more chips than the limit", async () => {
    const small = Array.from(
      { length: CHIPS_MAX + 9 },
      (_, at): Chip => ({ name: "small", channels: { temp1: { input: at } } }),
    );
    const pass = await open({ chips: small }).read(moment(0));
    expect([pass.chips.length, pass.left]).toEqual([CHIPS_MAX, 9]);
  });

  it("hold no more files open than they need, and none when closed", async () => {
    const from = open(
      MACHINES["two-socket Xeon with memory sensors and an ACPI power meter"] ?? { chips: [] },
    );
    const openFiles = (): string =>
      execFileSync("sh", ["-c", `ls -l /proc/${process.pid}/fd | grep -c "${root}" || true`], {
        encoding: "utf8",
      });
    for (let pass = 0; pass < 5; pass += 1) await from.read(moment(pass * PASS));
    expect(Number(openFiles())).toBe(29);
    from.close();
    await from.read(moment(0));
    from.close();
    while (Number(openFiles()) > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe("thermal zones", () => {
  const zones = [
    { type: "cpu-thermal", temp: 51625, trips: { passive: 80000, critical: 110000 } },
    { type: "acpitz", temp: 27800 },
  ];

  it("stand in where no chip measures a CPU, but for those that are chips as well", async () => {
    const from = open({ chips: [{ name: "acpitz", channels: { temp1: { input: 27800 } } }], zones });
    expect(await seen(from, 0)).toEqual({ "acpitz temp1": "27800", "cpu-thermal temp1": "51625" });
    const { chips } = await from.read(moment(1));
    expect(chips.find(({ driver }) => driver === "cpu-thermal")?.channels[0]?.settings.get("crit")).toBe(
      "110000",
    );
  });

  it("are not read where a chip measures a CPU", async () => {
    const from = open({ chips: [{ name: "coretemp", channels: { temp1: { input: 40000 } } }], zones });
    expect(Object.keys(await seen(from, 0))).toEqual(["coretemp temp1"]);
  });
});

describe("what disks tell of themselves", () => {
  it("is model, serial, slot and whether they turn", async () => {
    const drive = nvme({
      pci: "pci0000:00/0000:00:06.0/0000:01:00.0",
      controller: "nvme0",
      model: "Samsung SSD 990 PRO 2TB",
      serial: "S7KHNJ0W912345",
      composite: 38850,
    });
    const disk = sata({
      block: "sda",
      host: 3,
      model: "WDC WD80EFAX",
      serial: "VAHX1",
      rotational: true,
      input: 30000,
    });
    const bay = "devices/pci0000:00/0000:00:17.0/ata4/host3/target3:0:0/3:0:0:0/enclosure_device:Slot 07";
    const from = open(
      together(drive, disk, {
        chips: [],
        files: { "bus/pci/slots/4/address": "0000:01:00", [`${bay}/x`]: "" },
      }),
    );
    const { chips } = await from.read(moment(0));
    expect(chips.map(({ disk, slot }) => ({ ...disk, slot }))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          model: "Samsung SSD 990 PRO 2TB",
          serial: "S7KHNJ0W912345",
          device: "nvme0",
          slot: "4",
        }),
        expect.objectContaining({
          model: "WDC WD80EFAX",
          serial: "VAHX1",
          device: "sda",
          rotational: true,
          slot: "Slot 07",
        }),
      ]),
    );
  });
});

describe("rotational disks", () => {
  const disk = {
    block: "sda",
    host: 0,
    model: "WDC WD80EFAX",
    serial: "VAHX1",
    rotational: true,
    input: 30000,
  };
  const machine = sata(disk);
  const input = (): string => join(root, chipFolder(machine.chips[0] ?? board("", 0), 0), "temp1_input");
  const counters = (text: string): void =>
    write(root, "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda/stat", text);

  /** Each read leaves its time on the file (relatime: when that is older than the last write). */
  const LONG_AGO = new Date(1000);
  const forget = (): void => utimesSync(input(), LONG_AGO, new Date());
  const wasRead = (): boolean => statSync(input()).atimeMs > 1_000_000;

  it("are recorded by this test whenever they are read", () => {
    buildTree(root, machine);
    forget();
    expect(wasRead()).toBe(false);
    readFileSync(input());
    expect(wasRead()).toBe(true);
  });

  it("are read only after their counters moved, at most every five minutes, and else shown as they were", async () => {
    const from = open(machine);
    const value = async (ms: number) => {
      forget();
      const pass = await from.read(moment(ms));
      return [wasRead(), pass.values[0]?.[0]?.outcome, pass.values[0]?.[0]?.text, pass.values[0]?.[0]?.at];
    };
    expect(await value(0)).toEqual([false, "asleep", null, null]);
    expect(await value(PASS)).toEqual([false, "asleep", null, null]);
    counters("121 0 968 40");
    expect(await value(2 * PASS)).toEqual([true, "read", "30000", WALL + 2 * PASS]);
    write(root, input().slice(root.length), "36000");
    counters("122 0 976 40");
    expect(await value(3 * PASS)).toEqual([false, "asleep", "30000", WALL + 2 * PASS]);
    const five = 2 * PASS + minutes(5);
    for (let ms = 4 * PASS; ms < five; ms += PASS) {
      counters(`${ms} 0 976 40`);
      expect((await value(ms))[0], `at ${ms} ms`).toBe(false);
    }
    counters("9999 0 976 40");
    expect(await value(five)).toEqual([true, "read", "36000", WALL + five]);
    for (let ms = five + PASS; ms < five + minutes(20); ms += PASS)
      expect(await value(ms), `at ${ms} ms`).toEqual([false, "asleep", "36000", WALL + five]);
  });

  it("are not taken for busy because they were asked", async () => {
    const from = open(machine);
    await from.read(moment(0));
    counters("121 0 968 40");
    await from.read(moment(PASS));
    forget();
    for (let ms = 2 * PASS; ms < minutes(7); ms += PASS) await from.read(moment(ms));
    expect(wasRead()).toBe(false);
  });

  it("keep their last value and its time through a search for chips", async () => {
    const from = open(machine);
    await from.read(moment(0));
    counters("121 0 968 40");
    await from.read(moment(PASS));
    const pass = await from.read(moment(DISCOVERY_INTERVAL));
    expect(pass.values[0]?.[0]).toMatchObject({ outcome: "asleep", text: "30000", at: WALL + PASS });
  });

  it("are left alone by a dump, unless it may wake them", async () => {
    const from = open(machine);
    forget();
    const [quiet] = await from.dump(moment(0), false);
    expect([wasRead(), quiet?.files.find(({ name }) => name === "temp1_input")?.text]).toEqual([false, null]);
    const [loud] = await from.dump(moment(0), true);
    expect([wasRead(), loud?.files.find(({ name }) => name === "temp1_input")?.text]).toEqual([
      true,
      "30000\n",
    ]);
  });

  it("leave solid state disks to be read each time", async () => {
    const from = open(sata({ ...disk, rotational: false }));
    await from.read(moment(0));
    forget();
    await from.read(moment(PASS));
    expect(wasRead()).toBe(true);
  });
});

describe("a driver that hangs", () => {
  /** In place of a file that is opened at each search or refresh. */
  function hangAt(path: string): void {
    rmSync(path, { force: true });
    execFileSync("mkfifo", [path]);
  }
  function answer(path: string): void {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(fd, "1\n");
    closeSync(fd);
  }

  it("costs its own chip, and only until it answers", async () => {
    const from = open({ chips: [board("bad", 30000), board("good", 40000)] }, IMPATIENT_MS);
    await from.read(moment(0));
    const limit = join(root, chipFolder(board("bad", 0), 0), "temp1_max");
    hangAt(limit);
    const stuck = {
      "bad SYSTIN": "stuck -",
      "bad fan1": "stuck -",
      "good SYSTIN": "40000",
      "good fan1": "900",
    };
    let ms = PASS;
    for (; from.stuck() === 0; ms += PASS) await seen(from, ms);
    expect(await seen(from, ms + PASS)).toEqual(stuck);
    answer(limit);
    rmSync(limit);
    writeFileSync(limit, "80000\n");
    chmodSync(limit, 0o444);
    while (from.stuck() > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await seen(from, ms + 2 * PASS)).toMatchObject({ "bad SYSTIN": "30000", "good SYSTIN": "40000" });
  });

  it("holds back all chips on its I2C bus, since they share what hangs, and no others", async () => {
    const bus = "pci0000:00/0000:00:1f.4/i2c-0";
    const module = (address: string): Chip => ({
      name: `spd5118-${address}`,
      device: `${bus}/0-00${address}`,
      bus: "i2c",
      channels: { temp1: { input: 35000, max: 55000 } },
    });
    const chips = [module("50"), module("51"), board("nct", 30000)];
    const from = open({ chips, i2c: { "i2c-0": [bus, "SMBus I801 adapter"] } }, IMPATIENT_MS);
    await from.read(moment(0));
    const limit = join(root, chipFolder(module("50"), 0), "temp1_max");
    hangAt(limit);
    let ms = PASS;
    for (; from.stuck() === 0; ms += PASS) await from.read(moment(ms));
    expect(await seen(from, ms + PASS)).toEqual({
      "spd5118-50 temp1": "stuck -",
      "spd5118-51 temp1": "stuck -",
      "nct SYSTIN": "30000",
      "nct fan1": "900",
    });
    answer(limit);
  });

  it("does not make its chips vanish when all lanes hang during a search", async () => {
    const from = open(
      { chips: [board("one", 1000), board("two", 2000), board("three", 3000)] },
      IMPATIENT_MS,
    );
    await from.read(moment(0));
    const limits = [0, 1].map((at) =>
      join(root, chipFolder(board(["one", "two"][at] ?? "", 0), at), "temp1_max"),
    );
    for (const limit of limits) hangAt(limit);
    let ms = PASS;
    for (; from.stuck() < 2; ms += PASS) await from.read(moment(ms));
    const pass = await from.read(moment(ms + DISCOVERY_INTERVAL));
    expect(pass.chips.map(({ driver }) => driver).toSorted()).toEqual(["one", "three", "two"]);
    for (const limit of limits) answer(limit);
  });
});

it("links that lead nowhere or in circles are no sensors", async () => {
  const from = open({ chips: [board("nct", 30000)] });
  link(root, "class/hwmon/hwmon8", "devices/none");
  link(root, "class/hwmon/hwmon9", "class/hwmon/hwmon9");
  expect(Object.keys(await seen(from, 0))).toEqual(["nct SYSTIN", "nct fan1"]);
});
