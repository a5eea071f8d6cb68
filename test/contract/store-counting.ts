import type { Stored } from "../../src/core/io.ts";

/** One commit of the counter: its records must arrive together. */
export const countingCommit = (number: number): Stored[] => [
  { key: "counter", value: String(number) },
  { key: `step/${number % 50}`, value: "x".repeat(number % 700) },
  { key: "twin", value: String(number) },
];
