import { expect, it } from "vitest";
import type { Address } from "../../core/types.ts";
import { addressOf, ipAddressParts, plainHost } from "./socket-address.ts";

it("a name or an impossible IP is no address", () => {
  for (const text of ["300.1.1.1:7654", "host:7654", "[::g]:1", "10.0.0.1:0", "10.0.0.1"]) {
    expect(ipAddressParts(text as Address)).toBeUndefined();
  }
});

it("an IPv4 address is written as such, however the socket names it", () => {
  expect(addressOf(plainHost("::ffff:10.0.0.1"), 7)).toBe("10.0.0.1:7");
  expect(addressOf(plainHost("2001:db8::1"), 7)).toBe("[2001:db8::1]:7");
});
