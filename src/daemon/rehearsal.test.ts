import { expect, it } from "vitest";
import { rehearse } from "./rehearsal.ts";

it("a rehearsal tells of the death of an imaginary host and of its return, once each", () => {
  expect(rehearse()).toEqual([
    expect.stringContaining("rehearsal-3 is down"),
    expect.stringContaining("rehearsal-3 is back"),
  ]);
});
