import { describe, expect, it } from "vitest";
import { LoneNode, START } from "../../test/contract/lone-node.ts";
import type { MeshView } from "../core/view.ts";
import { meshView } from "../core/view-of.ts";
import { days, hours, wallTime } from "../kit/time.ts";
import { clockHints, clockMayBegin } from "./clock-hints.ts";
import { clockFindings } from "./doctor-clocks.ts";

const node = new LoneNode(["a", "b", "c"]);
const seen = meshView(node.state, node.env());
const AT = wallTime(START);
/** The view of "a": the others' clocks against the time it goes by. */
const view = (clock: MeshView["clock"], offsets: Record<string, number>, at = AT): MeshView => ({
  ...seen,
  at,
  clock,
  nodes: seen.nodes.map((each) => ({ ...each, clockOffset: (offsets[each.name] ?? 0) as never })),
});
const HOUR = hours(1);

describe("doctor on clocks", () => {
  it("finds nothing where all agree", () => {
    expect(clockFindings(view({ error: 300 as never, off: false }, { b: 500, c: -300 }), AT)).toMatchObject([
      { check: "clocks", level: "ok", finding: "2 of 2 measured, all within 2 s of this one" },
    ]);
  });

  it("names another's clock that is off, and not the rest", () => {
    expect(clockFindings(view({ error: 0 as never, off: false }, { b: HOUR, c: 100 }), AT)).toMatchObject([
      {
        check: "clock of b",
        level: "warning",
        finding: "60 min ahead of the others",
        remedy: expect.stringContaining("timedatectl"),
      },
    ]);
  });

  it("names this host's own, and does not blame the others for it", () => {
    const own = view({ error: -days(1) as never, off: true }, { a: -days(1), b: 0, c: 100 });
    expect(clockFindings(own, AT)).toMatchObject([
      {
        check: "clock of this host",
        level: "failed",
        finding:
          "24 h behind the others: it says 2027-01-14 08:00:00 UTC; meanwhile this node goes by theirs",
      },
    ]);
    const drift = view({ error: 5000 as never, off: false }, { b: -5000, c: -5100 });
    expect(clockFindings(drift, AT)).toMatchObject([
      {
        check: "clock of this host",
        level: "warning",
        finding: expect.stringMatching(/^5\.0 s ahead of the others/),
      },
    ]);
  });

  it("knows alone that a clock is behind what was signed before", () => {
    const alone = view({ off: false }, {}, wallTime(60_000));
    expect(clockFindings(alone, AT)).toMatchObject([
      {
        check: "clock of this host",
        level: "failed",
        finding: "it says 1970-01-01 00:01:00 UTC, 20833 d before the roster was signed that is held here",
      },
    ]);
    expect(clockFindings(view({ off: false }, {}, wallTime(AT + days(300))), AT)).toMatchObject([
      { level: "ok" },
    ]);
  });
});

describe("whoever joins a host", () => {
  it.each([
    [HOUR, "60 min ahead of"],
    [-days(1), "24 h behind"],
    [-START, "20833 d behind"],
  ])("is told that its clock differs from the keymaster's by %d ms", (error, how) => {
    expect(clockHints(AT, wallTime(AT + error))).toEqual([
      expect.stringContaining(`this host's clock is ${how} the keymaster's`),
    ]);
  });

  it("and who begins a mesh in 1970 is refused: its root would have ended long ago", () => {
    expect(clockMayBegin(wallTime(60_000))).toMatchObject({
      ok: false,
      error: { code: "clock-wrong", message: "this host's clock says 1970-01-01 00:01:00 UTC" },
    });
    expect(clockMayBegin(AT)).toEqual({ ok: true, value: undefined });
  });

  it("is not bothered with the time that the join took", () => {
    expect(clockHints(AT, wallTime(AT + 20_000))).toEqual([]);
  });
});
