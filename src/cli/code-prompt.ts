/** Asking for the recovery code: from a terminal without showing it, else from standard input. Never an argument. */

import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { failure, ok, type Result } from "../kit/result.ts";
import type { Screen } from "./screen.ts";

/** A code has 35 symbols and may be typed with spaces. */
const CODE_CHARS_MAX = 200;

/** A terminal, or what a pipe gives. */
export type CodeInput = Readable & {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
};

/** As it was typed, unchecked. Fails with `usage` when there is none. */
export async function askForCode(
  screen: Screen,
  {
    what = "recovery code",
    input = process.stdin,
  }: { readonly what?: string; readonly input?: CodeInput } = {},
): Promise<Result<string>> {
  const typed = input.isTTY === true ? await typedUnseen(screen, what, input) : await firstLine(input);
  if (typed === undefined) return failure("usage", "nothing was typed: nothing was done");
  if (typed.length > CODE_CHARS_MAX) return failure("usage", `the ${what} is longer than any code`);
  if (typed.trim() !== "") return ok(typed.trim());
  const remedy = "Type it at the prompt, or send it to standard input; never write it into the command.";
  return failure("usage", `there is no ${what}`, remedy);
}

async function firstLine(input: Readable): Promise<string> {
  const decoder = new StringDecoder("utf8");
  let text = "";
  for await (const chunk of input) {
    text += typeof chunk === "string" ? chunk : decoder.write(chunk as Buffer);
    if (text.includes("\n") || text.length > CODE_CHARS_MAX) break;
  }
  return text.split("\n")[0] ?? "";
}

const ENTER = new Set(["\r", "\n"]);
const RUB_OUT = new Set(["\u007f", "\b"]);
/** Control-C and control-D. */
const GIVE_UP = new Set(["\u0003", "\u0004"]);

/** Undefined when the person gave up. */
function typedUnseen(screen: Screen, what: string, input: CodeInput): Promise<string | undefined> {
  // First, lest the terminal shows what is typed as soon as the question is read.
  input.setRawMode?.(true);
  screen.note(`Type the ${what}, which is not shown, and Enter:`);
  const decoder = new StringDecoder("utf8");
  return new Promise((resolve) => {
    let line: TypedLine = { typed: "", state: "typing" };
    const end = (): void => {
      input.off("data", take);
      input.off("end", end);
      input.setRawMode?.(false);
      input.pause();
      resolve(line.state === "entered" ? line.typed : undefined);
    };
    const take = (chunk: Buffer): void => {
      line = [...decoder.write(chunk)].reduce(withKey, line);
      if (line.state !== "typing") end();
    };
    input.on("data", take);
    input.on("end", end);
    input.resume();
  });
}

interface TypedLine {
  readonly typed: string;
  readonly state: "typing" | "entered" | "given-up";
}

function withKey(line: TypedLine, key: string): TypedLine {
  if (line.state !== "typing") return line;
  if (GIVE_UP.has(key)) return { typed: "", state: "given-up" };
  if (ENTER.has(key)) return { ...line, state: "entered" };
  if (RUB_OUT.has(key)) return { ...line, typed: line.typed.slice(0, -1) };
  const typed = line.typed + key;
  return { typed, state: typed.length > CODE_CHARS_MAX ? "entered" : "typing" };
}
