import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { days, hours, minutes, seconds, type WallTime, wallTime } from "../../kit/time.ts";
import {
  type CertificateState,
  certificateState,
  chanceOf,
  isImprovement,
  renewalDueAt,
  retryAfter,
  type Validity,
  wantsRenewal,
} from "./renewal.ts";

const START = wallTime(1_800_000_000_000);
const day = (count: number): WallTime => wallTime(START + days(count));
const month: Validity = { notBefore: START, notAfter: day(30) };
const FIRST = "40000000000000000000000000000000";
const LAST = "7fffffffffffffffffffffffffffffff";

test("renewal is due between a third and a half of the life, at the certificate's own point", () => {
  expect(renewalDueAt(month, FIRST)).toBe(day(10));
  expect(renewalDueAt(month, LAST)).toBe(day(15));
  fc.assert(
    fc.property(fc.stringMatching(/^[4-7][0-9a-f]{31}$/), (serial) => {
      const due = renewalDueAt(month, serial);
      expect(due).toBeGreaterThanOrEqual(day(10));
      expect(due).toBeLessThanOrEqual(day(15));
      expect(renewalDueAt(month, serial)).toBe(due);
    }),
  );
});

test("serials that differ spread the points over the whole span", () => {
  const points = Array.from({ length: 1000 }, (_, at) =>
    chanceOf(`40${((at * 2_654_435_761) >>> 0).toString(16).padStart(30, "0")}`),
  );
  expect(Math.min(...points)).toBeLessThan(0.02);
  expect(Math.max(...points)).toBeGreaterThan(0.98);
  expect(chanceOf("not hex")).toBe(0.5);
});

describe("how a certificate stands", () => {
  const table: readonly [number, CertificateState][] = [
    [-0.1, "early"],
    [0, "valid"],
    [9.9, "valid"],
    [10, "due"],
    [20, "due"],
    [20.1, "late"],
    [30, "late"],
    [30.1, "expired"],
  ];
  test.each(table)("on day %d it is %s", (at, state) => {
    expect(certificateState(month, FIRST, day(at))).toBe(state);
    expect(wantsRenewal(state)).toBe(state !== "valid");
  });

  test("one that ends before it begins is expired or early, and never valid", () => {
    const odd = { notBefore: day(2), notAfter: day(1) };
    for (const at of [0, 1.5, 3])
      expect(["early", "expired"]).toContain(certificateState(odd, FIRST, day(at)));
  });
});

test("tries in vain are repeated after a minute, doubled up to an hour, and spread", () => {
  expect(retryAfter(month, 1, 0.5)).toBe(minutes(1));
  expect(retryAfter(month, 3, 0.5)).toBe(minutes(4));
  expect(retryAfter(month, 50, 0.5)).toBe(hours(1));
  expect(retryAfter(month, 1, 0)).toBe(seconds(45));
  expect(retryAfter(month, 1, 1)).toBe(seconds(75));
});

test("a short life is retried often, and no more than about once a second", () => {
  const short = { notBefore: START, notAfter: wallTime(START + 60_000) };
  expect(retryAfter(short, 1, 0.5)).toBe(1000);
  expect(retryAfter(short, 9, 0.5)).toBe(5000);
  expect(retryAfter({ notBefore: START, notAfter: START }, 1, 0)).toBe(750);
});

describe("an offered certificate", () => {
  const next: Validity = { notBefore: day(10), notAfter: day(40) };
  const long: Validity = { notBefore: wallTime(0), notAfter: wallTime(days(30)) };
  test.each<[string, Validity, Validity, number, boolean]>([
    ["takes the place of one that holds when it holds itself", month, next, 12, true],
    ["takes its place even where it ends sooner", month, { notBefore: day(11), notAfter: day(13) }, 12, true],
    ["from a keymaster whose clock fell back to 1970 does not", month, long, 12, false],
    [
      "from a keymaster whose clock is a year ahead does not",
      month,
      { notBefore: day(377), notAfter: day(407) },
      12,
      false,
    ],
    ["takes the place of one that ended, whatever this clock says", month, long, 31, true],
    ["takes the place of one that has yet to begin by a clock in 1970", month, next, -20_000, true],
  ])("%s", (_what, held, offered, at, better) => {
    expect(isImprovement(held, offered, day(at))).toBe(better);
  });
});
