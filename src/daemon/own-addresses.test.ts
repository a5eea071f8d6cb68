import { expect, test } from "vitest";
import { hintsAbout, parseAddress, parseOwnAddresses } from "./own-addresses.ts";

test.each([
  ["10.0.0.1", "10.0.0.1:7654"],
  ["10.0.0.1:7000", "10.0.0.1:7000"],
  [" 127.0.0.1 ", "127.0.0.1:7654"],
  ["fd00::1", "[fd00::1]:7654"],
  ["[fd00::1]", "[fd00::1]:7654"],
  ["[FD00:0:0::0:1]:7000", "[fd00::1]:7000"],
  ["::1", "[::1]:7654"],
])("%s is %s", (text, address) => {
  expect(parseAddress(text)).toEqual({ ok: true, value: address });
});

test.each([
  ["0.0.0.0", "every address"],
  ["[::]:7654", "every address"],
  ["224.0.0.1", "multicast"],
  ["ff02::1", "multicast"],
  ["255.255.255.255", "reserved"],
  ["fe80::1", "link-local"],
  ["::ffff:10.0.0.1", "IPv4 address in IPv6 form"],
  ["pve1.example", "not an IP address"],
  ["pve1:7654", "not an IP address"],
  ["10.0.0.256", "not an IP address"],
  ["010.0.0.1", "not an IP address"],
  ["fe80::1%eth0", "not an IP address"],
  ["[10.0.0.1]:7654", "not an IP address"],
  ["10.0.0.1:", "not an IP address"],
  ["10.0.0.1:0", "port"],
  ["10.0.0.1:65536", "port"],
  ["", "not an IP address"],
])("%s is refused: %s", (text, why) => {
  expect(parseAddress(text)).toMatchObject({
    ok: false,
    error: { code: "address-invalid", message: expect.stringContaining(why) },
  });
});

test("no address, one given twice in two spellings, and too many are refused", () => {
  expect(parseOwnAddresses([]).ok).toBe(false);
  expect(parseOwnAddresses(["10.0.0.1", "10.0.0.1:7654"]).ok).toBe(false);
  expect(parseOwnAddresses(Array.from({ length: 9 }, (_, index) => `10.0.0.${index + 1}`)).ok).toBe(false);
  expect(parseOwnAddresses(["10.0.0.1", "10.0.1.1"])).toEqual({
    ok: true,
    value: ["10.0.0.1:7654", "10.0.1.1:7654"],
  });
});

test("an address that no interface holds is worth a hint, one of this host is not", () => {
  expect(hintsAbout(["127.0.0.1:7654", "127.9.9.9:7654"])).toEqual([]);
  expect(hintsAbout(["203.0.113.7:7654", "[2001:db8::7]:7654"])).toEqual([
    expect.stringContaining("203.0.113.7"),
    expect.stringContaining("2001:db8::7"),
  ]);
});
