/** `balefire inbox`: the messages of the built-in channel. */
import { ask, type Context, present } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { wrapped } from "./table.ts";
import { localTime } from "./words.ts";

export async function inbox(context: Context): Promise<ExitCode> {
  const result = await ask(context, "inbox", {});
  const { screen } = context;
  return present(context, result, ({ messages }) => {
    if (messages.length === 0) screen.line("No messages.");
    messages.forEach((message, index) => {
      if (index > 0) screen.line();
      const heading = `${localTime(message.at)}  ${message.title}`;
      for (const line of wrapped(heading, screen.columns, "  ", "")) screen.line(screen.paint("bold", line));
      for (const line of wrapped(message.text, screen.columns, "  ")) screen.line(line.trimEnd());
      screen.line(screen.paint("dim", `  told by ${message.by}`));
    });
  });
}
