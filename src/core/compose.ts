/** Words for people: what a phone shows first is who and what. */
import { civilTime, type Duration, formatDuration, isoTime, type WallTime } from "../kit/time.ts";
import { resolutionOf } from "./ledger.ts";
import type { EvidenceRecord, IncidentRecord, Phase } from "./ledger-records.ts";
import type { Notification, NotificationEvidence } from "./notification.ts";
import { gravestOf, severityOf } from "./severity.ts";
import { aliveCount, type NodeState, nameOf } from "./state.ts";
import type { Verdict } from "./types.ts";

/** From the gravest to the mildest, as the person's urgency goes. */
const GRAVITY: readonly Verdict[] = ["host-down", "unreachable", "daemon-down", "link-problem"];

const gravest = (incidents: readonly IncidentRecord[]): Verdict =>
  GRAVITY.find((verdict) => incidents.some((incident) => incident.verdict === verdict)) ?? "unknown";

/** `a`, `a and b`, `a, b and c`; beyond six names the rest is counted. */
export function listNames(names: readonly string[]): string {
  const shown = names.length > 6 ? [...names.slice(0, 5), `${names.length - 5} others`] : [...names];
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

export function composeNotification(
  state: NodeState,
  id: string,
  phase: Phase,
  incidents: readonly IncidentRecord[],
  wall: WallTime,
): Notification {
  const evidence = incidents.flatMap((incident) => evidenceOf(state, incident));
  const verdict = gravest(incidents);
  const since = Math.min(...incidents.map((incident) => incident.since)) as WallTime;
  const until = phase === "resolved" ? lastResolution(state, incidents, wall) : undefined;
  const viewpoint = {
    node: nameOf(state, state.self),
    alone: aliveCount(state) === 1,
    alive: aliveCount(state),
    of: state.roster.members.length,
  };
  const words = { state, incidents, verdict, since, until, evidence, viewpoint };
  return {
    schema: 1,
    id,
    kind: incidents.some((incident) => incident.kind === "down") ? "down" : (incidents[0]?.kind ?? "down"),
    state: phase,
    severity: gravestOf(incidents.map(severityOf)),
    follows: [],
    verdict,
    subjects: incidents.map(({ subject, name, incident, verdict: own, since: begun }) => ({
      id: subject,
      name,
      incident,
      verdict: own,
      since: isoTime(begun),
    })),
    since: isoTime(since),
    ...(until === undefined ? {} : { until: isoTime(until) }),
    viewpoint,
    evidence: evidence.map(forWire),
    title: phase === "open" ? openTitle(words) : resolvedTitle(words),
    text: phase === "open" ? openText(words) : resolvedText(words),
  };
}

type Seen = EvidenceRecord & { readonly subject: string };

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

function lastResolution(state: NodeState, incidents: readonly IncidentRecord[], wall: WallTime): WallTime {
  const times = incidents.map((incident) => resolutionOf(state.ledger, incident.incident)?.at ?? wall);
  return Math.max(...times) as WallTime;
}

interface Words {
  readonly state: NodeState;
  readonly incidents: readonly IncidentRecord[];
  readonly verdict: Verdict;
  readonly since: WallTime;
  readonly until: WallTime | undefined;
  readonly evidence: readonly Seen[];
  readonly viewpoint: Notification["viewpoint"];
}

const namesOf = (words: Words): string =>
  listNames([...new Set(words.incidents.map((incident) => incident.name))].sort());
const areOrIs = (words: Words): string =>
  new Set(words.incidents.map((incident) => incident.name)).size === 1 ? "is" : "are";

function openTitle(words: Words): string {
  const names = namesOf(words);
  switch (words.verdict) {
    case "unreachable":
      return `${names} unreachable from ${words.viewpoint.node}`;
    case "daemon-down":
      return `${names} ${areOrIs(words)} up but not watching`;
    default:
      return `${names} ${areOrIs(words)} down`;
  }
}

function openText(words: Words): string {
  const { viewpoint } = words;
  const lines = [`${openTitle(words)}, last heard ${civilTime(words.since)}.`];
  const observers = [...new Set(words.evidence.map((seen) => seen.name))];
  if (observers.length > 0) {
    const heard = words.verdict === "daemon-down" ? "hears Balefire there" : "hears it";
    lines.push(`Looked: ${listNames(observers)}. None of them ${heard}; ${probeWords(words.evidence)}.`);
  }
  if (viewpoint.alone && viewpoint.of > 1)
    lines.push(`Nobody else is there to ask; ${uplinkWords(words.state)}.`);
  lines.push(`Seen by ${viewpoint.node}, with ${viewpoint.alive} of ${viewpoint.of} hosts alive.`);
  return lines.join("\n");
}

function probeWords(evidence: readonly Seen[]): string {
  const outcomes = new Set(evidence.map((seen) => seen.probe));
  if (outcomes.has("refused")) return "the host itself answers and refuses the connection";
  if (outcomes.has("accepted")) return "the host itself accepts connections";
  return "the host does not answer connections either";
}

function uplinkWords(state: NodeState): string {
  const uplink = state.uplink?.seen;
  return uplink === undefined ? "my own uplink could not be checked" : `my own uplink: ${uplink.detail}`;
}

const resolvedTitle = (words: Words): string => `${namesOf(words)} ${areOrIs(words)} back`;

function resolvedText(words: Words): string {
  const length = ((words.until ?? words.since) - words.since) as Duration;
  const rebooted = words.incidents
    .filter((incident) => resolutionOf(words.state.ledger, incident.incident)?.how === "returned-rebooted")
    .map((incident) => incident.name);
  const lines = [
    `${resolvedTitle(words)} after ${formatDuration(length)}, silent since ${civilTime(words.since)}.`,
  ];
  if (rebooted.length > 0) lines.push(`Restarted meanwhile: ${listNames([...new Set(rebooted)])}.`);
  lines.push(
    `Seen by ${words.viewpoint.node}, with ${words.viewpoint.alive} of ${words.viewpoint.of} hosts alive.`,
  );
  return lines.join("\n");
}
