/** `balefire silence …`: messages that people do not want for a while, whatever they are about. */
import type { SilenceReport } from "../wire/rpc.ts";
import { type MuteOptions, parseMute } from "./arguments.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { callingUser, muteCells, untilWords } from "./mute-words.ts";
import { table, wrapped } from "./table.ts";

/** `words`: one matcher, or its parts. */
export async function silenceAdd(
  context: Context,
  words: readonly string[],
  given: MuteOptions,
): Promise<ExitCode> {
  const wish = parseMute(given);
  if (!wish.ok) return refuse(context, wish.error);
  const user = callingUser(context.env);
  const result = await ask(context, "silence-add", { matcher: words.join(","), user, ...wish.value });
  const { screen } = context;
  return present(context, result, ({ silence }) => {
    const until = untilWords(silence, `balefire silence remove ${silence.id}`, Date.now());
    const said = `Silence ${silence.id}: ${spelledOut(silence)} are held back ${until}. What is still wrong then is told then.`;
    wrapped(said, screen.columns).forEach(screen.line);
  });
}

export async function silenceList(context: Context): Promise<ExitCode> {
  const result = await ask(context, "silence-list", {});
  const { screen } = context;
  return present(context, result, ({ silences }) => {
    const now = Date.now();
    const rows = silences.map((silence) => [silence.id, asTyped(silence), ...muteCells(silence, now)]);
    if (rows.length === 0) screen.line("No silences.");
    else table(screen, ["ID", "WHAT", "FOR ANOTHER", "BY", "WHY"], rows).forEach(screen.line);
  });
}

export async function silenceRemove(context: Context, id: string): Promise<ExitCode> {
  const result = await ask(context, "silence-remove", { id, user: callingUser(context.env) });
  const { screen } = context;
  return present(context, result, (report) => {
    screen.line(
      report.removed
        ? `Silence ${report.id} is removed: what it held back and is still wrong is told.`
        : `Silence ${report.id} had ended already.`,
    );
  });
}

function asTyped({ matcher }: SilenceReport): string {
  const parts = Object.entries(matcher).flatMap(([key, value]) =>
    value === null ? [] : [`${key}=${value}`],
  );
  return parts.length === 0 ? "all" : parts.join(",");
}

function spelledOut({ matcher: { node, kind, severity } }: SilenceReport): string {
  const parts = [
    ...(node === null ? [] : [` about ${node}`]),
    ...(kind === null ? [] : [` of kind ${kind}`]),
    ...(severity === null ? [] : [` of severity ${severity}${severity === "info" ? "" : " and milder"}`]),
  ];
  return parts.length === 0 ? "all messages" : `messages${parts.join(",")}`;
}
