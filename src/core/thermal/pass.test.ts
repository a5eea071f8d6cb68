import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostSample, readingSample } from "../../../test/contract/sample-readings.ts";
import { wallTime } from "../../kit/time.ts";
import {
  changesBetween,
  isLater,
  type Pass,
  type PassValue,
  passOf,
  readingsOf,
  withChanges,
} from "./pass.ts";
import type { Reading } from "./reading.ts";
import { SENSORS_MAX, tableOf } from "./sensor-table.ts";

const rank = { life: 1, pass: 1 };
const wall = wallTime(1_800_000_000_000);
const passed = (readings: readonly Reading[], pass = 1): Pass =>
  passOf(readings, tableOf(readings, undefined), { life: 1, pass });

describe("a table", () => {
  it("is kept as long as only values change", () => {
    const held = tableOf(hostSample(40), undefined);
    expect(tableOf(hostSample(90, 60, 0), held)).toBe(held);
  });

  it.each([
    ["name", { name: "CPU 0" }],
    ["limit", { limits: { crit: 100 } }],
    ["kind", { kind: "board" }],
    ["unit", { unit: "rpm" }],
    ["id", { id: "x" }],
    ["spot", { spot: true }],
  ] as const)("is another one with another %s, and the same again with the old one", (_, fields) => {
    const held = tableOf([readingSample()], undefined);
    const changed = tableOf([readingSample(fields)], held);
    expect(changed.id).not.toBe(held.id);
    expect(tableOf([readingSample()], changed).id).toBe(held.id);
  });

  it("holds so many sensors and no more", () => {
    const many = Array.from({ length: SENSORS_MAX + 9 }, (_, index) => readingSample({ id: String(index) }));
    const table = tableOf(many, undefined);
    expect(table.sensors).toHaveLength(SENSORS_MAX);
    expect(passOf(many, table, rank).values).toHaveLength(SENSORS_MAX);
    expect(tableOf(many, table)).toBe(table);
  });
});

describe("a pass", () => {
  const readings = [
    readingSample({ value: 54.1254, at: wall }),
    readingSample({ id: "hdd", value: 31, validity: "idle", at: wallTime(1_799_990_000_500) }),
    readingSample({ id: "asleep", value: null, validity: "idle" }),
    readingSample({ id: "broken", value: null, validity: "fault", alarm: true }),
  ];

  it("says a thousandth, an idle disk's age, and why there is no value", () => {
    const { values, alarms } = passed(readings);
    expect(values).toEqual([54.125, [31, 1_799_990_000], "idle", "fault"]);
    expect(alarms).toEqual([3]);
  });

  it("gives the readings again", () => {
    expect(readingsOf(passed(readings), wall)).toEqual([
      { ...readings[0], value: 54.125 },
      { ...readings[1], at: 1_799_990_000_000 },
      readings[2],
      readings[3],
    ]);
  });

  it("leaves out sensors that this release does not understand", () => {
    const { table, ...rest } = passed(readings);
    const sensors = table.sensors.map((sensor, place) => (place === 1 ? null : sensor));
    expect(readingsOf({ ...rest, table: { id: "t", sensors } }, wall).map(({ id }) => id)).toEqual([
      readings[0]?.id,
      "asleep",
      "broken",
    ]);
  });

  it("is later by its life, then by its number", () => {
    expect(isLater({ life: 2, pass: 1 }, { life: 1, pass: 9 })).toBe(true);
    expect(isLater({ life: 2, pass: 2 }, { life: 2, pass: 2 })).toBe(false);
  });
});

const value: fc.Arbitrary<PassValue> = fc.oneof(
  fc.integer({ min: -40_000, max: 150_000 }).map((thousandths) => thousandths / 1000),
  fc.tuple(fc.integer({ min: 0, max: 60 }), fc.nat(3)),
  fc.constantFrom("idle", "fault", "missing", "stuck"),
);

describe("changes", () => {
  it("turn the one pass into the other, whatever the values", () => {
    const table = { id: "t", sensors: [] };
    const twoPasses = fc.integer({ min: 0, max: 40 }).chain((length) => {
      const values = fc.array(value, { minLength: length, maxLength: length });
      return fc.tuple(values, values);
    });
    fc.assert(
      fc.property(twoPasses, ([before, after]) => {
        const common = { ...rank, table, alarms: [] };
        const changes = changesBetween({ ...common, values: before }, { ...common, values: after });
        expect(withChanges(before, changes ?? [])).toEqual(after);
        expect((changes ?? []).length).toBeLessThanOrEqual(after.length);
      }),
    );
  });

  it("are none between tables, and never of a place beyond the table", () => {
    const [one, other] = [passed([readingSample()]), passed([readingSample({ id: "x" })])];
    expect(changesBetween(one, other)).toBeUndefined();
    expect(withChanges(one.values, [[1, 5]])).toBeUndefined();
  });
});
