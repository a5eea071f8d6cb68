import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lengthIn, type Measure, shorten } from "./shorten.ts";

describe("shorten", () => {
  it("never halves a character", () => {
    expect(shorten("🔥🔥", 4)).toBe("🔥🔥");
    expect(shorten("🔥🔥🔥", 5)).toBe("🔥🔥…");
    expect(shorten("🔥🔥🔥", 4)).toBe("🔥…");
    expect(shorten("🔥🔥🔥", 11, "bytes")).toBe("🔥🔥…");
    expect(shorten("🔥🔥🔥", 10, "bytes")).toBe("🔥…");
    expect(shorten("🔥🔥🔥", 2, "codePoints")).toBe("🔥…");
  });

  it.each(["bytes", "codePoints", "units"] satisfies Measure[])(
    "keeps to the most allowed, in %s, and changes nothing that fits",
    (measure) => {
      fc.assert(
        fc.property(fc.string({ unit: "binary" }), fc.nat({ max: 40 }), (text, most) => {
          const less = shorten(text, most, measure);
          expect(lengthIn[measure](less)).toBeLessThanOrEqual(most);
          if (lengthIn[measure](text) <= most) expect(less).toBe(text);
          else if (less !== "") expect(text.startsWith(less.slice(0, -1))).toBe(true);
          if (text.isWellFormed()) expect(less.isWellFormed()).toBe(true);
        }),
      );
    },
  );
});
