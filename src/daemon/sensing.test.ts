import { describe, expect, it } from "vitest";
import type { RawChip, RawPass } from "../core/thermal/raw.ts";
import type { Said } from "../core/thermal/said.ts";
import { instant, wallTime } from "../kit/time.ts";
import type { ExtraSensors, Sensors, Unexpected } from "../ports/sensors.ts";
import { createSensing, UNEXPECTED_MAX } from "./sensing.ts";

const at = { now: instant(0), wall: wallTime(5000) };

const chip = (driver: string, texts: readonly string[]): RawChip => ({
  driver,
  place: `platform/${driver}.0`,
  device: null,
  bus: { type: "isa", number: 0, address: 0 },
  slot: null,
  disk: null,
  channels: texts.map((_, at) => ({ type: "temp", index: at + 1, label: null, settings: new Map() })),
});

/** A kernel that shows one chip with these texts. */
function kernel(texts: readonly string[], driver = "nct"): Sensors {
  const chips = [chip(driver, texts)];
  const pass: RawPass = {
    at: at.wall,
    chips,
    values: [texts.map((text) => ({ outcome: "read", text, fault: false, at: at.wall }))],
    left: 0,
  };
  return { read: async () => pass, dump: async () => [], stuck: () => 0, close: () => undefined };
}

const said = (more: Partial<Said> = {}): Said => ({
  id: "smart:S1/temp1",
  kind: "hdd",
  name: "disk",
  unit: "celsius",
  driver: "smartctl",
  label: "temperature",
  value: 34,
  idle: false,
  limits: {},
  at: at.wall,
  ...more,
});
const extra = (all: readonly Said[], unexpected: readonly Unexpected[] = []): ExtraSensors => ({
  read: async () => ({ said: all, unexpected }),
});

describe("sensing", () => {
  it("gives the kernel's readings and those of programs", async () => {
    const { readings } = await createSensing(kernel(["41000"]), [extra([said()])]).sense(at);
    expect(readings.map(({ id, value }) => [id, value])).toEqual([
      ["platform/nct.0/temp1", 41],
      ["smart:S1/temp1", 34],
    ]);
  });

  it("tells of something unexpected once, keeps its first sample and counts it", async () => {
    const sensing = createSensing(kernel(["warm"]), []);
    const first = await sensing.sense(at);
    expect(first.news).toEqual([{ source: "nct", what: "temp1 is not a number", sample: "warm" }]);
    expect(first.readings[0]?.validity).toBe("unexpected");
    expect((await sensing.sense(at)).news).toEqual([]);
    expect(sensing.unexpected()).toEqual([
      { source: "nct", what: "temp1 is not a number", sample: "warm", count: 2 },
    ]);
  });

  it("lets no reading of another shape pass, and says what is wrong with it", async () => {
    const wrong = { ...said(), unit: "furlong" } as unknown as Said;
    const sensing = createSensing(kernel(["1000"]), [extra([wrong, said({ id: "smart:S2/temp1" })])]);
    const { readings, news } = await sensing.sense(at);
    expect(readings.map(({ id }) => id)).toEqual(["platform/nct.0/temp1", "smart:S2/temp1"]);
    expect(news).toMatchObject([{ source: "smartctl", what: "a reading whose unit is not as it should be" }]);
  });

  it("refuses a reading of the kernel whose id would not fit, in every pass", async () => {
    const sensing = createSensing(kernel(["1000"], "x".repeat(500)), []);
    expect((await sensing.sense(at)).readings).toEqual([]);
    expect((await sensing.sense(at)).readings).toEqual([]);
  });

  it("keeps no more kinds of surprise than it has room for", async () => {
    const many = Array.from({ length: UNEXPECTED_MAX + 30 }, (_, n) => ({
      source: "s",
      what: `w${n}`,
      sample: "",
    }));
    const sensing = createSensing(kernel([]), [extra([], many)]);
    expect((await sensing.sense(at)).news).toHaveLength(UNEXPECTED_MAX);
    expect((await sensing.sense(at)).news).toEqual([]);
    expect(sensing.unexpected()).toHaveLength(UNEXPECTED_MAX);
  });
});
