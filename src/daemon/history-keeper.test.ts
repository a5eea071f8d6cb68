import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SENSOR_ID_CHARS_MAX } from "../adapters/history/limits.ts";
import type { Taken } from "../core/thermal/black-box.ts";
import type { PassValue } from "../core/thermal/pass.ts";
import type { Sensor, SensorTable } from "../core/thermal/sensor-table.ts";
import { unwrap } from "../kit/result.ts";
import { instant, seconds, wallTime } from "../kit/time.ts";
import { HISTORY_DEFAULT } from "../wire/config-heat.ts";
import { createHistoryKeeper, type HistoryKeeper, historyId, ofHistoryId } from "./history-keeper.ts";

const NODE = "7c1f0d7e-7d5c-4c2f-9a35-000000000001";
const AT = 1_800_000_000_000;

const sensor = (id: string, more: Partial<Sensor> = {}): Sensor => ({
  id,
  kind: "board",
  name: `the ${id}`,
  unit: "celsius",
  limits: {},
  driver: "test",
  label: "temp1",
  spot: false,
  ...more,
});
const pass = (table: SensorTable, values: readonly PassValue[], more: Partial<Taken> = {}): Taken => ({
  life: 1,
  pass: 1,
  table,
  values,
  alarms: [],
  at: instant(0),
  wall: wallTime(AT),
  direct: true,
  ...more,
});

let folder: string;
let keeper: HistoryKeeper | undefined;
const warnings: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "balefire-keeper-"));
  warnings.length = 0;
});
afterEach(async () => {
  await keeper?.close();
  rmSync(folder, { recursive: true, force: true });
});

function keep(path = join(folder, "history.sqlite")): HistoryKeeper {
  keeper = createHistoryKeeper({
    path,
    limits: { ...HISTORY_DEFAULT, flush: seconds(1) },
    log: { info: () => undefined, warning: (line) => warnings.push(line) },
  });
  return keeper;
}
const known = async (of: HistoryKeeper) => unwrap((await of.history()?.sensors()) ?? { ok: true, value: [] });

describe("what is kept", () => {
  it("is each value that can be believed, under its host's id, with the sensor's own name", async () => {
    const own = keep();
    const table = { id: "t", sensors: [sensor("a"), null, sensor("b"), sensor("disk"), sensor("gone")] };
    own.take(NODE, pass(table, [41.5, 3, 42, [30, 1_799_999_000], "missing"]));
    expect(await known(own)).toMatchObject([
      { sensor: `${NODE} a`, kind: "board", name: "the a", unit: "celsius" },
      { sensor: `${NODE} b`, name: "the b" },
    ]);
    const chart = await own.history()?.query({
      sensor: `${NODE} a`,
      from: wallTime(AT - 60_000),
      to: wallTime(AT + 60_000),
    });
    expect(chart).toMatchObject({ ok: true, value: { points: [{ mean: 41.5, count: 1 }] } });
  });

  it("is nothing that others relay, and no thread is begun for it", async () => {
    const own = keep();
    own.take(NODE, pass({ id: "t", sensors: [sensor("a")] }, [41], { direct: false }));
    own.take(NODE, pass({ id: "t", sensors: [sensor("a")] }, ["stuck"]));
    expect(await own.state()).toEqual({ kept: true, failing: undefined, status: undefined });
    expect(existsSync(join(folder, "history.sqlite"))).toBe(false);
  });

  it("has the name of a sensor that shows its first value only later, and its new one", async () => {
    const own = keep();
    const table = { id: "t", sensors: [sensor("a"), sensor("disk")] };
    own.take(NODE, pass(table, [41, "idle"]));
    own.take(NODE, pass(table, [41, 30], { wall: wallTime(AT + 10_000) }));
    expect((await known(own)).map(({ name }) => name)).toEqual(["the a", "the disk"]);
    const renamed = { id: "u", sensors: [sensor("a", { name: "CPU fan" })] };
    own.take(NODE, pass(renamed, [41], { wall: wallTime(AT + 20_000) }));
    expect((await known(own)).map(({ name }) => name)).toEqual(["CPU fan", "the disk"]);
  });

  it("is nothing where it is off", async () => {
    const off = createHistoryKeeper({
      path: join(folder, "x"),
      limits: "off",
      log: { info: () => undefined, warning: () => undefined },
    });
    off.take(NODE, pass({ id: "t", sensors: [sensor("a")] }, [41]));
    expect(off.history()).toBeUndefined();
    expect((await off.state()).kept).toBe(false);
    await off.close();
  });
});

describe("a disk that takes nothing", () => {
  it("is told once, said to doctor, and over when it takes something again", async () => {
    const own = keep(join(folder, "missing", "history.sqlite"));
    const table = { id: "t", sensors: [sensor("a")] };
    own.take(NODE, pass(table, [41]));
    await expect.poll(() => own.failing(), { timeout: 10_000 }).toContain("cannot be used");
    expect(warnings).toHaveLength(1);
    mkdirSync(join(folder, "missing"));
    await expect.poll(() => own.failing(), { timeout: 15_000 }).toBeUndefined();
    expect((await known(own)).map(({ sensor: id }) => id)).toEqual([`${NODE} a`]);
  });
});

describe("names in the history", () => {
  it("lead back to host and sensor", () => {
    expect(ofHistoryId(historyId(NODE, "nvme:S1/temp 1"))).toEqual({ node: NODE, sensor: "nvme:S1/temp 1" });
  });

  it("of long ids fit, and stay apart", () => {
    const one = historyId(NODE, `${"x".repeat(238)}/1`);
    const other = historyId(NODE, `${"x".repeat(238)}/2`);
    expect(one).toHaveLength(SENSOR_ID_CHARS_MAX);
    expect(one).not.toBe(other);
  });
});
