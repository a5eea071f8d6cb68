import { describe, expect, it } from "vitest";
import { hours, minutes, seconds, type WallTime, wallTime } from "../kit/time.ts";
import type { RootStatusReport } from "../wire/root-reports.ts";
import type { RosterRotation } from "../wire/roster.ts";
import { rotationFindings } from "./doctor-rotation.ts";
import { rotationTroubles } from "./root-views.ts";

const BEGUN = Date.UTC(2026, 10, 22);
const later = (length: number): WallTime => wallTime(BEGUN + length);
const since = new Date(BEGUN).toISOString();

const report = (rest: Partial<RootStatusReport> = {}): RootStatusReport => ({
  schema: 1,
  phase: "announced",
  roots: [],
  since,
  keymaster: "a",
  waived: [],
  waiting: [{ node: "d", id: "d", why: "away" }],
  problem: null,
  ...rest,
});

describe("doctor on a change of roots", () => {
  it("says nothing while none is under way", () => {
    expect(rotationFindings(report({ phase: "none", since: null, waiting: [] }), later(0))).toEqual([]);
  });

  it("finds nothing wrong with one that has just begun, and says how far it is", () => {
    expect(rotationFindings(report(), later(seconds(5)))).toMatchObject([
      { check: "change of roots", level: "ok", finding: expect.stringContaining("d (it cannot be reached)") },
    ]);
    expect(rotationFindings(report({ phase: "issuing", waiting: [] }), later(seconds(5)))).toMatchObject([
      { level: "ok", finding: expect.stringContaining("renewed under the new root") },
    ]);
  });

  it("names phase, age, who is waited for and why, and how to go on without them", () => {
    expect(rotationFindings(report(), later(hours(3)))).toMatchObject([
      {
        level: "warning",
        finding: "the new root is announced, begun 3 h ago: it waits for d (it cannot be reached)",
        remedy: expect.stringMatching(/^Start d, or go on without, on a: `balefire root rotate --waive d`\./),
      },
    ]);
    const two = [
      { node: "d", id: "d", why: "away" },
      { node: "e", id: "e", why: "shows-old" },
    ] as const;
    expect(rotationFindings(report({ phase: "issuing", waiting: two }), later(hours(3)))).toMatchObject([
      {
        level: "warning",
        finding: expect.stringContaining("e (it does not show its new certificate yet)"),
        remedy: expect.stringContaining("`balefire root rotate --waive d --waive e`"),
      },
    ]);
  });

  it("points to the node that drives it, where nobody else knows more", () => {
    expect(rotationFindings(report({ waiting: [] }), later(minutes(5)))).toMatchObject([
      { level: "warning", remedy: expect.stringContaining("On a, `balefire root status`") },
    ]);
  });

  it("fails one that cannot go on, with the reason", () => {
    const blocked = report({ phase: "blocked", waiting: [], problem: "e may sign by the old root only" });
    expect(rotationFindings(blocked, later(0))).toMatchObject([
      {
        level: "failed",
        finding: expect.stringContaining("cannot go on: e may sign by the old root only"),
        remedy: expect.stringContaining("`balefire root rotate`"),
      },
    ]);
  });
});

describe("status on a change of roots", () => {
  const rotation: RosterRotation = { phase: "issuing", root: "N".repeat(43), since, waived: [] };
  const waits = { step: "wait", for: [{ node: "d", why: "away" }] } as const;

  it("is silent while it may take as long", () => {
    expect(rotationTroubles({}, undefined, later(hours(5)))).toEqual([]);
    expect(rotationTroubles({ rotation }, waits, later(minutes(59)))).toEqual([]);
  });

  it("says that it is not over, and at once that it cannot go on", () => {
    expect(rotationTroubles({ rotation }, waits, later(hours(1)))).toEqual([
      expect.stringMatching(/begun 2026-11-22 00:00:00 UTC is not over: `balefire root status`/),
    ]);
    const blocked = { step: "blocked", by: { obstacle: "opened-by-another-root" } } as const;
    expect(rotationTroubles({ rotation }, blocked, later(0))).toEqual([
      expect.stringContaining("cannot go on"),
    ]);
  });
});
