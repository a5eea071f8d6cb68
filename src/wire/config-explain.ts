/** Turns what zod and yaml find wrong into sentences with a fix. Values are quoted only where they may be shown. */
import * as z from "zod";
import { nearest } from "./config-nearest.ts";
import { type ConfigPath, keyMayBeShown, MASK, valueMayBeShown } from "./config-secrecy.ts";
import { SETTING_KEYS } from "./config-settings.ts";

export interface Explanation {
  readonly path: ConfigPath;
  /** Set when the problem is this key of the map at `path`, not its value. */
  readonly key?: string;
  readonly message: string;
  readonly fix: string;
}

type Issue = z.core.$ZodIssue;

/** One issue may name several unknown keys: each is a problem of its own. */
export function explainIssue(issue: Issue, root: unknown, schema: z.ZodType): Explanation[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => explainUnknownKey(path, key, schema, root));
  }
  const within = issue.code === "invalid_union" ? issuesOfMap(issue, valueAt(root, path)) : [];
  if (within.length > 0) {
    return within.flatMap((below) =>
      explainIssue({ ...below, path: [...issue.path, ...below.path] }, root, schema),
    );
  }
  return [{ path, ...explainValue(issue, path, valueAt(root, path)) }];
}

/** Of a word or a map, a map was written: what is wrong within it says more than that neither fits. */
function issuesOfMap({ errors }: z.core.$ZodIssueInvalidUnion, value: unknown): readonly Issue[] {
  if (typeof value !== "object" || value === null) return [];
  return errors.find((issues) => !issues.some(({ code, path }) => path.length === 0 && isOfKind(code))) ?? [];
}
const isOfKind = (code: string | undefined): boolean => code === "invalid_type" || code === "invalid_value";

function explainUnknownKey(path: ConfigPath, key: string, schema: z.ZodType, root: unknown): Explanation {
  const known = knownKeys(schema, path, root);
  const candidate = nearest(key, known);
  const name = keyMayBeShown(path, key) ? `"${key}"` : "this";
  const where = path.length === 0 ? "" : ` of ${pathText(path)}`;
  const fix = isOwn([...path, key].join("."))
    ? "Leave it out: it belongs to one node; set it in that node's own file."
    : candidate === undefined
      ? `Remove it; known keys here: ${known.join(", ")}.`
      : `Did you mean ${candidate}?`;
  return { path, key, message: `${name} is not a known key${where}`, fix };
}

/** Only a shared document does not know a setting's key. */
const isOwn = (dotted: string): boolean =>
  SETTING_KEYS.some((key) => key === dotted || key.startsWith(`${dotted}.`));

function explainValue(issue: Issue, path: ConfigPath, value: unknown): { message: string; fix: string } {
  const where = path.length === 0 ? "the file" : pathText(path);
  if (value === undefined && issue.code !== "custom") {
    return { message: `${where} is missing`, fix: `Add ${example(path)}` };
  }
  switch (issue.code) {
    case "invalid_type": {
      const [expected, fix] = EXPECTED[issue.expected] ?? [issue.expected, "Change its type."];
      return { message: `${where} must be ${expected}, not ${kindOf(value)}`, fix };
    }
    case "invalid_value":
      return explainChoice(path, where, value, issue.values.map(String));
    case "invalid_union": {
      const { options } = issue as { readonly options?: readonly unknown[] };
      if (options === undefined) {
        const fix = "Write `off`, or its settings as `key: value` lines, indented below it.";
        return { message: `${where} must be off or a map, not ${kindOf(value)}`, fix };
      }
      return explainChoice(path, where, value, options.map(String));
    }
    case "too_small":
      return {
        message: `${where} is too short`,
        fix: `Give it ${issue.minimum} ${unitOf(issue.origin)} or more.`,
      };
    case "too_big":
      return {
        message: `${where} is too long`,
        fix: `Keep it to ${issue.maximum} ${unitOf(issue.origin)} at most.`,
      };
    default: {
      const fix = issue.code === "custom" ? issue.params?.fix : undefined;
      return {
        message: `${where}: ${issue.message}`,
        fix: typeof fix === "string" ? fix : `Write ${example(path)}`,
      };
    }
  }
}

function explainChoice(
  path: ConfigPath,
  where: string,
  value: unknown,
  choices: readonly string[],
): { message: string; fix: string } {
  const candidate = typeof value === "string" ? nearest(value, choices) : undefined;
  // Text of several words may have swallowed the next line.
  const oneWord = typeof value === "string" && !value.includes(" ");
  const shown = oneWord && valueMayBeShown(path, value) ? `"${value}" ` : "";
  return {
    message: `${where}: ${shown}is not one of ${choices.join(", ")}`,
    fix: candidate === undefined ? `Write one of ${choices.join(", ")}.` : `Did you mean ${candidate}?`,
  };
}

const EXPECTED: Readonly<Record<string, readonly [string, string]>> = {
  object: ["a map", "Write its settings as `key: value` lines, indented below it."],
  record: ["a map", "Write its settings as `key: value` lines, indented below it."],
  array: ["a list", "Begin each item with `- `."],
  string: ["text", "Put it into quotes, to make it text."],
  number: ["a number", "Write a plain number, without quotes."],
  boolean: ["true or false", "Write true or false, without quotes."],
};

const unitOf = (origin: string): string =>
  origin === "array" ? "items" : origin === "string" ? "characters" : "";

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}

/** What a good line looks like; the last part of the path names the setting. */
function example(path: ConfigPath): string {
  const key = String(path.at(-1));
  const value = EXAMPLES[key];
  return value === undefined ? "a value as docs/configuration.md describes it." : `${key}: ${value}`;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  name: "phone",
  type: "webhook",
  url: "https://ntfy.example/topic",
  secret: "a random text of 8 characters or more",
  secretFile: "/etc/balefire/phone.secret",
  timeout: "10s",
  contentType: "text/plain",
  template: '"{{title}}: {{text}}"',
  every: "60s",
  room: '"!abc:example.org"',
  routingKey: "a service's integration key",
  urls: "[http://alertmanager.example:9093]",
  from: '"22:00"',
  to: '"07:00"',
  timezone: "Europe/Berlin",
};

/** `channels[0].url`, as people point at it; a key that may not be shown is masked. */
export function pathText(path: ConfigPath): string {
  return path.reduce<string>((text, part, depth) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const name = keyMayBeShown(path.slice(0, depth), part) ? part : MASK;
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** As much of JSON Schema (draft 2020-12) as zod's own rendering of our schemas uses. */
interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly additionalProperties?: boolean | JsonSchema;
}

const renderings = new WeakMap<z.ZodType, JsonSchema>();

function rendered(schema: z.ZodType): JsonSchema {
  const held = renderings.get(schema);
  if (held !== undefined) return held;
  const made = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  renderings.set(schema, made);
  return made;
}

/** The keys a schema allows in the map at `path`; of several variants, those of the one whose `type` is given. */
function knownKeys(schema: z.ZodType, path: ConfigPath, root: unknown): string[] {
  let variants: readonly JsonSchema[] = [rendered(schema)];
  path.forEach((part) => {
    variants = variants.flatMap((variant) =>
      variantsOf(typeof part === "number" ? variant.items : (variant.properties?.[part] ?? anyOf(variant))),
    );
  });
  const type = valueAt(root, [...path, "type"]);
  const fitting = variants.filter((variant) => variant.properties?.type?.const === type);
  const chosen = fitting.length > 0 ? fitting : variants;
  return [...new Set(chosen.flatMap((variant) => Object.keys(variant.properties ?? {})))];
}

/** What every member of a map by name is. */
const anyOf = ({ additionalProperties: any }: JsonSchema): JsonSchema | undefined =>
  typeof any === "object" ? any : undefined;

const variantsOf = (schema: JsonSchema | undefined): readonly JsonSchema[] =>
  schema === undefined ? [] : (schema.oneOf ?? schema.anyOf ?? [schema]);

/** The last parts of all keys a schema knows. */
export const keyWords = (schema: z.ZodType): ReadonlySet<string> =>
  new Set(allKeys(schema).map((key) => key.slice(key.lastIndexOf(".") + 1)));

/** Every key a schema knows, dotted, list items as `[]`, names as `NAME`: what docs/configuration.md must explain. */
export function allKeys(schema: z.ZodType): string[] {
  return [...new Set(keysBelow(rendered(schema), ""))];
}

function keysBelow(schema: JsonSchema, prefix: string): string[] {
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants !== undefined) return variants.flatMap((variant) => keysBelow(variant, prefix));
  if (schema.items !== undefined) return keysBelow(schema.items, `${prefix}[]`);
  const byName = anyOf(schema);
  const named = byName === undefined ? [] : keysBelow(byName, `${prefix}.NAME`);
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, below]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    return [path, ...keysBelow(below, path)];
  });
  return [...own, ...named];
}
