/** How events read for a person. */
import type { Action } from "../lab/driver/mesh.ts";
import type { DemoEvent } from "./stage.ts";

const VERBS: Readonly<Record<Action, string>> = {
  kill: "kill -9",
  stop: "SIGTERM (it says goodbye)",
  freeze: "SIGSTOP",
  thaw: "SIGCONT",
  revive: "start",
  cut: "pull the cable of",
  restore: "plug the cable of",
  "power-loss": "cut the power of",
};

export const actionText = (action: Action, node: string): string => `${VERBS[action]} ${node}`;

export type Tone = "plain" | "bad" | "good" | "doubt";

export interface LogLine {
  readonly who: string;
  readonly text: string;
  readonly tone: Tone;
}

const DOWN: ReadonlySet<string> = new Set(["host-down", "unreachable", "daemon-down"]);

export function toneOf(verdict: string): Tone {
  if (DOWN.has(verdict)) return "bad";
  if (verdict === "alive" || verdict === "self") return "good";
  return verdict === "suspect" || verdict === "link-problem" ? "doubt" : "plain";
}

export function logLine(event: Extract<DemoEvent, { event: "verdict" | "message" }>): LogLine {
  if (event.event === "verdict") {
    const { observer, subject, from, to, why } = event;
    return {
      who: observer,
      text: `${subject}: ${from} → ${to}${why === "" ? "" : ` (${why})`}`,
      tone: toneOf(to),
    };
  }
  const { message, sinceActionMs } = event;
  const age = sinceActionMs === null ? "" : `, ${Math.round(sinceActionMs)} ms after your action`;
  return {
    who: "webhook",
    text: `${message.state.toUpperCase()} ${message.title} [told by ${message.viewpoint.node}${age}]`,
    tone: message.state === "open" ? "bad" : "good",
  };
}
