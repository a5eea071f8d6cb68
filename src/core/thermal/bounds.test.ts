import { describe, expect, it } from "vitest";
import { wallTime } from "../../kit/time.ts";
import { alarmed, judge, QUANTITIES, sensibleLimits } from "./bounds.ts";
import type { ChannelType, RawOutcome } from "./raw.ts";

const at = wallTime(1000);
const judged = (
  text: string | null,
  type: ChannelType = "temp",
  outcome: RawOutcome = "read",
  fault = false,
) => judge({ outcome, text, fault, at }, QUANTITIES[type]);

describe("judge", () => {
  it.each([
    ["45000", "temp", 45, "ok"],
    ["0", "temp", 0, "ok"],
    ["-40000", "temp", -40, "ok"],
    ["150000", "temp", 150, "ok"],
    ["27062.5", "temp", 27.0625, "ok"],
    ["-40001", "temp", null, "implausible"],
    ["150001", "temp", null, "implausible"],
    ["-128000", "temp", null, "implausible"],
    ["99999999999999999999999999", "temp", null, "implausible"],
    ["", "temp", null, "missing"],
    ["abc", "temp", null, "unexpected"],
    ["0x20", "temp", null, "unexpected"],
    ["12 apples", "temp", null, "unexpected"],
    ["nan", "temp", null, "unexpected"],
    ["1".repeat(400), "temp", null, "unexpected"],
    ["0", "fan", 0, "ok"],
    ["-1", "fan", null, "implausible"],
    ["1352", "in", 1.352, "ok"],
    ["-11875", "in", -11.875, "ok"],
    ["212000000", "power", 212, "ok"],
    ["100001", "humidity", null, "implausible"],
  ] as const)("takes %j of %s for %s, %s", (text, type, value, validity) => {
    expect(judged(text, type)).toEqual({ value, validity });
  });

  it.each(["missing", "unreadable", "stuck"] as const)("has no value when reading was %s", (outcome) => {
    expect(judged("45000", "temp", outcome)).toEqual({ value: null, validity: outcome });
  });

  it("believes no value beside a standing fault bit", () => {
    expect(judged("45000", "temp", "read", true)).toEqual({ value: null, validity: "fault" });
  });

  it("shows a disk left asleep with what it said last, or nothing", () => {
    expect(judged("31000", "temp", "asleep")).toEqual({ value: 31, validity: "idle" });
    expect(judged(null, "temp", "asleep")).toEqual({ value: null, validity: "idle" });
  });
});

describe("sensibleLimits", () => {
  const limits = (settings: Record<string, string>, type: ChannelType = "temp") =>
    sensibleLimits(new Map(Object.entries(settings)), type);

  it("keeps what a drive says of itself", () => {
    expect(limits({ max: "81850", crit: "84850", min: "-20000" })).toEqual({
      max: 81.85,
      crit: 84.85,
      min: -20,
    });
  });

  it.each([
    ["65261850", "max"],
    ["150000", "crit"],
    ["-273150", "min"],
    ["-40000", "lcrit"],
    ["0", "max"],
    ["abc", "crit"],
    ["-5000", "emergency"],
  ])("drops %s as %s", (text, name) => {
    expect(limits({ [name]: text })).toEqual({});
  });

  it("drops a pair that leaves no room", () => {
    expect(limits({ min: "85000", max: "85000" })).toEqual({});
  });

  it("takes zero for unset, but for a lowest temperature", () => {
    expect(limits({ min: "0", max: "0" }, "in")).toEqual({});
    expect(limits({ min: "0" }, "fan")).toEqual({});
    expect(limits({ min: "0", max: "85000" })).toEqual({ min: 0, max: 85 });
  });

  it("takes a power cap for a maximum", () => {
    expect(limits({ cap: "203000000" }, "power")).toEqual({ max: 203 });
  });
});

it("an alarm is any of the driver's alarm bits, and no limit", () => {
  expect(
    alarmed(
      new Map([
        ["max", "1"],
        ["alarm", "0"],
      ]),
    ),
  ).toBe(false);
  expect(alarmed(new Map([["crit_alarm", "1"]]))).toBe(true);
});
