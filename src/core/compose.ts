/** A message as a person gets it: what a phone shows first is who and what. */
import { civilTime, isoTime, type WallTime } from "../kit/time.ts";
import { takes } from "./duties.ts";
import { resolutionOf } from "./ledger.ts";
import { type IncidentKind, type IncidentRecord, NOTE_KINDS, type Phase } from "./ledger-records.ts";
import { TEXT_MAX } from "./limits.ts";
import { heldBack } from "./mutes.ts";
import type { Notification, NotificationEvidence, NotificationSubject } from "./notification.ts";
import { gravestOf, severityOf } from "./severity.ts";
import { aliveCount, type NodeState, nameOf } from "./state.ts";
import { gravest, tellAbsence, tellReturn } from "./tell-absences.ts";
import { tellRenewed, tellRevoked, tellUnrenewed } from "./tell-certificates.ts";
import { tellClocks, tellClocksRight } from "./tell-clocks.ts";
import { readingsTold } from "./tell-felt.ts";
import { tellCool, tellHeat } from "./tell-heat.ts";
import { tellLinks, tellRepaired } from "./tell-links.ts";
import { tellFlapping, tellNote, tellSteady } from "./tell-notes.ts";
import { type Seen, type Telling, uniqueNames, type Words } from "./telling.ts";
import { INBOX } from "./turns.ts";

/** The kind of a message about several: the one that matters most. */
const IMPORTANCE: readonly IncidentKind[] = [
  "down",
  "missing",
  "daemon-down",
  "heat",
  "revoked",
  "flapping",
  "link-problem",
  "clock",
  "certificate",
  "restarted",
  "cut-off",
  "planned",
  "test",
];

export interface Occasion {
  /** The message's id. */
  readonly id: string;
  readonly channel: string;
  readonly phase: Phase;
  /** At least one. */
  readonly incidents: readonly IncidentRecord[];
}

export function composeNotification(state: NodeState, occasion: Occasion, wall: WallTime): Notification {
  const { id, channel, phase, incidents } = occasion;
  const telling = tellingOf(state, occasion, wall);
  const { title, lines } = wordsFor(telling);
  const { since, until, viewpoint, evidence } = telling;
  return {
    schema: 1,
    id,
    kind: kindOf(incidents),
    state: incidents.some(({ kind }) => NOTE_KINDS.has(kind)) ? "note" : phase,
    severity: gravestOf(incidents.map(severityOf)),
    verdict: gravest(incidents),
    subjects: incidents.map((each) => ({
      id: each.subject,
      name: each.name,
      incident: each.incident,
      kind: each.kind,
      severity: severityOf(each),
      verdict: each.verdict,
      since: isoTime(each.since),
      ...readingsOf(state, each, phase),
    })),
    follows: phase === "resolved" ? messagesBefore(state, occasion) : [],
    since: isoTime(since),
    ...(until === undefined ? {} : { until: isoTime(until) }),
    viewpoint,
    evidence: evidence.map(forWire),
    title,
    text: withinLimit([
      ...namingAll(lines, incidents),
      ...holdLines(telling, channel),
      ...fallbackLine(telling, channel),
    ]),
  };
}

function readingsOf(
  state: NodeState,
  incident: IncidentRecord,
  phase: Phase,
): Pick<NotificationSubject, "readings"> {
  const readings = phase === "open" ? readingsTold(state, incident) : [];
  return readings.length === 0 ? {} : { readings };
}

/** Whom the title had no room for is named below it. */
function namingAll(lines: readonly string[], incidents: readonly IncidentRecord[]): readonly string[] {
  const names = uniqueNames(incidents);
  const text = lines.join("\n");
  if (names.every((name) => isNamed(text, name))) return lines;
  const [first = "", ...rest] = lines;
  return [first, `In all: ${names.join(", ")}.`, ...rest];
}

/** As a whole word: `pve1` is no part of `pve10`. */
function isNamed(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const around = `${text[at - 1] ?? " "}${text[at + name.length] ?? " "}`;
    if (!/[\w-]/.test(around)) return true;
  }
  return false;
}

/** Peers take no longer text into their ledgers, and nobody reads it. */
function withinLimit(lines: readonly string[]): string {
  const shown: string[] = [];
  let room = TEXT_MAX;
  for (const line of lines) {
    room -= line.length + 1;
    if (room < 0) return [...shown, `… ${lines.length - shown.length} more lines.`].join("\n");
    shown.push(line);
  }
  return shown.join("\n");
}

const kindOf = (incidents: readonly IncidentRecord[]): IncidentKind =>
  IMPORTANCE.find((kind) => incidents.some((incident) => incident.kind === kind)) ?? "down";

function tellingOf(state: NodeState, { phase, incidents }: Occasion, wall: WallTime): Telling {
  const ends = incidents.map((each) => each.until ?? resolutionOf(state.ledger, each.incident)?.at);
  const isPast = ends.every((end) => end !== undefined);
  return {
    state,
    phase,
    incidents,
    since: Math.min(...incidents.map(({ since }) => since)) as WallTime,
    until: isPast ? (Math.max(...ends.map((end) => end ?? wall)) as WallTime) : undefined,
    evidence: incidents.flatMap((incident) => evidenceOf(state, incident)),
    viewpoint: {
      node: nameOf(state, state.self),
      alone: aliveCount(state) === 1,
      alive: aliveCount(state),
      of: state.roster.members.length,
    },
    wall,
  };
}

function wordsFor(telling: Telling): Words {
  const isOpening = telling.phase === "open";
  switch (kindOf(telling.incidents)) {
    case "flapping":
      return isOpening ? tellFlapping(telling) : tellSteady(telling);
    case "link-problem":
      return isOpening ? tellLinks(telling) : tellRepaired(telling);
    case "heat":
      return isOpening ? tellHeat(telling) : tellCool(telling);
    case "clock":
      return isOpening ? tellClocks(telling) : tellClocksRight(telling);
    case "certificate":
      return isOpening ? tellUnrenewed(telling) : tellRenewed(telling);
    case "revoked":
      return tellRevoked(telling);
    case "restarted":
    case "cut-off":
    case "planned":
    case "test":
      return tellNote(telling);
    default:
      return isOpening ? tellAbsence(telling) : tellReturn(telling);
  }
}

function evidenceOf(state: NodeState, incident: IncidentRecord): Seen[] {
  const seen: Seen[] = [];
  for (const record of state.ledger.records.values()) {
    if (record.t === "evidence" && record.incident === incident.incident)
      seen.push({ ...record, subject: incident.name });
  }
  return seen.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const forWire = (seen: Seen): NotificationEvidence => ({
  observer: seen.name,
  subject: seen.subject,
  path: seen.path,
  last: seen.last === undefined ? null : isoTime(seen.last),
  probe: seen.probe,
});

/** What was delivered on this channel about the beginning of the same incidents. */
function messagesBefore(state: NodeState, { channel, incidents }: Occasion): string[] {
  const ids = new Set(incidents.map(({ incident }) => incident));
  const found = [...state.ledger.records.values()].flatMap((record) =>
    record.t === "delivery" &&
    record.channel === channel &&
    record.phase === "open" &&
    record.outcome === "delivered" &&
    record.incidents.some((incident) => ids.has(incident))
      ? [record]
      : [],
  );
  return [...new Set(found.sort((a, b) => a.at - b.at).map(({ message }) => message))];
}

/** The inbox shows what nobody was told elsewhere, and why. */
function holdLines({ state, incidents, wall }: Telling, channel: string): string[] {
  if (channel !== INBOX) return [];
  return incidents.flatMap((incident) => {
    const hold = heldBack(state, incident, wall);
    if (hold === undefined) return [];
    const until = hold.until === undefined ? "" : ` until ${civilTime(hold.until)}`;
    return [`About ${incident.name} nothing is told on any channel${until}: ${hold.why}.`];
  });
}

function fallbackLine({ state, incidents, phase }: Telling, channel: string): string[] {
  const [first] = incidents;
  const own = state.channels.find(({ name }) => name === channel);
  if (first === undefined || phase === "resolved" || own === undefined) return [];
  if (own.onlyAsFallback !== true && takes(own, first)) return [];
  return state.channels
    .filter(({ fallback }) => fallback === channel)
    .map(({ name }) => `Told here because ${name} has failed: ${lastFailure(state, name, first)}.`);
}

function lastFailure(state: NodeState, channel: string, { incident }: IncidentRecord): string {
  let last: { at: number; detail: string } | undefined;
  for (const record of state.ledger.records.values()) {
    if (record.t !== "delivery" || record.channel !== channel || !record.incidents.includes(incident))
      continue;
    if (last === undefined || last.at < record.at) last = record;
  }
  return last?.detail ?? "nobody alive has it";
}
