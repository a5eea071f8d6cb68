/** Who is told at once of what is entered about an absence. To all others it makes no difference a moment later. */
import { ABSENCES } from "./duties.ts";
import { incidentOf } from "./ledger.ts";
import type { LedgerRecord, Phase } from "./ledger-records.ts";
import { BURST, FIRST_IN_LINE } from "./limits.ts";
import { observersOf } from "./roles.ts";
import type { NodeState, Turn } from "./state.ts";
import { anchorOf, firstInLine, OUTAGE } from "./turns.ts";
import type { IncidentId, NodeId } from "./types.ts";

/** Who is first in line to send, by what turns are drawn for: found once a step. */
export type Lines = Map<string, ReadonlySet<NodeId>>;

/**
 * Whom it is about, those who might enter it as well, and those who are first in line to send; undefined: everyone.
 * Where not everyone has a session with everyone, each passes on what it hears; and where several are going down
 * nobody knows who of those in line still lives.
 */
export function firstHearers(
  turn: Turn,
  records: readonly LedgerRecord[],
  lines: Lines,
): ReadonlySet<NodeId> | undefined {
  const { state } = turn;
  if (state.company !== undefined || goingDown(turn).size > 1) return undefined;
  const hearers = new Set<NodeId>();
  const anchors = new Set<string>();
  for (const record of records) {
    const incidents = incidentsOf(record);
    if (incidents.length === 0 || !incidents.every((incident) => isOfAbsence(state, incident)))
      return undefined;
    anchors.add(anchorOf(phaseOf(record), OUTAGE, incidents));
    const subject = subjectOf(state, record);
    if (subject !== undefined)
      for (const node of [subject, ...observersOf(state, subject)]) hearers.add(node);
  }
  for (const anchor of anchors) {
    const line = lines.get(anchor) ?? firstInLine(state, anchor, turn.env.wall, FIRST_IN_LINE);
    lines.set(anchor, line);
    for (const node of line) hearers.add(node);
  }
  return hearers;
}

/** Hosts that are in doubt, or have lately been entered as away. */
function goingDown({ state, env }: Turn): ReadonlySet<NodeId> {
  const going = new Set<NodeId>();
  for (const { id, condition } of state.watched) if (condition.kind === "suspect") going.add(id);
  for (const { kind, subject, since } of state.ledger.open.values())
    if (ABSENCES.has(kind) && env.wall - since < BURST) going.add(subject);
  return going;
}

function incidentsOf(record: LedgerRecord): readonly IncidentId[] {
  if (record.t === "mute" || record.t === "ping") return [];
  return "incidents" in record ? record.incidents : [record.incident];
}

/** Of a beginning or an end: whose observers might enter it as well. */
const subjectOf = ({ ledger }: NodeState, record: LedgerRecord): NodeId | undefined =>
  record.t === "incident" || record.t === "resolved"
    ? incidentOf(ledger, record.incident)?.subject
    : undefined;

const phaseOf = (record: LedgerRecord): Phase =>
  "phase" in record ? record.phase : record.t === "resolved" ? "resolved" : "open";

function isOfAbsence({ ledger }: NodeState, incident: IncidentId): boolean {
  const kind = incidentOf(ledger, incident)?.kind;
  return kind !== undefined && ABSENCES.has(kind);
}
