/** Reads configuration text: a node's own file, or the document that the whole mesh shares. */
import { type Document, LineCounter, parseDocument, type YAMLError } from "yaml";
import { explainChannels } from "./config-channels.ts";
import { excerptAt } from "./config-excerpt.ts";
import { type Explanation, explainIssue, keyWords } from "./config-explain.ts";
import { offsetOfKey, offsetOfValue } from "./config-locate.ts";
import { CONFIG_PROBLEMS_MAX, type ConfigProblem } from "./config-problems.ts";
import {
  CONFIG_BYTES_MAX,
  CONFIG_SECTIONS,
  type ConfigDocument,
  fileSchema,
  sharedSchema,
} from "./config-schema.ts";
import { explainSyntax } from "./config-syntax.ts";

/** `file`: a node's own. `shared`: through the roster, without the keys that belong to one node. */
export type ConfigScope = "file" | "shared";

export type ParsedConfig =
  | { readonly ok: true; readonly config: ConfigDocument }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Never throws, whatever the text; at most 20 problems, in the order of the file. */
export function parseConfig(text: string, file: string, scope: ConfigScope = "file"): ParsedConfig {
  if (text.length > CONFIG_BYTES_MAX)
    return refused(file, `the file is longer than ${CONFIG_BYTES_MAX} bytes`);
  const schema = scope === "file" ? fileSchema : sharedSchema;
  const source: Source = { file, text, lines: new LineCounter() };
  const document = parseDocument(text, { ...QUIET, lineCounter: source.lines });
  const syntax = [...document.errors, ...document.warnings];
  const written = syntax.length === 0 ? plainValue(document) : undefined;
  if (written === undefined) {
    const found = syntax.length === 0 ? [REPEATS_TOO_MUCH] : syntax.map(foundSyntax(text));
    return report(source, document, firstOfEachLine(found, source), keyWords(schema));
  }
  const checked = schema.safeParse(written.value);
  const explanations = [
    ...(checked.success
      ? []
      : checked.error.issues.flatMap((issue) => explainIssue(issue, written.value, schema))),
    ...explainChannels(written.value, scope === "shared"),
  ];
  if (checked.success && explanations.length === 0) return { ok: true, config: checked.data };
  const found = explanations.map((explanation) => ({
    ...explanation,
    offset: offsetOf(document, explanation),
  }));
  return report(source, document, found);
}

/**
 * Nothing of the source in errors or on stderr: it may be secret. A key that is
 * not text would be printed in a warning of the library's own.
 */
const QUIET = { prettyErrors: false, stringKeys: true, logLevel: "error" } as const;

interface Source {
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
}
interface Found {
  readonly offset: number;
  readonly message: string;
  readonly fix: string;
}

const REPEATS_TOO_MUCH: Found = { offset: 0, ...explainSyntax("RESOURCE_EXHAUSTION") };

/** What is missing at the end of the file is missing behind the last thing that stands there. */
const foundSyntax =
  (text: string) =>
  ({ code, pos }: YAMLError): Found => ({
    offset: Math.min(pos[0], Math.max(0, text.trimEnd().length - 1)),
    ...explainSyntax(code),
  });

/** One slip makes yaml complain several times about the same line. */
function firstOfEachLine(found: readonly Found[], { lines }: Source): Found[] {
  const seen = new Set<number>();
  return found.filter(({ offset }) => {
    const { line } = lines.linePos(offset);
    return !seen.has(line) && seen.add(line);
  });
}

const offsetOf = (document: Document, { path, key }: Explanation): number =>
  key === undefined ? offsetOfValue(document, path) : offsetOfKey(document, path, key);

function report(
  { file, text, lines }: Source,
  document: Document,
  found: readonly Found[],
  knownKeys?: ReadonlySet<string>,
): ParsedConfig {
  const inOrder = [...found].sort((a, b) => a.offset - b.offset).slice(0, CONFIG_PROBLEMS_MAX);
  const problems = inOrder.map(({ offset, message, fix }): ConfigProblem => {
    const { line, col } = lines.linePos(offset);
    const excerpt = excerptAt(text, document, offset, knownKeys);
    return { file, line: Math.max(1, line), column: Math.max(1, col), message, fix, excerpt };
  });
  return { ok: false, problems };
}

function refused(file: string, message: string): ParsedConfig {
  const fix = "Write it anew from the example in docs/configuration.md.";
  return { ok: false, problems: [{ file, line: 1, column: 1, message, fix, excerpt: "" }] };
}

/** Sections left empty (`channels:` with every item commented out) count as absent. Undefined: aliases repeat too much. */
function plainValue(document: Document): { readonly value: unknown } | undefined {
  try {
    return { value: withoutEmpty(document.toJS({ maxAliasCount: 100 })) };
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

function withoutEmpty(value: unknown, path = ""): unknown {
  if (path === "" && (value === null || value === undefined)) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).flatMap(([key, below]) => {
    const here = path === "" ? key : `${path}.${key}`;
    if (!CONFIG_SECTIONS.has(here)) return [[key, below]];
    return below === null ? [] : [[key, withoutEmpty(below, here)]];
  });
  return Object.fromEntries(kept);
}
