/**
 * What comes and goes: the first "down" and "up" are told at once; from the second "down" within the
 * policy's window on, one `flapping` incident stands for all of them until nothing has changed for a while.
 */
import { after, type Duration } from "../kit/time.ts";
import { openIncident, resolveIncident } from "./incidents.ts";
import { type Ledger, resolutionOf, wasTold } from "./ledger.ts";
import type { IncidentKind, IncidentRecord } from "./ledger-records.ts";
import { type Turn, wakeBy } from "./state.ts";
import { INBOX } from "./turns.ts";
import type { NodeId } from "./types.ts";

const FLAPPABLE: ReadonlySet<IncidentKind> = new Set(["down", "daemon-down", "link-problem"]);

/** What a flapping incident is about: the kind that flaps, and its topic where it has one. */
const flapTopic = ({ kind, topic }: IncidentRecord): string =>
  topic === undefined ? kind : `${kind} ${topic}`;

/** The members of a flapping incident: of the same family, begun while it lasted. */
export function episodesOf(ledger: Ledger, flap: IncidentRecord): IncidentRecord[] {
  const members: IncidentRecord[] = [];
  for (const record of ledger.records.values())
    if (record.t === "incident" && FLAPPABLE.has(record.kind) && record.subject === flap.subject)
      if (isWithin(ledger, flap, record)) members.push(record);
  return members;
}

/** Whether the one is a flapping incident during which the other began. */
function isWithin(ledger: Ledger, flap: IncidentRecord, record: IncidentRecord): boolean {
  if (flap.kind !== "flapping" || flap.topic !== flapTopic(record)) return false;
  const ended = resolutionOf(ledger, flap.incident)?.at ?? Number.POSITIVE_INFINITY;
  return record.since >= flap.since && record.since <= ended;
}

/** The flapping incident that speaks for this one; `about`: all incidents about its subject. */
export function absorbedBy(
  ledger: Ledger,
  about: readonly IncidentRecord[],
  record: IncidentRecord,
): IncidentRecord | undefined {
  if (!FLAPPABLE.has(record.kind)) return undefined;
  // What is still open when the flapping has ended speaks for itself again.
  const isSpokenFor = (flap: IncidentRecord): boolean =>
    ledger.open.has(flap.incident) || !ledger.open.has(record.incident);
  return about.find((flap) => isWithin(ledger, flap, record) && isSpokenFor(flap));
}

/** Opens and ends flapping incidents, after whatever the step has changed. */
export function keepFlapping(turn: Turn): void {
  const { ledger, notify, policy } = turn.state;
  if (notify.flapsRevision !== ledger.revision) {
    notify.flapsRevision = ledger.revision;
    if (policy.flap !== undefined) beginFlapping(turn, policy.flap.window);
    followFlapping(turn);
  }
  const quiet = policy.flap?.quiet ?? (0 as Duration);
  for (const [incident, seen] of notify.flaps) {
    const open = ledger.open.get(incident);
    const endsAt = after(seen.since, quiet);
    if (open === undefined) notify.flaps.delete(incident);
    else if (endsAt <= turn.env.now) resolveIncident(turn, open, "returned");
    else wakeBy(turn, endsAt);
  }
}

function beginFlapping(turn: Turn, window: Duration): void {
  const { ledger, channels } = turn.state;
  // What a maintenance held back, only the inbox was told of.
  const wasToldAnywhere = ({ incident }: IncidentRecord): boolean =>
    channels.some(({ name }) => name !== INBOX && wasTold(ledger, incident, "open", name));
  const flappable = [...ledger.open.values()].filter(({ kind }) => FLAPPABLE.has(kind));
  if (flappable.length === 0) return;
  let bySubject = incidentsBySubject(ledger);
  for (const record of flappable) {
    const about = bySubject.get(record.subject) ?? [];
    if (about.some((flap) => isWithin(ledger, flap, record))) continue;
    const before = about.some(
      (other) =>
        flapTopic(other) === flapTopic(record) &&
        other.incident !== record.incident &&
        other.since <= record.since &&
        record.since - other.since <= window &&
        resolutionOf(ledger, other.incident)?.how.startsWith("returned") === true &&
        wasToldAnywhere(other),
    );
    if (!before) continue;
    openFlap(turn, record);
    bySubject = incidentsBySubject(ledger);
  }
}

function openFlap(turn: Turn, second: IncidentRecord): void {
  const { subject, name, incarnation, verdict, since } = second;
  const topic = flapTopic(second);
  openIncident(turn, { kind: "flapping", subject, name, incarnation, verdict, since, topic });
}

export function incidentsBySubject(ledger: Ledger): Map<NodeId, IncidentRecord[]> {
  const bySubject = new Map<NodeId, IncidentRecord[]>();
  for (const record of ledger.records.values()) {
    if (record.t !== "incident") continue;
    const about = bySubject.get(record.subject);
    if (about === undefined) bySubject.set(record.subject, [record]);
    else about.push(record);
  }
  return bySubject;
}

/** Remembers since when each has been as it is, by this node's own clock: others' wall clocks may be off. */
function followFlapping(turn: Turn): void {
  const { ledger, notify } = turn.state;
  for (const flap of ledger.open.values()) {
    if (flap.kind !== "flapping") continue;
    const changes = episodesOf(ledger, flap).length * 2 - openEpisodes(ledger, flap);
    const seen = notify.flaps.get(flap.incident);
    if (seen?.changes !== changes) notify.flaps.set(flap.incident, { changes, since: turn.env.now });
  }
}

const openEpisodes = (ledger: Ledger, flap: IncidentRecord): number =>
  episodesOf(ledger, flap).filter(({ incident }) => ledger.open.has(incident)).length;
