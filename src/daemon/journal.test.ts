import { describe, expect, it } from "vitest";
import type { Notice } from "../core/io.ts";
import { type WallTime, wallTime } from "../kit/time.ts";
import { logNotice } from "./journal.ts";
import type { Log } from "./log.ts";

function linesOf(...notices: Notice[]): string[] {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (line: string): void =>
      void lines.push(`${level} ${line}`);
  const log: Log = {
    level: "debug",
    error: write("error"),
    warning: write("warning"),
    info: write("info"),
    debug: write("debug"),
  };
  for (const notice of notices) logNotice(log, notice);
  return lines;
}

describe("the journal", () => {
  it("says who keeps people from being told, until when and why, and when that is over", () => {
    const mute = { type: "mute", purpose: "maintenance", mute: "m", about: "b", by: "anna@a" } as const;
    const until: WallTime = wallTime(1_800_000_000_000);
    const lines = linesOf(
      { ...mute, phase: "begun", why: "new disk" },
      { ...mute, phase: "changed", why: "", until },
      { ...mute, phase: "lifted", why: "new disk", by: "otto@a" },
      { ...mute, phase: "over", why: "" },
    );
    expect(lines).toEqual([
      "info maintenance of b by anna@a until someone ends it: new disk",
      "info maintenance of b by anna@a until 2027-01-15 08:00:00 UTC",
      "info maintenance of b ended by otto@a",
      "info maintenance of b is over",
    ]);
  });
});
