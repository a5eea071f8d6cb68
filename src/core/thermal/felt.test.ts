import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostSample, readingSample } from "../../../test/contract/sample-readings.ts";
import { instant, minutes, seconds, wallTime } from "../../kit/time.ts";
import { type BlackBox, BOX_SPAN, BOX_VALUES_MAX, withPass } from "./black-box.ts";
import { fansOf, feltOf, hottest, pastCritical, trendOf } from "./felt.ts";
import { DEFAULT_HEAT_POLICY } from "./heat-policy.ts";
import { passOf } from "./pass.ts";
import type { Reading } from "./reading.ts";
import { tableOf } from "./sensor-table.ts";

/** Passes ten seconds apart. */
const boxOf = (...passes: readonly (readonly Reading[])[]): BlackBox =>
  passes.reduce<BlackBox>((box, readings, pass) => {
    const table = tableOf(readings, box.at(-1)?.table);
    const at = pass * 10_000;
    const made = passOf(readings, table, { life: 1, pass });
    return withPass(box, { ...made, at: instant(at), wall: wallTime(at), direct: true });
  }, []);

const points = (...values: number[]) =>
  values.map((value, index) => ({ at: instant(index * 10_000), value }));

describe("trendOf", () => {
  it.each([
    ["a rise of a degree every ten seconds", [40, 41, 42, 43], 6],
    ["a fall", [43, 42, 41, 40], -6],
    ["rest", [40, 40, 40], 0],
  ])("of %s", (_, values, expected) => {
    expect(trendOf(points(...values))).toBeCloseTo(expected);
  });

  it("looks at the last three minutes only", () => {
    const cooled = Array.from({ length: 30 }, (_, index) => 90 - index);
    const steady = Array.from({ length: 19 }, () => 60);
    expect(trendOf(points(...cooled, ...steady))).toBeCloseTo(0);
  });

  it("says nothing where little is known", () => {
    expect(trendOf([])).toBeUndefined();
    expect(trendOf(points(40, 50))).toBeUndefined();
    expect(trendOf([0, 1, 2].map((at) => ({ at: instant(at), value: at })))).toBeUndefined();
  });

  it("is a number or nothing, whatever the points", () => {
    const point = fc.record({
      at: fc.integer().map(instant),
      value: fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
    });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 30 }), (all) => {
        const trend = trendOf(all);
        expect(trend === undefined || Number.isFinite(trend)).toBe(true);
      }),
    );
  });
});

describe("the black box", () => {
  it("keeps ten minutes before the latest pass", () => {
    const box = boxOf(...Array.from({ length: 100 }, () => [readingSample()]));
    expect(box).toHaveLength(BOX_SPAN / seconds(10) + 1);
    expect(box.at(-1)?.pass).toBe(99);
  });

  it("keeps so many values and no more, the latest pass always", () => {
    const many = Array.from({ length: 512 }, (_, index) => readingSample({ id: String(index) }));
    const box = boxOf(...Array.from({ length: 80 }, () => many));
    expect(box.length * 512).toBeLessThanOrEqual(BOX_VALUES_MAX);
    expect(box.at(-1)?.pass).toBe(79);
  });

  it("shows least, greatest and trend of each sensor, also when sensors came and went", () => {
    const box = boxOf(hostSample(50), hostSample(70).slice(0, 1), hostSample(60), hostSample(65));
    expect(feltOf(box)[0]).toMatchObject({ name: "CPU", value: 65, min: 50, max: 70 });
    expect(feltOf(box)[4]).toMatchObject({ kind: "fan", min: 1200, max: 1200 });
  });

  it("has no trend for what cannot be read now", () => {
    const gone = readingSample({ value: null, validity: "stuck" });
    const [felt] = feltOf(boxOf([readingSample()], [readingSample()], [readingSample()], [gone]));
    expect(felt).toMatchObject({ value: null, min: 40, max: 40 });
    expect(felt?.trend).toBeUndefined();
  });
});

describe("hottest", () => {
  const named = (...readings: Reading[]): string[] =>
    hottest(readings, "pve1", DEFAULT_HEAT_POLICY).map(({ name }) => name);

  it("puts first what is nearest to its limit, of the CPU one sensor, and no spots", () => {
    const [cpu, core, nvme, spot, fan] = hostSample(60, 75) as [Reading, Reading, Reading, Reading, Reading];
    expect(named(fan, spot, core, cpu, nvme)).toEqual(["Samsung SSD 980 (nvme0)", "CPU"]);
  });

  it("leaves out what people want ignored", () => {
    const policy = { unwatched: [], rules: [{ class: "cpu", ignore: true }] } as const;
    expect(hottest([readingSample()], "pve1", policy)).toEqual([]);
  });
});

it("fans stand still only when they turned within the time", () => {
  const still = readingSample({ id: "pump", kind: "fan", unit: "rpm", value: 0 });
  const box = boxOf([...hostSample(40), still], [...hostSample(40, 40, 0), still]);
  const { still: stopped, turning } = fansOf(feltOf(box));
  expect(stopped.map(({ name }) => name)).toEqual(["CPU_FAN (nct6798)"]);
  expect(turning).toEqual([]);
});

describe("pastCritical", () => {
  const past = (box: BlackBox): string[] =>
    pastCritical(box, minutes(1), "pve1", DEFAULT_HEAT_POLICY).map(
      ({ name, critical }) => `${name} ${critical}`,
    );

  it("finds what was past it within the minute, though it is cooler now", () => {
    expect(past(boxOf(hostSample(96), hostSample(90)))).toEqual(["CPU 95", "CPU core 0 95"]);
  });

  it("finds nothing that was longer ago, below it, or a spot", () => {
    const after = Array.from({ length: 7 }, () => hostSample(80, 79));
    expect(past(boxOf(hostSample(96), ...after))).toEqual([]);
  });
});
