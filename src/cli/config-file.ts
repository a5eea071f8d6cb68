/** Reads a configuration file for `config check`, `config apply` and `config show`. Loads yaml and the schemas. */
import { type FileHandle, open } from "node:fs/promises";
import { failure, ok, type Result } from "../kit/result.ts";
import { type ConfigScope, parseConfig } from "../wire/config.ts";
import { type ConfigProblem, formatProblems } from "../wire/config-problems.ts";
import { CONFIG_BYTES_MAX, type ConfigDocument } from "../wire/config-schema.ts";
import { type Context, refuse } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

export interface ConfigText {
  readonly text: string;
  /** Permission bits of the file, as `stat` gives them. */
  readonly mode: number;
}

/** Undefined when there is no such file. */
export async function readConfigText(path: string): Promise<Result<ConfigText | undefined>> {
  try {
    const file = await open(path, "r");
    try {
      const { mode } = await file.stat();
      const bytes = await readAtMost(file, CONFIG_BYTES_MAX + 1);
      if (bytes.length > CONFIG_BYTES_MAX) return unusable(path, `is longer than ${CONFIG_BYTES_MAX} bytes`);
      return ok({ text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), mode });
    } finally {
      await file.close();
    }
  } catch (error) {
    return readFailure(path, error);
  }
}

/** Pipes and devices have no size to look at first. */
async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await file.read(buffer, length, limit - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function readFailure(path: string, error: unknown): Result<undefined> {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return ok(undefined);
    case "EACCES":
    case "EPERM":
      return failure("permission-denied", `you may not read ${path}`, "Run the command as root.");
    case "EISDIR":
      return unusable(path, "is a folder");
    case "ERR_ENCODING_INVALID_ENCODED_DATA":
      return unusable(path, "is not UTF-8 text");
    default:
      throw error;
  }
}

const unusable = (path: string, what: string): Result<never> =>
  failure(
    "config-invalid",
    `${path} ${what}`,
    "docs/configuration.md shows what a configuration file looks like.",
  );

export const missing = (path: string): Result<never> =>
  failure(
    "config-invalid",
    `there is no file ${path}`,
    "Name the file, or make it: docs/configuration.md has an example.",
  );

export type Checked =
  | { readonly ok: true; readonly text: string; readonly mode: number; readonly config: ConfigDocument }
  | { readonly ok: false; readonly exit: ExitCode };

/** The file, parsed; or the exit code after its problems were printed. */
export async function checkedConfig(context: Context, path: string, scope: ConfigScope): Promise<Checked> {
  const read = await readConfigText(path);
  const found = read.ok && read.value === undefined ? missing(path) : read;
  if (!found.ok) return { ok: false, exit: refuse(context, found.error) };
  if (found.value === undefined) throw new Error("invariant broken: a missing file was refused above");
  const parsed = parseConfig(found.value.text, path, scope);
  if (!parsed.ok) return { ok: false, exit: refuseProblems(context, path, parsed.problems) };
  return { ok: true, ...found.value, config: parsed.config };
}

function refuseProblems(context: Context, path: string, problems: readonly ConfigProblem[]): ExitCode {
  const message = `${path} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`;
  if (!context.json) {
    context.screen.note(`${formatProblems(problems)}\n`);
    return refuse(context, { code: "config-invalid", message, retry: false });
  }
  const error = { code: "config-invalid", message, remedy: problems[0]?.fix ?? null };
  context.screen.json({ schema: 1, ok: false, file: path, problems, error });
  return EXIT.failed;
}
