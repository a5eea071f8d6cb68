/** `balefire doctor`: what is well, what is not, and what to do about it. */

import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { ask, type Context, present } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Style } from "./screen.ts";
import { wrapped } from "./table.ts";
import { count } from "./words.ts";

const LEVEL_STYLES: Readonly<Record<string, Style>> = { ok: "green", warning: "yellow", failed: "red" };
const LEVEL_WIDTH = 9;

export async function doctor(context: Context): Promise<ExitCode> {
  const result = await ask(context, "doctor", {}, SLOW_CALL_TIMEOUT);
  const { screen } = context;
  return present(
    context,
    result,
    ({ findings }) => {
      const indent = " ".repeat(LEVEL_WIDTH);
      for (const { check, level, finding, remedy } of findings) {
        const [first = "", ...rest] = wrapped(`${check}: ${finding}`, screen.columns, indent);
        const word = screen.paint(LEVEL_STYLES[level] ?? "yellow", level.padEnd(LEVEL_WIDTH));
        screen.line(word + first.slice(LEVEL_WIDTH));
        rest.forEach(screen.line);
        if (remedy !== null)
          wrapped(remedy, screen.columns, `${indent}   `, `${indent}-> `).forEach(screen.line);
      }
      const wrong = findings.filter(({ level }) => level !== "ok").length;
      screen.line();
      screen.line(wrong === 0 ? "All is well." : `${count(wrong, "finding")} to look at.`);
    },
    ({ findings }) => (findings.every(({ level }) => level === "ok") ? EXIT.ok : EXIT.degraded),
  );
}
