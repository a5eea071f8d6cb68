import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneLine, REPLY_CHARS_SHOWN, replyForPeople, scrubberFor } from "./detail.ts";

describe("detail", () => {
  it("hides a secret within a longer one without leaving the rest of it", () => {
    const { scrub } = scrubberFor(["token", "token-and-more"]);
    expect(scrub("a token-and-more, a token")).toBe("a ***, a ***");
  });

  it("hides secrets that are patterns", () => {
    expect(scrubberFor(["a.*b[c"]).scrub("is a.*b[c or aXXb")).toBe("is *** or aXXb");
  });

  it("leaves values too short to be secrets alone", () => {
    expect(scrubberFor(["1", "ok"]).scrub("HTTP 201 ok")).toBe("HTTP 201 ok");
  });

  it("never shows a secret, whatever stands around it and wherever it is cut", () => {
    const secret = fc
      .string({ minLength: 6, maxLength: 40, unit: "grapheme-ascii" })
      .filter((s) => s.trim() === s);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), fc.boolean(), (hidden, before, after, cut) => {
        const shown = replyForPeople(before + hidden + after, cut, scrubberFor([hidden]));
        if (!oneLine(before + after).includes(hidden)) expect(shown).not.toContain(hidden);
      }),
    );
  });

  it("drops the end of a reply that was cut, where a secret may begin", () => {
    expect(replyForPeople("wrong key: abcdef", true, scrubberFor(["abcdefgh"]))).not.toContain("abc");
    expect(replyForPeople("wrong key: abcdef", false, scrubberFor(["abcdefgh"]))).toContain("abcdef");
  });

  it("makes one printable line of anything", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = replyForPeople(text, false, scrubberFor([]));
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(shown.length).toBeLessThanOrEqual(REPLY_CHARS_SHOWN);
      }),
    );
  });
});
