/** Times, verdicts and counts in the words of the person who reads them. */
import { formatDuration, ms } from "../kit/time.ts";
import type { Style } from "./screen.ts";

/** How long ago, `-` when never; `now` is wall time in milliseconds. */
export function ago(iso: string | null, now: number): string {
  if (iso === null) return "-";
  const since = now - Date.parse(iso);
  return Number.isNaN(since) ? "-" : formatDuration(ms(since));
}

/** How long until then; a time that has passed is said to have. */
export function ahead(iso: string | null, now: number): string {
  if (iso === null) return "-";
  const left = Date.parse(iso) - now;
  if (Number.isNaN(left)) return "-";
  return left < 0 ? "over" : formatDuration(ms(left));
}

/** `2026-03-01 02:13:07` in this host's time zone. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export const rtt = (milliseconds: number | null): string =>
  milliseconds === null
    ? "-"
    : milliseconds < 10
      ? `${milliseconds.toFixed(1)} ms`
      : formatDuration(ms(milliseconds));

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

const VERDICT_STYLES: Readonly<Record<string, Style>> = {
  alive: "green",
  planned: "dim",
  unknown: "dim",
  suspect: "yellow",
  "daemon-down": "yellow",
  "link-problem": "yellow",
  "host-down": "red",
  unreachable: "red",
};
export const verdictStyle = (verdict: string): Style => VERDICT_STYLES[verdict] ?? "yellow";

const SURE: Readonly<Record<string, string>> = {
  suspect: "not heard in time; this is being looked into and may pass",
  "host-down": "down: most of its observers hear nothing, nor does its kernel answer",
  unreachable: "not reachable, and too few others to ask: it may be down, or this side may be cut off",
  "daemon-down": "the host answers, but Balefire on it does not",
  "link-problem": "this node does not hear it, others do: a network between the two fails",
  planned: "said goodbye: it was stopped on purpose",
  unknown: "not heard since this node started, or was cut off itself",
  missing: "not heard by anyone since this node started, or stopped on purpose and not back in time",
};
const FAREWELLS: Readonly<Record<string, string>> = {
  reboot: "said goodbye: its host was rebooted",
  shutdown: "said goodbye: its host was shut down on purpose",
  thermal: "said goodbye: its host shut itself down while too hot",
};
/** Why it left, in a sentence; undefined where only the daemon was stopped, or nothing was said. */
export const whyItLeft = (farewell: string | null): string | undefined =>
  farewell === null ? undefined : FAREWELLS[farewell];

/** How sure a node is of its verdict, in a sentence; undefined when there is nothing to explain. */
export const howSure = (verdict: string): string | undefined => SURE[verdict];
