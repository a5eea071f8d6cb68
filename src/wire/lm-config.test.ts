/** What lm-sensors itself makes of a configuration is compared in test/e2e/sensors-lm.test.ts; here is what it refuses. */
import { describe, expect, it } from "vitest";
import { lmRules } from "./lm-config.ts";
import { evaluate, parseCompute } from "./lm-expressions.ts";
import type { LmChip } from "./lm-sensors.ts";

const chip: LmChip = {
  prefix: "lm78",
  bus: { type: "isa", number: 0, address: 0x290 },
  adapter: null,
  files: [],
  labels: new Map(),
};

describe("lmRules", () => {
  it("passes over lines with mistakes, and keeps the others", () => {
    const rules = lmRules([
      'label in0 "before any chip"\nchip "lm78-*"\nlabel\ngarbage (\ncompute in1 @*\nlabel in0 "V"',
    ]);
    expect(rules.label(chip, "in0")).toBe("V");
    expect(rules.computed(chip, "in1", 2, () => undefined)).toBe(2);
  });

  it("lets a later section and a later file win", () => {
    const rules = lmRules([
      'chip "lm78-*"\nlabel in0 "a"\nchip "*-isa-0290"\nlabel in0 "b"',
      'chip "*-*"\nlabel in0 "c"',
    ]);
    expect(rules.label(chip, "in0")).toBe("c");
  });

  it.each(["lm78", "lm78-usb-*", "lm78-isa-0-0290", "lm78-i2c-2d", "", "-*"])(
    "knows no chips called %j",
    (pattern) => {
      expect(lmRules([`chip "${pattern}"\nignore in0`]).ignored(chip, "in0")).toBe(false);
    },
  );

  it("does not match an I2C bus that no bus statement names", () => {
    const i2c: LmChip = { ...chip, bus: { type: "i2c", number: 1, address: 0x2d }, adapter: "SMBus" };
    expect(lmRules(['chip "lm78-i2c-1-2d"\nignore in0']).ignored(i2c, "in0")).toBe(false);
    expect(lmRules(['bus "i2c-1" "SMBus"\nchip "lm78-i2c-1-2d"\nignore in0']).ignored(i2c, "in0")).toBe(true);
  });
});

describe("parseCompute", () => {
  const value = (text: string, raw = 2) => {
    const expression = parseCompute(text);
    return expression === undefined
      ? undefined
      : evaluate(expression, raw, (name) => (name === "in2" ? 5 : undefined));
  };

  it.each([
    ["@*2, @/2", 4],
    ["1+2*3-4/2, @", 5],
    ["-@*-3, @", 6],
    ["(1+2)*3, @", 9],
    ["in2 - 1, @", 4],
    ["^0 + `1, @", 1],
  ])("works out %s", (text, expected) => {
    expect(value(text)).toBeCloseTo(expected, 12);
  });

  it.each(["@", "@,", ", @", "@ @, @", "(@, @", "@), @", "@ $ 2, @", "1 +, @", `${"(".repeat(500)}@, @`])(
    "refuses %s",
    (text) => {
      expect(parseCompute(text)).toBeUndefined();
    },
  );

  it.each(["1/0, @", "`(-1), @", "unknown, @"])("cannot work out %s", (text) => {
    expect(value(text)).toBeUndefined();
  });
});
