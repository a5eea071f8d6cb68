import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildTree, chipFolder, write } from "../../test/fixtures/sysfs/tree.ts";
import type { SingleInput } from "../core/io.ts";
import type { Reading } from "../core/thermal/reading.ts";
import { ms, seconds } from "../kit/time.ts";
import { createSensorWatch, type SensorSettings, type SensorWatch } from "./sensor-watch.ts";

const CHIP = {
  name: "nct6798",
  device: "platform/nct6798.656",
  bus: "platform",
  channels: { temp1: { input: 38000 }, temp2: { input: "warm" } },
} as const;
const FILE = `${chipFolder(CHIP, 0)}/temp1_input`;

let folder: string;
let watch: SensorWatch;
const passes: (readonly Reading[])[] = [];
const inputs: SingleInput[] = [];
const warnings: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "balefire-watch-"));
  passes.length = 0;
  warnings.length = 0;
  watch = createSensorWatch({
    path: "",
    push: (input: SingleInput) => {
      inputs.push(input);
      if (input.type === "readings") passes.push(input.readings);
    },
    log: { info: () => undefined, warning: (line) => warnings.push(line) },
  });
});
afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true, force: true });
});

const settings = (more: Partial<SensorSettings> = {}): SensorSettings => ({
  "sensors.watch": "on",
  "sensors.every": ms(50),
  "sensors.sysfsRoot": folder,
  ...more,
});
const latest = (): number | null | undefined => passes.at(-1)?.[0]?.value;

it("pushes every look, and what changes between them", async () => {
  buildTree(folder, { chips: [CHIP] });
  watch.configure(settings());
  await expect.poll(latest).toBe(38);
  write(folder, FILE, "41500");
  await expect.poll(latest).toBe(41.5);
  expect(watch.state()).toMatchObject({ watched: true, readings: 2, stuck: 0, hangs: false, unexpected: 1 });
});

it("warns once of what it does not understand", async () => {
  buildTree(folder, { chips: [CHIP] });
  watch.configure(settings());
  await expect.poll(() => passes.length).toBeGreaterThan(3);
  expect(warnings).toEqual([
    "a sensor said something that is not understood: nct6798: temp2 is not a number (warm)",
  ]);
});

it("says nothing on a host without sensors", async () => {
  watch.configure(settings());
  await expect.poll(() => watch.state().readings).toBe(0);
  expect(passes).toEqual([]);
});

it("goes on with another period, and with another tree", async () => {
  buildTree(folder, { chips: [CHIP] });
  watch.configure(settings());
  await expect.poll(latest).toBe(38);
  const other = join(folder, "other");
  buildTree(other, { chips: [{ ...CHIP, channels: { temp1: { input: 20000 } } }] });
  watch.configure(settings({ "sensors.sysfsRoot": other, "sensors.every": seconds(300) }));
  await expect.poll(latest).toBe(20);
  expect(watch.state().every).toBe(300_000);
  write(other, FILE, "21000");
  watch.configure(settings({ "sensors.sysfsRoot": other }));
  await expect.poll(latest).toBe(21);
});

it("that is switched off tells that nothing is known any more, and looks no more", async () => {
  buildTree(folder, { chips: [CHIP] });
  watch.configure(settings());
  await expect.poll(latest).toBe(38);
  watch.configure(settings({ "sensors.watch": "off" }));
  const told = passes.length;
  expect(inputs.at(-1)).toEqual({ type: "readings", readings: [], unwatched: true });
  watch.configure(settings({ "sensors.watch": "off" }));
  expect(passes).toHaveLength(told);
  expect(watch.state().watched).toBe(false);
  watch.configure(settings());
  await expect.poll(latest).toBe(38);
  expect(passes.slice(told).every((pass) => pass.length === 2)).toBe(true);
});
