/** Parses a configuration file for `config check`, `config apply` and `config show`. Loads yaml and the schemas. */
import { failure, type Result } from "../kit/result.ts";
import { type ConfigScope, parseConfig } from "../wire/config.ts";
import { type ConfigProblem, formatProblems } from "../wire/config-problems.ts";
import type { ConfigDocument } from "../wire/config-schema.ts";
import { type Context, refuse } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

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
  const read = await context.operations.readConfigText(path);
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
