/** Who is told at once of what is entered about an absence. To all others it makes no difference a moment later. */
import { ABSENCES } from "./duties.ts";
import { incidentOf } from "./ledger.ts";
import type { LedgerRecord, Phase } from "./ledger-records.ts";
import { FIRST_IN_LINE } from "./limits.ts";
import { observersOf } from "./roles.ts";
import type { NodeState, Turn } from "./state.ts";
import { channelsOf, OUTAGE, rank } from "./turns.ts";
import type { IncidentId, NodeId } from "./types.ts";

/** Whom it is about, those who might enter it as well, and those who are first in line to send; undefined: everyone. */
export function firstHearers(turn: Turn, records: readonly LedgerRecord[]): ReadonlySet<NodeId> | undefined {
  const { state } = turn;
  // Where not everyone has a session with everyone, each passes on what it hears.
  if (state.company !== undefined) return undefined;
  const hearers = new Set<NodeId>();
  const anchors = new Set<string>();
  for (const record of records) {
    const [least, ...others] = incidentsOf(record).toSorted();
    if (least === undefined || ![least, ...others].every((incident) => isOfAbsence(state, incident)))
      return undefined;
    anchors.add(phaseOf(record) === "open" ? OUTAGE : least);
    const about =
      record.t === "incident" || record.t === "resolved" ? incidentOf(state.ledger, least) : undefined;
    if (about !== undefined)
      for (const node of [about.subject, ...observersOf(state, about.subject)]) hearers.add(node);
  }
  for (const anchor of anchors) {
    for (const channel of channelsOf(state))
      for (const node of rank(state, anchor, channel, turn.env.wall).slice(0, FIRST_IN_LINE))
        hearers.add(node);
  }
  return hearers;
}

function incidentsOf(record: LedgerRecord): readonly IncidentId[] {
  if (record.t === "mute" || record.t === "ping") return [];
  return "incidents" in record ? record.incidents : [record.incident];
}

const phaseOf = (record: LedgerRecord): Phase =>
  "phase" in record ? record.phase : record.t === "resolved" ? "resolved" : "open";

function isOfAbsence({ ledger }: NodeState, incident: IncidentId): boolean {
  const kind = incidentOf(ledger, incident)?.kind;
  return kind !== undefined && ABSENCES.has(kind);
}
