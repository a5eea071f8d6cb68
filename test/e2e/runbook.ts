/** The commands of docs/runbooks, as their text has them: what tests run is what people are told to type. */
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../docs/runbooks/", import.meta.url);

/** Their names, as `stolen-host`. */
export const RUNBOOKS: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".md"))
  .map((file) => file.slice(0, -".md".length))
  .sort();

const textOf = (runbook: string): string => readFileSync(new URL(`${runbook}.md`, FOLDER), "utf8");

/** The lines of its blocks: what a person copies. */
export const blockLines = (runbook: string): readonly string[] =>
  [...textOf(runbook).matchAll(/^ {4}(\S.*)$/gm)].map(([, line = ""]) => line);

/** What its sentences say to run, which may be broken over two lines. */
const linesInSentences = (runbook: string): readonly string[] =>
  [...textOf(runbook).matchAll(/`(balefire [^`]+)`/g)].map(([, line = ""]) => line.replaceAll(/\s+/g, " "));

/** Every command of Balefire in it, each once. */
export const balefireLines = (runbook: string): readonly string[] => [
  ...new Set([
    ...blockLines(runbook).filter((line) => line.startsWith("balefire ")),
    ...linesInSentences(runbook),
  ]),
];

/** A line's words, without the program's name; `names` stand in for those of the example. */
export function wordsOf(line: string, names: Readonly<Record<string, string>> = {}): readonly string[] {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  return words.slice(1).map((word) => names[word] ?? word);
}

/**
 * The words of the command of this runbook that is this, or else begins with this. Throws when it has none:
 * its text and the tests have parted.
 */
export function runbookCommand(
  runbook: string,
  beginning: string,
  names: Readonly<Record<string, string>> = {},
): readonly string[] {
  const lines = balefireLines(runbook);
  const line =
    lines.find((each) => each === `balefire ${beginning}`) ??
    lines.find((each) => each.startsWith(`balefire ${beginning} `));
  if (line === undefined) throw new Error(`docs/runbooks/${runbook}.md has no command ${beginning}`);
  return wordsOf(line, names);
}
