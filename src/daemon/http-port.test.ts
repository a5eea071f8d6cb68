import { expect, it } from "vitest";
import { httpTrouble, unhurried } from "./http-port.ts";

it("metrics of a large mesh leave room for what is more urgent", async () => {
  let others = 0;
  let isOver = false;
  const other = (): void => {
    others += 1;
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  const lines = Array.from({ length: 10_000 }, (_, place) => `line ${place}`);
  const text = await unhurried(lines);
  isOver = true;
  expect(text).toBe(`${lines.join("\n")}\n`);
  expect(others).toBeGreaterThanOrEqual(10_000 / 500);
});

it("a port that cannot be had is a problem of the status, one that is not wanted is none", () => {
  const failure = { code: "address-in-use", message: "127.0.0.1:1 is in use", retry: true } as const;
  expect(httpTrouble({ kind: "failing", address: "127.0.0.1:1", failure })).toEqual([
    "no metrics: 127.0.0.1:1 is in use",
  ]);
  expect(httpTrouble({ kind: "off" })).toEqual([]);
  expect(httpTrouble({ kind: "listening", address: "127.0.0.1:1" })).toEqual([]);
});
