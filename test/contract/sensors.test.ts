/** What every Sensors must do, on this machine's own tree and on any other. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createSensors } from "../../src/adapters/sensors/kernel-sensors.ts";
import { isCpuDriver } from "../../src/daemon/sensing.ts";
import { instant, wallTime } from "../../src/kit/time.ts";
import type { Moment, Sensors } from "../../src/ports/sensors.ts";
import { MACHINES } from "../fixtures/sysfs/machines.ts";
import { buildTree } from "../fixtures/sysfs/tree.ts";

const moment = (ms: number): Moment => ({ now: instant(ms), wall: wallTime(1_800_000_000_000 + ms) });

function sensorsContract(name: string, make: () => Sensors): void {
  describe(`sensors: ${name}`, () => {
    it("gives each channel exactly one value, and a time to what was read", async () => {
      const sensors = make();
      const { chips, values } = await sensors.read(moment(0));
      expect(values.map((of) => of.length)).toEqual(chips.map(({ channels }) => channels.length));
      for (const { outcome, text, at } of values.flat())
        expect(text !== null).toBe(at !== null || outcome === "read");
      sensors.close();
    });

    it("gives the same chips again while nothing changes", async () => {
      const sensors = make();
      const first = await sensors.read(moment(0));
      const second = await sensors.read(moment(10_000));
      expect(second.chips).toEqual(first.chips);
      sensors.close();
    });

    it("answers calls that overlap, each in full", async () => {
      const sensors = make();
      const [a, b, dump] = await Promise.all([
        sensors.read(moment(0)),
        sensors.read(moment(1)),
        sensors.dump(moment(2), false),
      ]);
      expect(b.values.flat().length).toBe(a.values.flat().length);
      expect(dump.length).toBeGreaterThanOrEqual(0);
      sensors.close();
    });

    it("can be used again after it was closed", async () => {
      const sensors = make();
      const { chips } = await sensors.read(moment(0));
      sensors.close();
      expect((await sensors.read(moment(1))).chips).toHaveLength(chips.length);
      sensors.close();
      expect(sensors.stuck()).toBe(0);
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), "balefire-sensors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

sensorsContract("this machine's", () => createSensors({ isCpuDriver }));
sensorsContract("of no tree", () => createSensors({ isCpuDriver, root: join(folder, "none") }));
for (const [name, machine] of Object.entries(MACHINES)) {
  const root = mkdtempSync(join(folder, "m-"));
  buildTree(root, machine);
  sensorsContract(name, () => createSensors({ isCpuDriver, root }));
}
