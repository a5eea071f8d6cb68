import { describe, expect, it } from "vitest";
import { type Instant, instant, seconds } from "../../kit/time.ts";
import { emptyHeat, type HeatState, judgeHeat, resumeTroubles } from "./heat.ts";
import { DEFAULT_HEAT_POLICY, type HeatPolicy, heatLimits } from "./heat-policy.ts";
import type { Reading } from "./reading.ts";

const reading = (fields: Partial<Reading> = {}): Reading => ({
  id: "platform/coretemp.0/temp1",
  kind: "cpu-package",
  name: "CPU",
  unit: "celsius",
  value: 40,
  validity: "ok",
  limits: {},
  alarm: false,
  at: null,
  driver: "coretemp",
  label: "Package id 0",
  spot: false,
  ...fields,
});

const fan = (value: number, driver = "nct6775"): Reading =>
  reading({ id: "fan1", kind: "fan", unit: "rpm", name: "fan1", value, driver });

/** Feeds readings ten seconds apart and gives what changed, as `trouble+` and `trouble-`. */
class Host {
  now: Instant = instant(0);
  readonly heat: HeatState = emptyHeat();
  readonly policy: HeatPolicy;

  constructor(policy: Partial<HeatPolicy> = {}) {
    this.policy = { ...DEFAULT_HEAT_POLICY, ...policy };
  }

  feed(length: number, ...readings: Reading[]): string[] {
    const changed: string[] = [];
    for (const end = this.now + seconds(length); this.now < end; this.now = instant(this.now + 10_000)) {
      for (const each of readings) resumeTroubles(this.heat, each, () => false);
      const changes = judgeHeat(this.heat, readings, { host: "pve1", policy: this.policy }, this.now);
      changed.push(...changes.map(({ trouble, begins }) => trouble + (begins ? "+" : "-")));
    }
    return changed;
  }
}

describe("limits", () => {
  it.each([
    ["a processor", reading(), 85, 95],
    ["a processor with a high critical point", reading({ limits: { crit: 110 } }), 85, 95],
    ["a processor that throttles early", reading({ limits: { crit: 90 } }), 70, 80],
    ["an NVMe drive's own", reading({ kind: "nvme", limits: { max: 81.85, crit: 84.85 } }), 81.85, 84.85],
    ["an NVMe drive without", reading({ kind: "nvme" }), 70, 80],
    ["a SATA SSD", reading({ kind: "ssd" }), 60, 70],
    ["a hard disk", reading({ kind: "hdd" }), 50, 60],
    ["a board sensor", reading({ kind: "board" }), undefined, undefined],
  ])("of %s", (_, of, warning, critical) => {
    expect(heatLimits(of, "pve1", DEFAULT_HEAT_POLICY)).toMatchObject({ warning, critical });
  });

  it("are what a person set, by class, host and sensor, the later over the earlier", () => {
    const rules = [
      { class: "cpu", warning: 70 },
      { node: "pve*", critical: 99 },
      { sensor: "CPU", warning: 75, hysteresis: 2 },
      { node: "other", warning: 1 },
    ] as const;
    expect(heatLimits(reading(), "pve1", { unwatched: [], rules })).toMatchObject({
      warning: 75,
      critical: 99,
      hysteresis: 2,
    });
  });
});

describe("heat", () => {
  it("counts once it has lasted", () => {
    const host = new Host();
    expect(host.feed(20, reading({ value: 90 }))).toEqual([]);
    expect(host.feed(10, reading({ value: 40 }))).toEqual([]);
    expect(host.feed(40, reading({ value: 90 }))).toEqual(["warning+"]);
  });

  it("passes warning and critical together, and leaves each below its hysteresis", () => {
    const host = new Host();
    expect(host.feed(40, reading({ value: 96 }))).toEqual(["warning+", "critical+"]);
    expect(host.feed(60, reading({ value: 91 }))).toEqual([]);
    expect(host.feed(60, reading({ value: 89 }))).toEqual(["critical-"]);
    expect(host.feed(60, reading({ value: 79 }))).toEqual(["warning-"]);
  });

  it("is no matter where it is ignored, or the host is not watched", () => {
    expect(
      new Host({ rules: [{ sensor: "*coretemp*", ignore: true }] }).feed(60, reading({ value: 99 })),
    ).toEqual([]);
    expect(new Host({ unwatched: ["pve1"] }).feed(60, reading({ value: 99 }))).toEqual([]);
  });

  it("ends when its sensor comes to be ignored", () => {
    const host = new Host();
    host.feed(60, reading({ value: 99 }));
    Object.assign(host.policy, { rules: [{ ignore: true }] });
    expect(host.feed(60, reading({ value: 99 }))).toEqual(["warning-", "critical-"]);
  });

  it("of a spot is information only", () => {
    expect(new Host().feed(60, reading({ kind: "nvme", spot: true, value: 99 }))).toEqual([]);
  });

  it("stays as it was while a value cannot be read", () => {
    const host = new Host();
    host.feed(60, reading({ value: 96 }));
    expect(host.feed(300, reading({ value: null, validity: "stuck" }))).toEqual([]);
  });
});

describe("a fan", () => {
  it("that ran and stands still is told, and that it runs again", () => {
    const host = new Host();
    expect(host.feed(60, fan(900))).toEqual([]);
    expect(host.feed(60, fan(0))).toEqual(["stopped+"]);
    expect(host.feed(60, fan(700))).toEqual(["stopped-"]);
  });

  it("that never ran is not connected", () => {
    expect(new Host().feed(120, fan(0))).toEqual([]);
  });

  it("of a card may rest", () => {
    const host = new Host();
    host.feed(60, fan(900, "amdgpu"));
    expect(host.feed(120, fan(0, "amdgpu"))).toEqual([]);
  });
});

describe("a sensor", () => {
  it("that disappears is told after two minutes, and that it is there again", () => {
    const host = new Host();
    host.feed(60, reading(), fan(900));
    expect(host.feed(110, fan(900))).toEqual([]);
    expect(host.feed(20, fan(900))).toEqual(["lost+"]);
    expect(host.feed(130, reading(), fan(900))).toEqual(["lost-"]);
  });

  it("that sleeps is not gone", () => {
    const host = new Host();
    host.feed(60, reading({ kind: "hdd" }));
    expect(host.feed(600, reading({ kind: "hdd", value: null, validity: "idle" }))).toEqual([]);
  });
});
