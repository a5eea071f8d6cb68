import { expect, it } from "vitest";
import type { Address } from "../../core/types.ts";
import { addressOf, ipAddressParts, ownAddressFor, plainHost } from "./address-choice.ts";

it.each([
  [["192.168.1.5:1", "10.0.0.5:1"], "10.0.0.9:1", "10.0.0.5"],
  [["10.0.4.5:1", "10.0.2.5:1"], "10.0.3.9:1", "10.0.2.5"],
  [["127.0.0.2:1"], "127.0.0.3:1", "127.0.0.2"],
  [["10.0.0.5:1", "[2001:db8:0:1::5]:1", "[2001:db8::5]:1"], "[2001:db8:0::9]:1", "2001:db8::5"],
  [["10.0.0.5:1", "[fd00::5]:1"], "[2001:db8::9]:1", "fd00::5"],
  [["10.0.0.5:1"], "[2001:db8::9]:1", undefined],
  [[], "10.0.0.1:1", undefined],
])("of %s, %s is reached from %s", (own, target, expected) => {
  const parts = ipAddressParts(target as Address);
  if (parts === undefined) throw new Error("an address");
  expect(ownAddressFor(own as Address[], parts)?.host).toBe(expected);
});

it("a name or an impossible IP is no address", () => {
  for (const text of ["300.1.1.1:7654", "host:7654", "[::g]:1", "10.0.0.1:0", "10.0.0.1"]) {
    expect(ipAddressParts(text as Address)).toBeUndefined();
  }
});

it("an IPv4 address is written as such, however the socket names it", () => {
  expect(addressOf(plainHost("::ffff:10.0.0.1"), 7)).toBe("10.0.0.1:7");
  expect(addressOf(plainHost("2001:db8::1"), 7)).toBe("[2001:db8::1]:7");
});
