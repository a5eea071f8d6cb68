import { expect, it } from "vitest";
import { globFits } from "./glob.ts";

it.each([
  ["pve1", "pve1", true],
  ["pve1", "pve12", false],
  ["PVE*", "pve12", true],
  ["*", "", true],
  ["*2", "pve12", true],
  ["p*e*2", "pve12", true],
  ["p*e*3", "pve12", false],
  ["a*a", "a", false],
  ["", "a", false],
])("%s fits %s: %s", (pattern, text, fits) => expect(globFits(pattern, text)).toBe(fits));
