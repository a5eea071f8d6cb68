/** What the words of one message are made of. */
import { civilTime, type Duration, formatDuration, type WallTime } from "../kit/time.ts";
import { resolutionOf } from "./ledger.ts";
import type { EvidenceRecord, IncidentRecord, Phase } from "./ledger-records.ts";
import type { Notification } from "./notification.ts";
import type { NodeState } from "./state.ts";

export interface Telling {
  readonly state: NodeState;
  readonly phase: Phase;
  readonly incidents: readonly IncidentRecord[];
  readonly since: WallTime;
  /** Of what is over. */
  readonly until: WallTime | undefined;
  readonly evidence: readonly Seen[];
  readonly viewpoint: Notification["viewpoint"];
  readonly wall: WallTime;
}

export type Seen = EvidenceRecord & { readonly subject: string };

export interface Words {
  readonly title: string;
  readonly lines: readonly string[];
}

/** A phone shows this many characters of a title; who and what must be within. */
export const TITLE_SHOWN = 60;
const NAMES_SHOWN = 6;

/** `a`, `a and b`, `a, b and c`; beyond six names, or the characters there are, the rest is counted. */
export function listNames(names: readonly string[], room: number = Number.POSITIVE_INFINITY): string {
  const join = (shown: readonly string[]): string =>
    shown.length < 2 ? (shown[0] ?? "") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
  const fits = (shown: readonly string[], text: string): boolean =>
    shown.length <= NAMES_SHOWN && text.length <= room;
  const whole = join(names);
  if (names.length < 2 || fits(names, whole)) return whole;
  for (let count = Math.min(names.length - 2, NAMES_SHOWN - 1); count > 1; count -= 1) {
    const shown = [...names.slice(0, count), `${names.length - count} others`];
    const text = join(shown);
    if (fits(shown, text)) return text;
  }
  return join([names[0] ?? "", names.length === 2 ? "1 other" : `${names.length - 1} others`]);
}

/** The first way to say it that a phone shows whole; where none is, the last, which says what before whom. */
export const fitting = (...ways: readonly string[]): string =>
  ways.find((way) => way.length <= TITLE_SHOWN) ?? ways.at(-1) ?? "";

/** Of something that each host has one of: `The clock of a is wrong`, or `Clocks wrong: a and 4 others`. */
export function possessive(thing: "clock" | "certificate", names: readonly string[], said: string): string {
  const things = names.length === 1 ? thing : `${thing}s`;
  const first = `${things.charAt(0).toUpperCase()}${things.slice(1)} ${said}: `;
  return fitting(
    `The ${things} of ${listNames(names)} ${names.length === 1 ? "is" : "are"} ${said}`,
    first + listNames(names, TITLE_SHOWN - first.length),
  );
}

export const uniqueNames = (incidents: readonly IncidentRecord[]): string[] =>
  [...new Set(incidents.map(({ name }) => name))].sort();

/** Names with what is said of them, short enough that a phone shows both; `is` or `are` stands for the verb. */
export function sentence(names: readonly string[], verb: string, rest: string): string {
  const said = [names.length === 1 ? verb : (PLURAL[verb] ?? verb), rest]
    .filter((word) => word !== "")
    .join(" ");
  return `${listNames(names, TITLE_SHOWN - said.length - 1)} ${said}`;
}

const PLURAL: Readonly<Record<string, string>> = {
  is: "are",
  was: "were",
  does: "do",
  comes: "come",
  has: "have",
};

export const lasted = (since: WallTime, until: WallTime): string =>
  formatDuration(Math.max(0, until - since) as Duration);

/** `from 2026-11-21 02:13:05 UTC to 02:19:10 UTC`; the day is said twice only where it differs. */
export function fromTo(since: WallTime, until: WallTime): string {
  const [from, to] = [civilTime(since), civilTime(until)];
  return `from ${from} to ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to}`;
}

export const isOver = ({ state }: Pick<Telling, "state">, { incident }: IncidentRecord): boolean =>
  resolutionOf(state.ledger, incident) !== undefined;

export const viewpointLine = ({ viewpoint }: Telling): string =>
  `Seen by ${viewpoint.node}, with ${viewpoint.alive} of ${viewpoint.of} hosts alive.`;
