import { describe, expect, it } from "vitest";
import { instant } from "../../kit/time.ts";
import { DISK_INTERVAL, type DiskLook, LOOK_FRESH, mayAsk } from "./disk-rule.ts";

const look = (more: Partial<DiskLook> = {}): DiskLook => ({
  counters: "1 2 3",
  lookedAt: instant(1000),
  askedAt: undefined,
  ...more,
});
const soon = instant(11_000);

describe("a rotational disk", () => {
  it("is not asked at first sight: nobody knows whether it sleeps", () => {
    expect(mayAsk(undefined, "1 2 3", soon)).toBe(false);
  });
  it("is asked when its counters moved", () => {
    expect(mayAsk(look(), "2 2 3", soon)).toBe(true);
  });
  it("is left alone while they stand", () => {
    expect(mayAsk(look(), "1 2 3", soon)).toBe(false);
  });
  it("is left alone when they cannot be read", () => {
    expect(mayAsk(look(), null, soon)).toBe(false);
  });
  it("is asked at most every five minutes, however busy", () => {
    const asked = look({ askedAt: instant(2000) });
    expect(mayAsk(asked, "9 9 9", soon)).toBe(false);
    const later = instant(2000 + DISK_INTERVAL);
    expect(mayAsk({ ...asked, lookedAt: instant(later - 10_000) }, "9 9 9", later)).toBe(true);
  });
  it("is not asked for what moved long ago: it may sleep by now", () => {
    expect(mayAsk(look(), "2 2 3", instant(1000 + LOOK_FRESH + 1))).toBe(false);
  });
});
