import { describe, expect, it } from "vitest";
import { createScreen, harmless, wantsColour } from "./screen.ts";
import { table, wrapped } from "./table.ts";
import { ago, ahead, howSure, localTime, rtt } from "./words.ts";

const stream = (isTTY: boolean, columns?: number) => ({
  write: () => true,
  isTTY,
  ...(columns === undefined ? {} : { columns }),
});
const screenOf = (columns: number) => createScreen(stream(true, columns), stream(true), { NO_COLOR: "1" });

describe("colour", () => {
  it.each([
    ["a terminal", true, {}, true],
    ["a terminal that cannot", true, { TERM: "dumb" }, false],
    ["a terminal with NO_COLOR", true, { NO_COLOR: "1" }, false],
    ["a terminal with NO_COLOR left empty", true, { NO_COLOR: "" }, true],
    ["a pipe", false, {}, false],
    ["a pipe with FORCE_COLOR", false, { FORCE_COLOR: "1" }, true],
    ["a terminal with FORCE_COLOR=0", true, { FORCE_COLOR: "0" }, false],
    ["both wishes, of which the explicit one wins", false, { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
  ])("%s", (_, isTTY, env, wanted) => {
    expect(wantsColour(stream(isTTY), env)).toBe(wanted);
  });
});

describe("the width", () => {
  it.each([
    ["of a terminal", stream(true, 120), 120],
    ["of a terminal that is tiny", stream(true, 3), 40],
    ["of a terminal that does not say", stream(true), 80],
    ["of a pipe", stream(false, 200), 80],
  ])("%s", (_, out, columns) => {
    expect(createScreen(out, out, {}).columns).toBe(columns);
  });
});

it("text from elsewhere cannot play with the terminal", () => {
  expect(harmless("a\u001b[2Jb\u0007\u009b\u202ec\td\ne")).toBe("a?[2Jb???c?d\ne");
});

describe("a table", () => {
  it("aligns columns", () => {
    expect(
      table(
        screenOf(80),
        ["A", "LONGER"],
        [
          ["long cell", "x"],
          ["y", "z"],
        ],
      ),
    ).toEqual(["A          LONGER", "long cell  x", "y          z"]);
  });
  it("cuts the widest columns to the screen", () => {
    const lines = table(screenOf(40), ["NAME", "TEXT"], [["n".repeat(60), "t".repeat(60)]]);
    expect(lines[1]).toMatch(/^n+… {2}t+…$/);
    expect(lines[1]).toHaveLength(40);
  });
  it("keeps a cell on one line", () => {
    expect(table(screenOf(80), ["A"], [["two\nlines"]])).toHaveLength(2);
  });
});

describe("wrapped text", () => {
  it("breaks at spaces and keeps the writer's own lines", () => {
    expect(wrapped("aa bb cc\ndd", 9, "  ", "- ")).toEqual(["- aa bb", "  cc", "  dd"]);
  });
  it("does not break a word, such as a URL", () => {
    expect(wrapped(`see ${"x".repeat(50)}`, 20)).toEqual(["see", "x".repeat(50)]);
  });
});

describe("words for times", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  it.each([
    [ago(null, now), "-"],
    [ago("2026-03-01T11:59:57Z", now), "3.0 s"],
    [ago("nonsense", now), "-"],
    [ahead("2026-03-31T12:00:00Z", now), "30 d"],
    [ahead("2026-03-01T11:00:00Z", now), "over"],
    [ahead(null, now), "-"],
    [rtt(null), "-"],
    [rtt(0.424), "0.4 ms"],
    [rtt(118.4), "118 ms"],
    [localTime("nonsense"), "nonsense"],
  ])("%s", (said, expected) => {
    expect(said).toBe(expected);
  });
  it("this host's time zone is used", () => {
    expect(localTime(new Date(2026, 2, 1, 2, 13, 7).toISOString())).toBe("2026-03-01 02:13:07");
  });
  it("what needs no explanation gets none", () => {
    expect(howSure("alive")).toBeUndefined();
    expect(howSure("unreachable")).toContain("too few others");
  });
});
