import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SAMPLES } from "../../test/contract/protocol-samples.ts";
import { PASSES_PER_MESSAGE_MAX, READINGS_HELD_MAX } from "../core/limits.ts";
import { SENSORS_MAX } from "../core/thermal/sensor-table.ts";
import { decodeEnvelope } from "./envelope.ts";
import { HELD_MAX, PASSES_MAX, TABLE_SENSORS_MAX } from "./peer-readings.ts";

const kinds = ["readings", "readings-table", "readings-want", "readings-held"] as const;

const decoded = (message: object): unknown => {
  const result = decodeEnvelope(JSON.stringify({ v: 1, m: message }));
  return result.ok && result.value !== "unknown-message" ? result.value.message : undefined;
};
const tableOf = (...sensors: unknown[]): object => ({
  ...SAMPLES["readings-table"].message,
  table: { id: "t", sensors },
});
const pass = { life: 1, pass: 1, table: "t" };
const news = (fields: object): object => ({ t: "readings", passes: [{ ...pass, ...fields }] });
const sensor = {
  id: "x",
  kind: "board",
  name: "n",
  unit: "celsius",
  limits: {},
  driver: "d",
  label: "l",
  spot: false,
};

describe("a table of sensors", () => {
  it("keeps the place of one that a newer release knows, and leaves out limits it cannot read", () => {
    expect(
      decoded(
        tableOf(
          { ...sensor, kind: "reactor" },
          { ...sensor, unit: "pascal" },
          { ...sensor, id: 5 },
          { ...sensor, later: true, limits: { max: 80, crit: "hot", min: 1e300, soon: 1 } },
        ),
      ),
    ).toMatchObject({ table: { sensors: [null, null, null, { ...sensor, limits: { max: 80 } }] } });
  });

  it("steers no terminal", () => {
    expect(decoded(tableOf({ ...sensor, name: "\u001b[2Jx\ny\u202e" }))).toMatchObject({
      table: { sensors: [{ name: " [2Jx y " }] },
    });
  });

  it("is refused when it is too long", () => {
    expect(decoded(tableOf(...Array(TABLE_SENSORS_MAX).fill(null)))).toBeDefined();
    expect(decoded(tableOf(...Array(TABLE_SENSORS_MAX + 1).fill(null)))).toBeUndefined();
  });
});

describe("a pass", () => {
  it("reads values it does not understand as missing", () => {
    const all = [1e300, "warm", [1], [1, -1], [1, 2, 3], null, {}, true, 4];
    expect(decoded(news({ all }))).toMatchObject({ passes: [{ all: [...Array(8).fill("missing"), 4] }] });
  });

  it.each([
    ["of no table", { table: "" }],
    ["of no life", { life: -1 }],
    ["of a life without end", { life: 2 ** 50 }],
    ["with a fraction for its number", { pass: 1.5 }],
    ["with too many values", { all: Array(TABLE_SENSORS_MAX + 1).fill(1) }],
    ["with too many changes", { changed: Array(TABLE_SENSORS_MAX + 1).fill([0, 1]) }],
    ["with a change of a place beyond all", { changed: [[TABLE_SENSORS_MAX, 1]] }],
    ["with a change of no place", { changed: [[-1, 1]] }],
    ["with an alarm beyond all", { alarms: [TABLE_SENSORS_MAX] }],
    ["of the future", { age: -1 }],
  ])("%s is refused", (_, fields) => {
    expect(decoded(news(fields))).toBeUndefined();
  });

  it("does not come in any number", () => {
    const passes = (count: number): object => ({ t: "readings", passes: Array(count).fill(pass) });
    expect(decoded(passes(PASSES_MAX))).toBeDefined();
    expect(decoded(passes(PASSES_MAX + 1))).toBeUndefined();
  });
});

it("a question about too many nodes is refused", () => {
  const held = (count: number): object => ({
    ...SAMPLES["readings-held"].message,
    held: Array(count).fill([0, 0, 0]),
  });
  expect(decoded(held(HELD_MAX))).toBeDefined();
  expect(decoded(held(HELD_MAX + 1))).toBeUndefined();
});

it("nothing that arrives in place of a field throws", () => {
  const field = fc.constantFrom("passes", "node", "table", "roster", "held");
  fc.assert(
    fc.property(fc.constantFrom(...kinds), field, fc.jsonValue(), (kind, name, value) => {
      decoded({ ...SAMPLES[kind].message, [name]: value });
    }),
  );
});

describe("a goodbye", () => {
  it("says why, in words that are known", () => {
    const goodbye = (why: unknown): object => ({ t: "goodbye", incarnation: 1, reason: "stop", why });
    expect(decoded(goodbye("thermal"))).toEqual(goodbye("thermal"));
    for (const why of ["flood", 5, null])
      expect(decoded(goodbye(why))).toEqual({ t: "goodbye", incarnation: 1, reason: "stop" });
  });
});

it("all that a node says of sensors is within what its peers take", () => {
  expect(SENSORS_MAX).toBeLessThanOrEqual(TABLE_SENSORS_MAX);
  expect(PASSES_PER_MESSAGE_MAX).toBeLessThanOrEqual(PASSES_MAX);
  expect(READINGS_HELD_MAX).toBeLessThanOrEqual(HELD_MAX);
});
