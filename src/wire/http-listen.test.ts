import { expect, it } from "vitest";
import { loopbackParts } from "./http-listen.ts";

it.each([
  ["127.0.0.1:7655", { host: "127.0.0.1", port: 7655 }],
  ["127.255.0.9:0", { host: "127.255.0.9", port: 0 }],
  ["[::1]:65535", { host: "::1", port: 65_535 }],
])("%s is this host's own", (listen, parts) => {
  expect(loopbackParts(listen)).toEqual(parts);
});

it.each([
  "0.0.0.0:7655",
  "[::]:7655",
  "10.0.0.1:7655",
  "128.0.0.1:7655",
  "127.0.0.256:7655",
  "127.1:7655",
  "[::ffff:127.0.0.1]:7655",
  "[::1]:65536",
  "localhost:7655",
  "127.0.0.1",
  "off",
  "",
])("%s is not", (listen) => {
  expect(loopbackParts(listen)).toBeUndefined();
});
