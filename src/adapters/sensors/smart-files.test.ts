import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SMART_SAS, SMART_SATA, SMART_STANDBY } from "../../../test/fixtures/sysfs/said.ts";
import { write } from "../../../test/fixtures/sysfs/tree.ts";
import { readingOf } from "../../core/thermal/said.ts";
import { instant, wallTime } from "../../kit/time.ts";
import { createSmartFiles, SMART_INTERVAL, SMART_STALE } from "./smart-files.ts";

const SCRIPT = fileURLToPath(new URL("../../../packaging/balefire-smart", import.meta.url));
const WALL = 1_800_000_060_000;
const moment = { now: instant(0), wall: wallTime(WALL) };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "balefire-smart-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Written at the given time, by default now. */
function file(name: string, content: object | string, wall: number = WALL): void {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  utimesSync(path, wall / 1000, wall / 1000);
}

const readings = async () => (await createSmartFiles(folder).read(moment)).said.map(readingOf);

describe("files that smartctl wrote", () => {
  it("are readings of disks, by serial", async () => {
    file("sda.json", SMART_SATA);
    file("sdb.json", SMART_SAS);
    expect(await readings()).toMatchObject([
      {
        id: "smart:VAHX1ABC/temp1",
        kind: "hdd",
        name: "WDC WD80EFAX-68LHPN0 (sda)",
        value: 34,
        validity: "ok",
        limits: {},
      },
      {
        id: "smart:S0M1XYZ/temp1",
        kind: "hdd",
        name: "SEAGATE ST600MM0006 (sdb)",
        value: 41,
        limits: { crit: 60 },
      },
    ]);
  });

  it("show a disk left asleep with its last value and that value's time", async () => {
    file("sda.json", SMART_SATA, WALL - 10 * SMART_STALE);
    file("sda.idle", "");
    expect(await readings()).toMatchObject([{ value: 34, validity: "idle", at: 1_800_000_000_000 }]);
  });

  it("say nothing when nobody has written them for long", async () => {
    file("sda.json", SMART_SATA, WALL - SMART_STALE - 1);
    expect(await readings()).toEqual([]);
  });

  it.each([
    ["no JSON", "{"],
    ["another shape", { temperature: 34 }],
    ["a list", "[]"],
    ["what stands for a sleeping disk", SMART_STANDBY],
    ["a temperature that is none", { ...SMART_SATA, temperature: { current: "warm" } }],
  ])("are kept as a surprise when they hold %s", async (_name, content) => {
    file("sda.json", content);
    file("sdb.json", SMART_SAS);
    const { said, unexpected } = await createSmartFiles(folder).read(moment);
    expect(said).toHaveLength(1);
    expect(unexpected).toMatchObject([{ source: "smartctl", what: "output of another shape" }]);
  });

  it("are passed by when they are longer than smartctl's", async () => {
    file("sda.json", `${JSON.stringify(SMART_SATA)}${" ".repeat(600_000)}`);
    expect(await readings()).toEqual([]);
  });

  it("are looked at once a minute", async () => {
    const reader = createSmartFiles(folder);
    expect((await reader.read(moment)).said).toEqual([]);
    file("sda.json", SMART_SATA);
    expect((await reader.read({ ...moment, now: instant(SMART_INTERVAL - 1) })).said).toEqual([]);
    expect((await reader.read({ ...moment, now: instant(SMART_INTERVAL) })).said).toHaveLength(1);
  });

  it("need not be there", async () => {
    const reader = createSmartFiles(join(folder, "none"));
    expect(await reader.read(moment)).toEqual({ said: [], unexpected: [] });
  });
});

describe("the script that writes them", () => {
  /** Beside a `smartctl` that does as the shell lines say and leaves what it was asked. */
  function run(lines: string): string {
    const bin = join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "smartctl"), `#!/bin/sh\necho "$@" >>"${folder}/asked"\n${lines}\n`);
    chmodSync(join(bin, "smartctl"), 0o755);
    rmSync(join(folder, "asked"), { force: true });
    const ran = spawnSync(SCRIPT, [join(folder, "out"), join(folder, "sys")], {
      encoding: "utf8",
      env: { PATH: `${bin}:${process.env.PATH}` },
    });
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    return existsSync(join(folder, "asked")) ? readFileSync(join(folder, "asked"), "utf8") : "";
  }
  const disk = (name: string, rotational: string, counters: string): void => {
    write(join(folder, "sys"), `block/${name}/queue/rotational`, rotational);
    write(join(folder, "sys"), `block/${name}/stat`, counters);
  };
  const out = (): readonly string[] => readdirSync(join(folder, "out")).toSorted();

  it("asks a solid state disk each time, with -n standby", () => {
    disk("sda", "0", "1");
    expect(run("echo '{}'")).toBe("-j -n standby -i -A /dev/sda\n");
    expect(run("echo '{}'")).not.toBe("");
    expect(out()).toEqual(["sda.json", "sda.stat"]);
  });

  it("asks a disk that turns only after its counters moved", () => {
    disk("sda", "1", "1");
    expect(run("echo '{}'")).toBe("");
    disk("sda", "1", "2");
    expect(run("echo '{}'")).toContain("/dev/sda");
    expect(out()).toEqual(["sda.json", "sda.stat"]);
    expect(run("echo '{}'")).toBe("");
    expect(out()).toEqual(["sda.idle", "sda.json", "sda.stat"]);
  });

  it("takes the exit status 2 for asleep and keeps what the disk said before", () => {
    disk("sda", "0", "1");
    run(`echo '${JSON.stringify(SMART_SATA)}'`);
    run(`echo '${JSON.stringify(SMART_STANDBY)}'; exit 2`);
    expect(out()).toEqual(["sda.idle", "sda.json", "sda.stat"]);
    expect(JSON.parse(readFileSync(join(folder, "out/sda.json"), "utf8"))).toEqual(SMART_SATA);
  });

  it("believes a disk whose health is bad", () => {
    disk("sda", "0", "1");
    run("echo '{}'; exit 64");
    expect(out()).toEqual(["sda.json", "sda.stat"]);
  });

  it("forgets a disk that is gone", () => {
    disk("sda", "0", "1");
    run("echo '{}'");
    rmSync(join(folder, "sys/block/sda"), { recursive: true });
    disk("sdb", "0", "1");
    run("echo '{}'");
    expect(out()).toEqual(["sdb.json", "sdb.stat"]);
  });
});

const ANALYZE = "/usr/bin/systemd-analyze";

it.skipIf(!existsSync(ANALYZE))("the timer and the service that run it are as systemd wants them", () => {
  const packaging = (name: string): string =>
    fileURLToPath(new URL(`../../../packaging/${name}`, import.meta.url));
  const units = ["balefire-smart.service", "balefire-smart.timer"].map((name) => {
    const path = join(folder, name);
    const text = readFileSync(packaging(name), "utf8");
    writeFileSync(path, text.replaceAll("/usr/lib/balefire/balefire-smart", SCRIPT));
    return path;
  });
  const { status, stdout, stderr } = spawnSync(ANALYZE, ["verify", ...units], { encoding: "utf8" });
  expect([status, stdout + stderr]).toEqual([0, ""]);
});
