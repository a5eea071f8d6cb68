/** Expressions of lm-sensors' `compute` statements (sensors.conf(5), COMPUTE STATEMENT). */

export type Expression =
  | { readonly op: "number"; readonly value: number }
  /** `@`: what the driver says. */
  | { readonly op: "raw" }
  /** Another file of the chip: `in0_ref`. */
  | { readonly op: "name"; readonly name: string }
  | { readonly op: "+" | "-" | "*" | "/"; readonly left: Expression; readonly right: Expression }
  | { readonly op: "negate" | "exp" | "log"; readonly of: Expression };

const TOKEN = /\s*([@()+\-*/^`,]|\d+\.?\d*|\.\d+|[A-Za-z_][A-Za-z0-9_]*)/y;
const NESTING_MAX = 64;

/** The expression before the comma: how to show a value. The one behind it is for writing. Undefined when it is none. */
export function parseCompute(text: string): Expression | undefined {
  const tokens = tokensOf(text);
  if (tokens === undefined) return undefined;
  const reader = { tokens, at: 0 };
  const shown = sum(reader, 0);
  if (shown === undefined || reader.tokens[reader.at] !== ",") return undefined;
  reader.at += 1;
  const written = sum(reader, 0);
  return written === undefined || reader.at !== tokens.length ? undefined : shown;
}

function tokensOf(text: string): readonly string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    tokens.push(found[1] ?? "");
    end = TOKEN.lastIndex;
  }
  return text.slice(end).trim() === "" ? tokens : undefined;
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

const sum = (reader: Reader, depth: number): Expression | undefined =>
  chain(reader, ["+", "-"], () => product(reader, depth));
const product = (reader: Reader, depth: number): Expression | undefined =>
  chain(reader, ["*", "/"], () => single(reader, depth + 1));

function chain(
  reader: Reader,
  operators: readonly string[],
  operand: () => Expression | undefined,
): Expression | undefined {
  let left = operand();
  for (;;) {
    const op = reader.tokens[reader.at];
    if (left === undefined || op === undefined || !operators.includes(op)) return left;
    reader.at += 1;
    const right = operand();
    left = right === undefined ? undefined : { op: op as "+" | "-" | "*" | "/", left, right };
  }
}

const PREFIXES: Readonly<Record<string, "negate" | "exp" | "log">> = {
  "-": "negate",
  "^": "exp",
  "`": "log",
};

function single(reader: Reader, depth: number): Expression | undefined {
  const token = reader.tokens[reader.at];
  if (token === undefined || depth > NESTING_MAX) return undefined;
  reader.at += 1;
  const prefix = PREFIXES[token];
  if (prefix !== undefined) {
    const of = single(reader, depth + 1);
    return of === undefined ? undefined : { op: prefix, of };
  }
  if (token === "@") return { op: "raw" };
  if (token === "(") {
    const inner = sum(reader, depth + 1);
    reader.at += 1;
    return reader.tokens[reader.at - 1] === ")" ? inner : undefined;
  }
  if (/^[\d.]/.test(token)) return { op: "number", value: Number(token) };
  return /^[A-Za-z_]/.test(token) ? { op: "name", name: token } : undefined;
}

/** Undefined when it cannot be worked out: a file that cannot be read, a division by zero. */
export function evaluate(
  expression: Expression,
  raw: number,
  another: (file: string) => number | undefined,
): number | undefined {
  switch (expression.op) {
    case "number":
      return expression.value;
    case "raw":
      return raw;
    case "name":
      return another(expression.name);
    case "negate":
    case "exp":
    case "log":
      return unary(expression.op, evaluate(expression.of, raw, another));
    default: {
      const left = evaluate(expression.left, raw, another);
      const right = left === undefined ? undefined : evaluate(expression.right, raw, another);
      return left === undefined || right === undefined ? undefined : binary(expression.op, left, right);
    }
  }
}

function unary(op: "negate" | "exp" | "log", value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (op === "negate") return -value;
  if (op === "exp") return Math.exp(value);
  return value < 0 ? undefined : Math.log(value);
}

function binary(op: "+" | "-" | "*" | "/", left: number, right: number): number | undefined {
  if (op === "+") return left + right;
  if (op === "-") return left - right;
  if (op === "*") return left * right;
  return right === 0 ? undefined : left / right;
}
