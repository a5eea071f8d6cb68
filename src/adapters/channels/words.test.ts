import { describe, expect, it } from "vitest";
import { SAMPLE_NOTIFICATION } from "../../../test/contract/sample-notification.ts";
import { shorten } from "./shorten.ts";
import {
  callingNobody,
  escapedWithin,
  escapeEntities,
  escapeMarkdown,
  longestPassing,
  wordsOf,
} from "./words.ts";

const words = (title: string, text: string) => wordsOf({ ...SAMPLE_NOTIFICATION, title, text });

describe("a notification's words", () => {
  it("keep line breaks of the text, and put the title on one line", () => {
    expect(words("pve2 is down\nreally", "one\r\ntwo\rthree\tfour")).toEqual({
      title: "pve2 is down really",
      text: "one\ntwo\nthree\tfour",
    });
  });

  it("lose what steers a terminal, turns the writing direction or is half a character", () => {
    expect(words("a\u0000\u001b[31mb\u009b", "x\u202ey\u2066z \ud83d")).toEqual({
      title: "a  [31mb",
      text: "xyz \ufffd",
    });
  });

  it("are never empty, since services refuse empty messages", () => {
    expect(words(" \n", "\u0000")).toEqual({ title: "Balefire", text: "Balefire" });
    expect(words("pve2 is down", " ")).toEqual({ title: "pve2 is down", text: "pve2 is down" });
  });
});

describe("escapes", () => {
  it("an @ calls nobody and looks the same", () => {
    const escaped = callingNobody("@channel @here a@b");
    expect(escaped).not.toMatch(/@\w/);
    expect(escaped.replaceAll("\u2060", "")).toBe("@channel @here a@b");
  });

  it("make Slack's and HTML's control characters inert, once", () => {
    expect(escapeEntities("<!channel> & &lt;")).toBe("&lt;!channel&gt; &amp; &amp;lt;");
  });

  it.each([
    [
      "*bold* _it_ ~~s~~ `c` ||spoiler|| [a](b)",
      "\\*bold\\* \\_it\\_ \\~\\~s\\~\\~ \\`c\\` \\|\\|spoiler\\|\\| \\[a\\](b)",
    ],
    ["\\*", "\\\\\\*"],
    [
      "# head\n-# small\n- item\n+ item\n> quote\n1. one\n2) two\n===",
      "\\# head\n\\-# small\n\\- item\n\\+ item\n\\> quote\n1\\. one\n2\\) two\n\\===",
    ],
    ["\tcode\n     code", "   code\n   code"],
    ["pve-2 is down at 10.0.0.2:7654, 50 % #1", "pve-2 is down at 10.0.0.2:7654, 50 % #1"],
  ])("show Markdown as it is: %j", (text, escaped) => {
    expect(escapeMarkdown(text)).toBe(escaped);
  });

  it("count against the limit, and are never cut in the middle", () => {
    const text = "<".repeat(100);
    expect(escapedWithin(text, 400, escapeEntities)).toBe("&lt;".repeat(100));
    expect(escapedWithin(text, 399, escapeEntities)).toBe(`${"&lt;".repeat(98)}…`);
    expect(escapedWithin(text, 3, escapeEntities)).toBe("…");
  });
});

describe("the longest beginning that passes", () => {
  it("is found for every limit, and never ends in half a character", () => {
    const text = "aß漢🔥".repeat(25);
    for (let most = 0; most <= text.length + 1; most += 1) {
      const found = longestPassing(text, (shortened) => shortened.length <= most);
      expect(found).toBe(shorten(text, most));
      expect(found.isWellFormed()).toBe(true);
    }
  });

  it("is nothing where nothing passes", () => {
    expect(longestPassing("text", () => false)).toBe("");
  });
});
