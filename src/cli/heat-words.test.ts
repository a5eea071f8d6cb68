import { describe, expect, it } from "vitest";
import { csvLine } from "./csv.ts";
import { amount, digits, symbolOf } from "./reading-words.ts";
import { sparkline, speaksUnicode, trendArrow } from "./spark.ts";
import { parseTime } from "./times.ts";

describe("a sparkline", () => {
  it("runs from the least to the greatest, with a gap for no value", () => {
    expect(sparkline([40, 50, null, 60], 2, true)).toBe("▁▅ █");
    expect(sparkline([40, 50, null, 60], 2, false)).toBe(".+ @");
  });
  it("is flat where there is only noise, and empty where there is nothing", () => {
    expect(sparkline([40, 40.2, 40.1], 2, true)).toBe("▁▂▁");
    expect(sparkline([40, 40], 0, true)).toMatch(/^.{2}$/);
    expect(sparkline([null, null], 2, true)).toBe("");
  });
});

describe("a trend's arrow", () => {
  it.each([
    [-9, "↓"],
    [-1, "↘"],
    [0.2, "→"],
    [1, "↗"],
    [9, "↑"],
  ])("%d a minute: %s", (trend, arrow) => {
    expect(trendArrow(trend, 0.5, true)).toBe(arrow);
  });
  it("is spelled with what every terminal has, and absent where there is no trend", () => {
    expect([-9, -1, 0, 1, 9].map((trend) => trendArrow(trend, 0.5, false))).toEqual([
      "vv",
      "v",
      "-",
      "^",
      "^^",
    ]);
    expect(trendArrow(null, 0.5, true)).toBe("");
  });
});

describe("the terminal's characters", () => {
  it.each([
    [{ LANG: "de_DE.UTF-8" }, true],
    [{ LANG: "C.utf8" }, true],
    [{ LANG: "de_DE.UTF-8", LC_ALL: "C" }, false],
    [{ LC_ALL: "", LC_CTYPE: "POSIX", LANG: "C.UTF-8" }, false],
    [{}, false],
  ])("%j: %s", (env, unicode) => {
    expect(speaksUnicode(env)).toBe(unicode);
  });
});

describe("an amount", () => {
  it("has the digits that mean something, in either degrees", () => {
    expect(amount(41.25, "celsius")).toBe("41.3 °C");
    expect(amount(100, "celsius", "fahrenheit")).toBe("212.0 °F");
    expect(amount(1199.6, "rpm", "fahrenheit")).toBe("1200 rpm");
  });
  it("of a unit that this release does not know is shown as it is", () => {
    expect([digits(7.25, "hertz"), symbolOf("hertz")]).toEqual(["7.25", "hertz"]);
  });
});

describe("a time as typed", () => {
  const now = Date.UTC(2026, 2, 1, 12, 0, 0);
  it.each([
    ["now", now],
    ["-2h", now - 7_200_000],
    ["-1h30m", now - 5_400_000],
    ["2026-03-01T02:13:00Z", Date.UTC(2026, 2, 1, 2, 13)],
    ["2026-03-01 02:13:07+02:00", Date.UTC(2026, 2, 1, 0, 13, 7)],
    ["2026-03-01 02:13", new Date(2026, 2, 1, 2, 13).getTime()],
    ["2026-03-01", new Date(2026, 2, 1).getTime()],
  ])("%s", (text, at) => {
    expect(parseTime(text, now)).toEqual({ ok: true, value: at });
  });
  it.each(["2h", "yesterday", "-", "", "2026-13-01", "1969-01-01", "2026-03-01T25:00Z", "12345"])(
    "%s is none",
    (text) => {
      expect(parseTime(text, now)).toMatchObject({ ok: false, error: { code: "usage" } });
    },
  );
  it("before 1970 is its beginning", () => {
    expect(parseTime("-99999999d", now)).toEqual({ ok: true, value: 0 });
  });
});

it("CSV quotes what would be taken apart", () => {
  expect(csvLine(["a", 'b "c", d', 1.5, null, "x\ny"])).toBe('a,"b ""c"", d",1.5,,"x\ny"');
});
