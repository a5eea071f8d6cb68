/** `balefire status --watch`: redraws on a terminal; elsewhere prints each event as a line. */
import type { StatusReport, WatchEvent } from "../wire/rpc.ts";
import { watch } from "./client.ts";
import { ask, type Context, refuse } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { harmlessReport } from "./screen.ts";
import { statusLines } from "./status.ts";
import { wrapped } from "./table.ts";
import { localTime } from "./words.ts";

/** Ages and round trips change without an event. */
const REDRAW_MS = 1000;
/** Shown below the picture. */
const EVENTS_SHOWN = 8;

/** Until `signal` aborts (Ctrl-C), or the daemon goes. */
export async function statusWatch(context: Context, signal: AbortSignal): Promise<ExitCode> {
  const drawing = context.screen.terminal && !context.json;
  return drawing ? redraw(context, signal) : printEvents(context, signal);
}

async function printEvents(context: Context, signal: AbortSignal): Promise<ExitCode> {
  const { screen, json } = context;
  const show = (event: WatchEvent): void => (json ? screen.json(event) : screen.line(eventLine(event)));
  const ended = await watch(context.socketPath, show, signal);
  return ended.ok ? EXIT.ok : refuse(context, ended.error);
}

async function redraw(context: Context, signal: AbortSignal): Promise<ExitCode> {
  const { screen } = context;
  const recent: string[] = [];
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  let drawnAgain: Promise<unknown> = Promise.resolve();

  const draw = async (): Promise<void> => {
    const result = await ask(context, "status", {});
    if (until.aborted || !result.ok) return;
    const report: StatusReport = harmlessReport(result.value);
    screen.clear();
    statusLines(screen, report).forEach(screen.line);
    if (recent.length > 0) ["", ...recent].forEach(screen.line);
  };
  const drawLater = (): void => {
    drawnAgain = drawnAgain.then(draw);
  };
  const remember = (event: WatchEvent): void => {
    recent.push(...wrapped(eventLine(event), screen.columns, "  ", ""));
    recent.splice(0, Math.max(0, recent.length - EVENTS_SHOWN));
    drawLater();
  };

  drawLater();
  const timer = setInterval(drawLater, REDRAW_MS);
  const ended = await watch(context.socketPath, remember, until);
  clearInterval(timer);
  stop.abort();
  await drawnAgain;
  return ended.ok ? EXIT.ok : refuse(context, ended.error);
}

/** `02:13:07 verdict: …`, the details in the words that the event itself brings. */
export function eventLine(event: WatchEvent): string {
  const { at, event: kind, ...rest } = harmlessReport(event);
  const time = localTime(at).slice(-8);
  const text = (key: string): string => String(rest[key] ?? "");
  switch (kind) {
    case "verdict":
      return `${time} ${text("name")}: ${text("from")} -> ${text("to")}${bracketed(text("why"))}`;
    case "incident":
      return `${time} incident ${text("phase")}: ${text("name")} (${text("kind")})`;
    case "message":
      return `${time} message ${text("outcome")} by ${text("channel")}: ${text("title")}${bracketed(text("detail"))}`;
    case "isolated":
      return `${time} ${rest.isolated === true ? "cut off" : "connected again"}${bracketed(text("detail"))}`;
    case "mute":
      return `${time} ${text("purpose")} ${text("phase")}: ${text("about")}${bracketed(muteWords(rest))}`;
    case "warning":
      return `${time} warning: ${text("text")}`;
    default:
      return `${time} ${String(kind)}`;
  }
}

/** Who set or lifted it and why; until when, while it holds. */
function muteWords({ phase, by, why, until }: Readonly<Record<string, unknown>>): string {
  const holds = phase === "begun" || phase === "changed";
  const end = holds && typeof until === "string" ? `until ${localTime(until)}` : "";
  return [`by ${String(by)}`, end, String(why)].filter((words) => words !== "").join(", ");
}

const bracketed = (text: string): string => (text === "" ? "" : ` (${text})`);
