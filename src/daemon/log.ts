/** Lines for the journal, or for a terminal. Never a secret: callers pass sentences, not settings. */
import type { LogLevel } from "../wire/config-settings.ts";

/** Priorities of sd-daemon(3): systemd reads `<N>` in front of a line. */
const PRIORITY: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };
const LINE_CHARS_MAX = 2000;

export interface Log {
  level: LogLevel;
  error(line: string): void;
  warning(line: string): void;
  info(line: string): void;
  debug(line: string): void;
}

export function createLog(
  env: Readonly<Record<string, string | undefined>>,
  out: NodeJS.WritableStream,
): Log {
  const forJournal = env.JOURNAL_STREAM !== undefined;
  const write = (level: LogLevel, line: string): void => {
    if (PRIORITY[level] > PRIORITY[log.level]) return;
    const text = line.replace(/\s*\n\s*/g, "; ").slice(0, LINE_CHARS_MAX);
    const prefix = forJournal ? `<${PRIORITY[level]}>` : `${new Date().toISOString()} ${level}: `;
    out.write(`${prefix}${text}\n`);
  };
  const log: Log = {
    level: "info",
    error: (line) => write("error", line),
    warning: (line) => write("warning", line),
    info: (line) => write("info", line),
    debug: (line) => write("debug", line),
  };
  return log;
}
