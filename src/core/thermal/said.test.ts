import { describe, expect, it } from "vitest";
import { wallTime } from "../../kit/time.ts";
import { readingOf, type Said, withoutKnownDisks } from "./said.ts";

const said = (more: Partial<Said>): Said => ({
  id: "smart:S1/temp1",
  kind: "hdd",
  name: "disk",
  unit: "celsius",
  driver: "smartctl",
  label: "temperature",
  value: 34,
  idle: false,
  limits: {},
  at: wallTime(1),
  ...more,
});

describe("readingOf", () => {
  it.each([
    [{ value: 34 }, { value: 34, validity: "ok", at: 1 }],
    [{ value: null }, { value: null, validity: "missing", at: null }],
    [{ value: 200 }, { value: null, validity: "implausible", at: null }],
    [
      { value: 31, idle: true },
      { value: 31, validity: "idle", at: 1 },
    ],
  ])("judges %j", (more, expected) => {
    expect(readingOf(said(more))).toMatchObject(expected);
  });
});

it("a program's word on a disk is dropped where the kernel reads the same one", () => {
  const kernel = [readingOf(said({ id: "drivetemp:S1/temp1" }))];
  const others = [
    readingOf(said({})),
    readingOf(said({ id: "smart:S2/temp1" })),
    readingOf(said({ id: "nvidia:S1/core" })),
  ];
  expect(withoutKnownDisks(kernel, others).map(({ id }) => id)).toEqual(["smart:S2/temp1", "nvidia:S1/core"]);
});
