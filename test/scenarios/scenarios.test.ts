/**
 * Each file holds a script and the transcript it must give. To accept a change of
 * behaviour: `npx vitest run test/scenarios --update`, and read the difference.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { play } from "./play.ts";
import { parseScript } from "./script.ts";

const FOLDER = import.meta.dirname;

describe("scenarios", () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".txt"))) {
    it(name.replace(".txt", "").replaceAll("-", " "), async () => {
      const path = join(FOLDER, name);
      const { file, violations } = await play(readFileSync(path, "utf8"));
      await expect(file).toMatchFileSnapshot(path);
      expect(violations).toEqual([]);
    });
  }
});

describe("the language of the scenarios", () => {
  it("names the line it does not understand", () => {
    expect(() => parseScript("hosts a b\nat noon kill a")).toThrow('not a time: "noon"');
    expect(() => parseScript("hosts a b\nat 1s explode a")).toThrow('unknown verb "explode"');
    expect(() => parseScript("hosts a b\nat 1s kill d")).toThrow('no host "d"');
    expect(() => parseScript("whatever")).toThrow("not understood: whatever");
  });
});
