import { expect, it } from "vitest";
import { addressParts } from "./address.ts";
import { nearestOwn } from "./nearest-address.ts";

const OWN = ["10.1.0.5:7654", "192.168.7.5:7654", "192.168.8.5:7654", "[fd00:7::5]:7654", "[fd00:8::5]:7654"];

it.each([
  [OWN, "10.200.0.1:7654", "10.1.0.5"],
  [OWN, "192.168.7.9:7654", "192.168.7.5"],
  [OWN, "192.168.8.9:7654", "192.168.8.5"],
  [OWN, "[fd00:8::9]:7654", "fd00:8::5"],
  [OWN, "[fd00:7:0:0::9]:7654", "fd00:7::5"],
  [["10.0.4.5:1", "10.0.2.5:1"], "10.0.3.9:1", "10.0.2.5"],
  [["10.0.0.5:1", "[2001:db8:0:1::5]:1", "[2001:db8::5]:1"], "[2001:db8:0::9]:1", "2001:db8::5"],
  [["10.0.0.5:1"], "[2001:db8::9]:1", undefined],
  [[], "10.0.0.1:1", undefined],
])("of %s, %s is reached from %s", (own, target, source) => {
  const parts = addressParts(target);
  if (parts === undefined) throw new Error("an address");
  expect(nearestOwn(own, parts)?.host).toBe(source);
});
