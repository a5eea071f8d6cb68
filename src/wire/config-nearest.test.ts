import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "./config-nearest.ts";

describe("edit distance", () => {
  it.each([
    ["", "", 0],
    ["a", "", 1],
    ["", "abc", 3],
    ["channels", "channels", 0],
    ["chanels", "channels", 1],
    ["baet", "beat", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("from %j to %j is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe("the nearest known word", () => {
  const known = ["channels", "policy", "mesh", "log"];
  it.each([
    ["chanels", "channels"],
    ["Channels", "channels"],
    ["mehs", "mesh"],
    ["lgo", "log"],
    ["polic", "policy"],
    ["zebra", undefined],
    ["x", undefined],
    ["c".repeat(10_000), undefined],
  ])("to %j is %j", (typed, expected) => {
    expect(nearest(typed, known)).toBe(expected);
  });
});
