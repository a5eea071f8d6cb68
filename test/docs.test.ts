import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONFIG_DEFAULT, SOCKET_DEFAULT, STATE_DIR_DEFAULT } from "../src/cli/program.ts";
import { ERROR_CODES } from "../src/kit/errors.ts";
import { CHANNEL_TYPES, channelSchema } from "../src/wire/channel-config.ts";
import { parseConfig } from "../src/wire/config.ts";
import { CONFIG_ENVIRONMENT } from "../src/wire/config-effective.ts";
import { allKeys } from "../src/wire/config-explain.ts";
import { fileSchema } from "../src/wire/config-schema.ts";
import { LOG_LEVELS } from "../src/wire/config-settings.ts";
import { METRICS } from "../src/wire/metrics/definitions.ts";
import { PATHS, VERDICTS } from "../src/wire/peer-fields.ts";
import { READING_VALIDITIES } from "../src/wire/readings.ts";

const doc = (name: string): string => readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");

describe("docs/configuration.md", () => {
  const text = doc("configuration.md");

  /** The keys explained by the table that begins with `key` in a section of the document. */
  const explainedIn = (heading: string): string[] => {
    const [, section = ""] =
      new RegExp(`^${heading}\n([\\s\\S]*?)(?=^##|$(?![\\s\\S]))`, "m").exec(text) ?? [];
    const [, table = ""] = /^\| key .*\n\|[-| ]+\|\n((?:\|.*\n)*)/m.exec(section) ?? [];
    return [...table.matchAll(/^\| `([a-zA-Z[\].]+)`\s*\| .+? \| .* \| .* \|$/gm)]
      .map(([, key = ""]) => key)
      .toSorted();
  };
  const common = allKeys(channelSchema("webhook")).filter((key) =>
    CHANNEL_TYPES.every((type) => type === "deadman" || allKeys(channelSchema(type)).includes(key)),
  );

  it("has a row with meaning and range for every key, and for no other", () => {
    const known = allKeys(fileSchema).filter((key) => !key.startsWith("channels[]"));
    expect(explainedIn("## Keys")).toEqual(known.toSorted());
  });

  it("has one for every key that channels have in common", () => {
    expect(explainedIn("## Channels")).toEqual(common.toSorted());
  });

  it.each(CHANNEL_TYPES)("has a section for the channel %s, with a row for every key of its own", (type) => {
    const own = allKeys(channelSchema(type)).filter((key) => !common.includes(key));
    expect(explainedIn(`### \`${type}\``)).toEqual(own.toSorted());
  });

  it("shows an example of every channel, and no example that is refused", () => {
    const examples = [...text.matchAll(/```yaml\n([\s\S]+?)```/g)].map(([, example = ""]) => example);
    for (const example of examples) expect(parseConfig(example, example)).toMatchObject({ ok: true });
    for (const type of CHANNEL_TYPES) {
      expect(examples.filter((example) => example.includes(`type: ${type}\n`))).not.toEqual([]);
    }
  });

  it.each([...CONFIG_ENVIRONMENT, ...LOG_LEVELS, CONFIG_DEFAULT, SOCKET_DEFAULT, STATE_DIR_DEFAULT])(
    "names %s",
    (word) => {
      expect(text).toContain(`\`${word}\``);
    },
  );
});

describe("docs/metrics.md", () => {
  const text = doc("metrics.md");
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\w+) \| (none|(?:`\w+`(?:, )?)+) \| (.+) \|$/gm)];
  const SUFFIX = { counter: "_total", info: "_info", gauge: "", histogram: "" } as const;

  it("has a row for every metric with its type and labels, and for no other", () => {
    const explained = rows.map(([, name = "", type = "", labels = ""]) => {
      const names = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label);
      return `${name} ${type} ${names.join()}`;
    });
    const known = Object.entries(METRICS).map(
      ([name, { type, labels }]) => `${name}${SUFFIX[type]} ${type} ${labels.join()}`,
    );
    expect(explained.toSorted()).toEqual(known.toSorted());
  });

  it("names the unit of every metric that has one, in the metric's name", () => {
    for (const [name, metric] of Object.entries(METRICS))
      if ("unit" in metric) expect(name.endsWith(`_${metric.unit}`)).toBe(true);
  });

  it("names every verdict, path and validity", () => {
    for (const word of [...VERDICTS, ...PATHS, ...READING_VALIDITIES]) expect(text).toContain(`\`${word}\``);
  });
});

describe("docs/errors.md", () => {
  it("says of every code what it means and what to do", () => {
    const sections = doc("errors.md").split(/^## /m).slice(1);
    expect(sections.map((section) => section.slice(1, section.indexOf("`", 1)))).toEqual([...ERROR_CODES]);
    for (const section of sections)
      expect(section).toMatch(/^`[a-z-]+`\n\n[A-Z][\s\S]+\n\nTo do: [a-z`][\s\S]+\.\n*$/);
  });
});
