/** Where a command prints: lines for people, one JSON document a line for programs. */
import { styleText } from "node:util";

/** As much of a stream as printing needs. */
export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

export interface Screen {
  /** For results. */
  line(text?: string): void;
  /** One document, one line. */
  json(document: object): void;
  /** For progress and refusals: stderr. */
  note(text: string): void;
  paint(style: Style, text: string): string;
  readonly columns: number;
  /** Whether a person sees it as it is printed. */
  readonly terminal: boolean;
  /** Empties the terminal before the next picture. */
  clear(): void;
}

/** Of a page, a pipe, or a terminal that does not say. */
export const COLUMNS_DEFAULT: number = 80;
const COLUMNS_LEAST = 40;

export function createScreen(out: Stream, err: Stream, env: NodeJS.ProcessEnv): Screen {
  const colour = wantsColour(out, env);
  return {
    line: (text = "") => void out.write(`${text}\n`),
    json: (document) => void out.write(`${JSON.stringify(document)}\n`),
    note: (text) => void err.write(`${text}\n`),
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
    columns: out.isTTY === true ? Math.max(COLUMNS_LEAST, out.columns ?? COLUMNS_DEFAULT) : COLUMNS_DEFAULT,
    terminal: out.isTTY === true,
    // ECMA-48: cursor home, erase to the end of the display.
    clear: () => void out.write("\u001b[H\u001b[J"),
  };
}

/** https://no-color.org and https://force-color.org; a set FORCE_COLOR is the more explicit wish. */
export function wantsColour(out: Stream, env: NodeJS.ProcessEnv): boolean {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  return out.isTTY === true && env.TERM !== "dumb";
}

/**
 * Makes text from elsewhere safe for a terminal: control characters (C0 but the
 * newline, DEL, C1) and bidirectional overrides could move the cursor or hide what is said.
 */
export const harmless = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes.
  text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "?");

/** The same for every text within a report. */
export function harmlessReport<T>(report: T): T {
  if (typeof report === "string") return harmless(report) as T;
  if (Array.isArray(report)) return report.map(harmlessReport) as T;
  if (typeof report !== "object" || report === null) return report;
  return Object.fromEntries(Object.entries(report).map(([key, value]) => [key, harmlessReport(value)])) as T;
}
