/**
 * YAML's own complaints in our words: the library's sentences quote the source,
 * which may be a secret.
 */
import type { ErrorCode } from "yaml";

const UNKNOWN_SYNTAX: readonly [string, string] = [
  "this is not valid YAML",
  "Check indentation, colons and quotes near here.",
];

const SYNTAX: { readonly [code in ErrorCode]?: readonly [string, string] } = {
  BAD_ALIAS: [
    "this alias refers to no anchor",
    "Define the anchor before it is used, or write the value out.",
  ],
  BAD_DQ_ESCAPE: [
    "this escape is not known in double quotes",
    "Use single quotes, or double each backslash.",
  ],
  BAD_INDENT: ["the indentation does not fit", "Indent it like its neighbours, two spaces a level."],
  BAD_SCALAR_START: ["text cannot begin with this character", "Put the text into quotes."],
  BLOCK_AS_IMPLICIT_KEY: [
    "a second `key:` stands where a value is expected",
    "Put it on its own line, or put text that holds `: ` into quotes.",
  ],
  BLOCK_IN_FLOW: [
    "lines with `- ` or indentation cannot stand within [ ] or { }",
    "Use one of the two styles.",
  ],
  DUPLICATE_KEY: ["this key is given twice", "Keep one of the two."],
  MISSING_CHAR: [
    "a colon, comma, quote or bracket is missing",
    "Add it: `key: value` needs a colon and a space; what is opened must be closed.",
  ],
  MULTILINE_IMPLICIT_KEY: [
    "this line has no `key:` of its own",
    "Put a colon and a space behind the key, or quotes around text of several lines.",
  ],
  MULTIPLE_DOCS: ["a second document begins here", "Remove the line `---`: one file holds one document."],
  NON_STRING_KEY: ["a key must be a plain word", "Put text that holds { }, [ ] or * into quotes."],
  RESOURCE_EXHAUSTION: [
    "this is nested too deeply, or repeats too much",
    "Write it flat, and without aliases.",
  ],
  TAB_AS_INDENT: ["a tab is used as indentation", "Indent with spaces."],
  TAG_RESOLVE_FAILED: [
    "tags are not used here",
    "Remove the word that begins with `!`, or put it into quotes.",
  ],
};

export function explainSyntax(code: ErrorCode): { readonly message: string; readonly fix: string } {
  const [message, fix] = SYNTAX[code] ?? UNKNOWN_SYNTAX;
  return { message, fix };
}
