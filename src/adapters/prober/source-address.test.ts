import { expect, it } from "vitest";
import { addressParts } from "../../wire/address.ts";
import { sourceFor } from "./source-address.ts";

const OWN = ["10.1.0.5:7654", "192.168.7.5:7654", "192.168.8.5:7654", "[fd00:7::5]:7654", "[fd00:8::5]:7654"];

it.each([
  ["10.200.0.1:7654", "10.1.0.5"],
  ["192.168.7.9:7654", "192.168.7.5"],
  ["192.168.8.9:7654", "192.168.8.5"],
  ["[fd00:8::9]:7654", "fd00:8::5"],
  ["[fd00:7:0:0::9]:7654", "fd00:7::5"],
])("a probe to %s leaves from %s", (target, source) => {
  const parts = addressParts(target);
  expect(parts && sourceFor(OWN, parts)).toBe(source);
});

it("leaves the choice to the kernel when there is no own address of that family", () => {
  const parts = addressParts("[::1]:1");
  expect(parts && sourceFor(["10.0.0.1:1"], parts)).toBeUndefined();
});
