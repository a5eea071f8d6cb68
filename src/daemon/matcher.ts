/**
 * What a silence speaks of, as a person writes it: `node=pve*`, `kind=link-problem`,
 * `severity=warning` (this and milder), joined by commas; or `all`.
 */
import { INCIDENT_KINDS, type Matcher } from "../core/ledger-records.ts";
import { SEVERITIES } from "../core/types.ts";
import { globFits } from "../kit/glob.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { nearest } from "../wire/config-nearest.ts";

/** A test message is always told: it is there to be seen. */
const KINDS: readonly string[] = INCIDENT_KINDS.filter((kind) => kind !== "test");
const KEYS = ["node", "kind", "severity"] as const;
type Key = (typeof KEYS)[number];
const GRAMMAR = "Write `all`, or node=pve*, kind=link-problem, severity=warning, joined by commas.";

/** Fails with `usage`, naming what is known. `members`: the names that a node's pattern may fit. */
export function parseMatcher(text: string, members: readonly string[]): Result<Matcher> {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length === 1 && parts[0] === "all") return ok({});
  const found: Partial<Record<Key, string>> = {};
  for (const part of parts) {
    const [key, value, ...rest] = part.split("=");
    if (value === undefined || value === "" || rest.length > 0 || !isKey(key))
      return failure("usage", `"${part}" says nothing that a silence understands`, GRAMMAR);
    if (found[key] !== undefined) return failure("usage", `${key} is given twice`, GRAMMAR);
    const wrong = complaintOf(key, value, members);
    if (wrong !== undefined) return wrong;
    found[key] = value;
  }
  // Each value was found among the known ones.
  return ok(found as Matcher);
}

const isKey = (word: string | undefined): word is Key =>
  (KEYS as readonly (string | undefined)[]).includes(word);

function complaintOf(key: Key, value: string, members: readonly string[]): Result<never> | undefined {
  switch (key) {
    case "node": {
      if (members.some((name) => globFits(value, name))) return undefined;
      return failure("usage", `${value} fits no node`, `There are: ${members.join(", ")}.`);
    }
    case "kind":
      return oneOf("kind of incident", value, KINDS);
    case "severity":
      return oneOf("severity", value, SEVERITIES);
  }
}

function oneOf(what: string, value: string, known: readonly string[]): Result<never> | undefined {
  if (known.includes(value)) return undefined;
  const candidate = nearest(value, known);
  const guess = candidate === undefined ? "" : `Did you mean ${candidate}? `;
  return failure("usage", `${value} is no ${what}`, `${guess}There are: ${known.join(", ")}.`);
}
