/** Ledger records as a peer would send them, for tests of what people are told. */
import { incidentId } from "../../src/core/incident-id.ts";
import type { IncidentKind, IncidentRecord, ResolvedRecord } from "../../src/core/ledger-records.ts";
import type { NodeId, Verdict } from "../../src/core/types.ts";
import { wallTime } from "../../src/kit/time.ts";
import { MESH, START } from "./lone-node.ts";

const VERDICTS: Partial<Record<IncidentKind, Verdict>> = {
  down: "host-down",
  "daemon-down": "daemon-down",
  missing: "missing",
  "link-problem": "link-problem",
};

export interface Sample {
  readonly incarnation?: number;
  readonly topic?: string;
  /** Milliseconds after the node's first moment. */
  readonly since?: number;
  readonly until?: number;
  readonly detail?: string;
}

export function incidentOf(kind: IncidentKind, subject: NodeId, sample: Sample = {}): IncidentRecord {
  const { incarnation = 1, topic, since = 0, until, detail } = sample;
  return {
    t: "incident",
    incident: incidentId(MESH, kind, subject, incarnation, topic),
    kind,
    subject,
    name: subject,
    incarnation,
    verdict: VERDICTS[kind] ?? "alive",
    since: wallTime(START + since),
    by: "b",
    ...(topic === undefined ? {} : { topic }),
    ...(until === undefined ? {} : { until: wallTime(START + until) }),
    ...(detail === undefined ? {} : { detail }),
  };
}

export const resolutionOf = (
  { incident }: IncidentRecord,
  at: number,
  how: ResolvedRecord["how"] = "returned",
): ResolvedRecord => ({ t: "resolved", incident, at: wallTime(START + at), by: "b", how });
