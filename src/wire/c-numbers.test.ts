import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../kit/random.ts";
import { cNumber, formatThousandths } from "./c-numbers.ts";

describe("formatThousandths", () => {
  it.each([
    [0, "0.000"],
    [-0, "-0.000"],
    [-0.0001, "-0.000"],
    [0.0625, "0.062"],
    [0.1875, "0.188"],
    [-12.8125, "-12.812"],
    [65261.85, "65261.850"],
    [1e26, "100000000000000004764729344.000"],
    [Number.NaN, "nan"],
    [Number.NEGATIVE_INFINITY, "-inf"],
  ])("prints %f as %s", (value, text) => {
    expect(formatThousandths(value)).toBe(text);
  });

  it("prints what C prints, at ties and anywhere else", () => {
    const random = seededRandom(7);
    const numbers = Array.from({ length: 3000 }, (_, at) => {
      const whole = Math.floor(random.next() * 4_000_000) - 2_000_000;
      return at % 3 === 0 ? whole / 16 : at % 3 === 1 ? whole / 1000 : random.next() * 10 ** (at % 20);
    });
    // awk reckons in doubles and prints with C's printf.
    const theirs = execFileSync("awk", ['{ printf "%.3f\\n", $1 }'], {
      input: numbers.map((value) => value.toPrecision(17)).join("\n"),
      encoding: "utf8",
    });
    expect(numbers.map(formatThousandths)).toEqual(theirs.trimEnd().split("\n"));
  });
});

describe("cNumber", () => {
  it.each([
    ["41000\n", 41000],
    [" \t-7", -7],
    ["+3.5x", 3.5],
    [".5", 0.5],
    ["5.", 5],
    ["1e3", 1000],
    ["12 apples", 12],
    ["0x20", 32],
    ["-0", -0],
    ["inf", Number.POSITIVE_INFINITY],
    ["nan", Number.NaN],
  ])("reads %j as scanf does", (text, value) => {
    expect(cNumber(text)).toBe(value);
  });

  it.each(["", "abc", "-", "\n", "+-3"])("finds no number in %j", (text) => {
    expect(cNumber(text)).toBeUndefined();
  });
});
