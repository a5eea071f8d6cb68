import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONFIG_DEFAULT, SOCKET_DEFAULT, STATE_DIR_DEFAULT } from "../src/cli/program.ts";
import { ERROR_CODES } from "../src/kit/errors.ts";
import { parseConfig } from "../src/wire/config.ts";
import { CONFIG_ENVIRONMENT } from "../src/wire/config-effective.ts";
import { allKeys } from "../src/wire/config-explain.ts";
import { fileSchema, LOG_LEVELS } from "../src/wire/config-schema.ts";

const doc = (name: string): string => readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");

describe("docs/configuration.md", () => {
  const text = doc("configuration.md");

  it("has a row with meaning and range for every key, and for no other", () => {
    const rows = [...text.matchAll(/^\| `([a-zA-Z[\].]+)`\s*\| (.+?) \|/gm)].map(([, key]) => key);
    expect(rows.toSorted()).toEqual(allKeys(fileSchema).toSorted());
  });

  it("shows an example that is accepted", () => {
    const [, example = ""] = /```yaml\n([\s\S]+?)```/.exec(text) ?? [];
    expect(parseConfig(example, "example")).toMatchObject({ ok: true, config: { log: { level: "info" } } });
  });

  it.each([...CONFIG_ENVIRONMENT, ...LOG_LEVELS, CONFIG_DEFAULT, SOCKET_DEFAULT, STATE_DIR_DEFAULT])(
    "names %s",
    (word) => {
      expect(text).toContain(`\`${word}\``);
    },
  );
});

describe("docs/errors.md", () => {
  it("says of every code what it means and what to do", () => {
    const sections = doc("errors.md").split(/^## /m).slice(1);
    expect(sections.map((section) => section.slice(1, section.indexOf("`", 1)))).toEqual([...ERROR_CODES]);
    for (const section of sections)
      expect(section).toMatch(/^`[a-z-]+`\n\n[A-Z][\s\S]+\n\nTo do: [a-z`][\s\S]+\.\n*$/);
  });
});
