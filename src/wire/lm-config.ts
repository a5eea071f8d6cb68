/**
 * The statements of lm-sensors' configuration (sensors.conf(5)) that change what is printed: `chip`,
 * `bus`, `label`, `ignore`, `compute`. `set` writes to chips and is passed over, as are lines with mistakes.
 */
import { type Expression, evaluate, parseCompute } from "./lm-expressions.ts";
import type { LmChip, LmRules } from "./lm-sensors.ts";

/** Longer files are cut; Debian's own has 500 lines. */
export const LM_CONFIG_LINES_MAX: number = 20_000;

interface ChipPattern {
  /** Null: any. */
  readonly prefix: string | null;
  readonly type: string | null;
  readonly number: number | null;
  readonly address: number | null;
  /** Name of the I2C adapter that a `bus` statement gives for the number. */
  readonly adapter: string | null;
}

interface Section {
  readonly patterns: readonly ChipPattern[];
  readonly labels: Map<string, string>;
  readonly ignored: Set<string>;
  readonly computes: Map<string, Expression>;
}

/** Files in the order in which they are read: what comes later wins. */
export function lmRules(files: readonly string[]): LmRules {
  const sections = files.flatMap(sectionsOf).toReversed();
  const matching = (chip: LmChip): readonly Section[] =>
    sections.filter(({ patterns }) => patterns.some((pattern) => matches(pattern, chip)));
  return {
    label: (chip, feature) => first(matching(chip), ({ labels }) => labels.get(feature)),
    ignored: (chip, feature) => matching(chip).some(({ ignored }) => ignored.has(feature)),
    computed: (chip, feature, value, another) => {
      const expression = first(matching(chip), ({ computes }) => computes.get(feature));
      return expression === undefined ? value : evaluate(expression, value, another);
    },
  };
}

function first<T>(sections: readonly Section[], pick: (section: Section) => T | undefined): T | undefined {
  for (const section of sections) {
    const found = pick(section);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Bus numbers mean what the same file says. */
function sectionsOf(text: string): readonly Section[] {
  const lines = logicalLines(text);
  const buses = new Map<number, string>();
  for (const [, number, adapter] of lines.flatMap((line) => matchOf(/^bus\s+"i2c-(\d+)"\s+"(.*)"$/, line)))
    buses.set(Number(number), adapter ?? "");
  const sections: Section[] = [];
  for (const line of lines) {
    const [, keyword = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === "chip") sections.push(section(rest, buses));
    const current = sections.at(-1);
    if (current !== undefined) apply(current, keyword, rest);
  }
  return sections;
}

const matchOf = (pattern: RegExp, line: string): readonly RegExpExecArray[] => {
  const found = pattern.exec(line);
  return found === null ? [] : [found];
};

const logicalLines = (text: string): readonly string[] =>
  text
    .replace(/\\\n/g, " ")
    .split("\n", LM_CONFIG_LINES_MAX)
    .map((line) => withoutComment(line).trim())
    .filter((line) => line !== "");

/** From `#` on, but not within quotes. */
const withoutComment = (line: string): string => /^(?:"(?:[^"\\]|\\.)*"|[^#"])*/.exec(line)?.[0] ?? "";

const section = (rest: string, buses: ReadonlyMap<number, string>): Section => ({
  patterns: wordsOf(rest).flatMap((word) => patternOf(word, buses) ?? []),
  labels: new Map(),
  ignored: new Set(),
  computes: new Map(),
});

/** Within a section the first statement about a feature counts. */
function apply(current: Section, keyword: string, rest: string): void {
  const [name = "", value] = wordsOf(rest);
  if (keyword === "label" && value !== undefined && !current.labels.has(name))
    current.labels.set(name, value);
  if (keyword === "ignore" && name !== "") current.ignored.add(name);
  if (keyword !== "compute" || current.computes.has(name)) return;
  const expression = parseCompute(rest.slice(rest.indexOf(name) + name.length).replace(/^"/, ""));
  if (expression !== undefined) current.computes.set(name, expression);
}

/** Words, with or without quotes. */
const wordsOf = (text: string): readonly string[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"]+)/g)].map(([, quoted, plain]) =>
    quoted === undefined
      ? (plain ?? "")
      : quoted.replace(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped),
  );
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  f: "\f",
  v: "\v",
  b: "\b",
  a: "\u0007",
};

const NUMBERED: ReadonlySet<string> = new Set(["i2c", "spi", "hid", "scsi"]);
const PATTERN =
  /^(\*|[^-*]+)-(?:\*|(i2c|isa|pci|spi|virtual|acpi|hid|mdio|scsi)-(?:(\*|\d+)-)?(\*|[\da-f]+))$/i;

/** `lm78-i2c-0-2d`, `*-isa-*`, `nct6798-*`; undefined when it is no such name. */
function patternOf(word: string, buses: ReadonlyMap<number, string>): ChipPattern | undefined {
  const found = PATTERN.exec(word);
  if (found === null) return undefined;
  const [, prefix = "*", type, bus, address] = found;
  if (type !== undefined && NUMBERED.has(type) !== (bus !== undefined)) return undefined;
  const number = bus === undefined || bus === "*" ? null : Number(bus);
  const adapter = type === "i2c" && number !== null ? (buses.get(number) ?? "") : null;
  return {
    prefix: prefix === "*" ? null : prefix,
    type: type ?? null,
    number,
    address: address === undefined || address === "*" ? null : Number.parseInt(address, 16),
    adapter,
  };
}

/** An I2C bus counts by its adapter's name: the numbers change from boot to boot. */
function matches({ prefix, type, number, address, adapter }: ChipPattern, chip: LmChip): boolean {
  if (prefix !== null && prefix !== chip.prefix) return false;
  if (type !== null && type !== chip.bus.type) return false;
  if (address !== null && address !== chip.bus.address) return false;
  if (adapter !== null) return adapter !== "" && adapter === chip.adapter;
  return number === null || number === chip.bus.number;
}
