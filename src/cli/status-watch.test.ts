import { describe, expect, it } from "vitest";
import { eventLine } from "./status-watch.ts";

describe("an event as a line", () => {
  it("says who holds messages back, until when and why, and who lets them go again", () => {
    const mute = {
      schema: 1,
      event: "mute",
      at: "2026-03-01T02:13:07.000Z",
      purpose: "maintenance",
      mute: "maintenance-b",
      about: "b",
      by: "anna@a",
      why: "new disk",
      until: "2026-03-01T04:13:07.000Z",
    } as const;
    const words = (phase: string, rest: object = {}): string =>
      eventLine({ ...mute, phase, ...rest }).replaceAll(/\d/g, "0");
    expect(words("begun")).toBe(
      "00:00:00 maintenance begun: b (by anna@a, until 0000-00-00 00:00:00, new disk)",
    );
    expect(words("begun", { until: null })).toBe("00:00:00 maintenance begun: b (by anna@a, new disk)");
    expect(words("lifted", { by: "otto@a" })).toBe("00:00:00 maintenance lifted: b (by otto@a, new disk)");
    expect(words("over", { why: "" })).toBe("00:00:00 maintenance over: b (by anna@a)");
  });
});
