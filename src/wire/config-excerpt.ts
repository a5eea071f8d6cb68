/** The source line of a problem with a caret below it, and nothing in it that may be secret. */
import { type Document, isMap, isScalar, isSeq } from "yaml";
import { keyText } from "./config-locate.ts";
import { type ConfigPath, keyMayBeShown, MASK, valueMayBeShown } from "./config-secrecy.ts";

/** Wider lines are cut around the caret, so that an excerpt fits a terminal. */
const EXCERPT_CHARS_MAX = 72;

interface Range {
  readonly from: number;
  readonly to: number;
}
/** What a document says about its characters: shown, masked; those in neither are white space, signs or comments. */
interface Visibility {
  readonly text: string;
  readonly keyShown: (parent: ConfigPath, key: string) => boolean;
  readonly shown: Range[];
  readonly hidden: Range[];
  /** Shown, whatever else covers it. */
  first?: Range;
}

/**
 * `offset` is where the caret goes. In a document with syntax errors anything may
 * have become a key, a secret too: give the words that are certainly keys as `knownKeys`.
 */
export function excerptAt(
  text: string,
  document: Document,
  offset: number,
  knownKeys?: ReadonlySet<string>,
): string {
  const from = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  const to = end === -1 ? text.length : end;
  const keyShown = (parent: ConfigPath, key: string): boolean =>
    knownKeys === undefined ? keyMayBeShown(parent, key) : knownKeys.has(key);
  const visibility: Visibility = { text, keyShown, shown: [], hidden: [] };
  survey(document.contents, [], visibility);
  const key = knownKeys === undefined ? undefined : leadingKey(text.slice(from, to), knownKeys);
  // First, so that it is seen although yaml took it for a part of something else.
  if (key !== undefined) visibility.first = { from, to: from + key.length };
  const { line, caret } = readable(text, { from, to }, visibility, offset);
  return cut(line, caret);
}

/** The line up to the colon of a known key that begins it, as a person sees the line. */
function leadingKey(line: string, knownKeys: ReadonlySet<string>): string | undefined {
  const [start, word] = /^[ \t]*(?:- +)*([A-Za-z]+): ?/.exec(line) ?? [];
  return word !== undefined && knownKeys.has(word) ? start : undefined;
}

function survey(node: unknown, path: ConfigPath, found: Visibility): void {
  if (isMap(node)) {
    for (const pair of node.items) {
      const key = keyText(pair);
      if (key !== undefined && isScalar(pair.key) && pair.key.range) {
        place(found, pair.key.range, found.keyShown(path, key));
      } else {
        survey(pair.key, [...path, MASK], found);
      }
      survey(pair.value, [...path, key ?? MASK], found);
    }
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => {
      survey(item, [...path, index], found);
    });
  } else if (isScalar(node) && node.range) {
    place(found, node.range, valueMayBeShown(path, String(node.value)));
  }
}

function place(found: Visibility, range: readonly [number, number, number], show: boolean): void {
  const [from, to] = range;
  // Text that runs on over lines has swallowed something that was meant to be a setting of its own.
  const whole = !found.text.slice(from, to).includes("\n");
  (show && whole ? found.shown : found.hidden).push({ from, to });
}

/** The line with each hidden stretch as one mask, and where the caret falls in it. */
function readable(
  text: string,
  line: Range,
  visibility: Visibility,
  offset: number,
): { readonly line: string; readonly caret: number } {
  let out = "";
  let caret: number | undefined;
  let position = line.from;
  while (position < line.to) {
    const stretch = stretchAt(text, position, line.to, visibility);
    if (stretch === undefined) break;
    if (caret === undefined && offset < stretch.to) {
      caret = out.length + Math.min(offset - position, stretch.as.length - 1);
    }
    out += stretch.as;
    position = stretch.to;
  }
  return { line: out.trimEnd(), caret: caret ?? out.trimEnd().length };
}

/** The next stretch of a line and what is printed for it; undefined where a comment begins. */
function stretchAt(
  text: string,
  position: number,
  end: number,
  { first, shown, hidden }: Visibility,
): { readonly to: number; readonly as: string } | undefined {
  const inside = (range: Range): boolean => range.from <= position && position < range.to;
  if (first !== undefined && inside(first)) return { to: first.to, as: text.slice(position, first.to) };
  const masked = hidden.find(inside);
  if (masked !== undefined) return { to: Math.min(masked.to, end), as: MASK };
  const visible = shown.find(inside);
  if (visible !== undefined) {
    const to = Math.min(visible.to, end);
    return { to, as: text.slice(position, to) };
  }
  const starts = [...shown, ...hidden].map((range) => range.from).filter((from) => from > position);
  const limit = Math.min(end, ...starts);
  const [word = ""] = /^(\s|\S+)/.exec(text.slice(position, limit)) ?? [];
  if (word.startsWith("#")) return undefined;
  const to = position + Math.max(1, word.length);
  if (word.trim() === "") return { to, as: " " };
  return { to, as: /^[-:,?[\]{}"'|>]+$/.test(word) ? word : MASK };
}

function cut(line: string, caret: number): string {
  const from = Math.max(0, Math.min(caret - EXCERPT_CHARS_MAX / 2, line.length - EXCERPT_CHARS_MAX));
  const part = line.slice(from, from + EXCERPT_CHARS_MAX);
  return `${part}\n${" ".repeat(caret - from)}^`;
}
