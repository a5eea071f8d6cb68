/** A mesh that fell apart and met again: each side held the other for dead. */
import { type Ledger, resolutionOf } from "./ledger.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import type { NodeId } from "./types.ts";

export interface Split {
  /** Names, sorted. */
  readonly one: readonly string[];
  readonly other: readonly string[];
}

/** The two sides, where all these absences are accusations that were returned; undefined otherwise. */
export function splitOf(ledger: Ledger, incidents: readonly IncidentRecord[]): Split | undefined {
  const accusers = accusersOf(ledger, incidents);
  const accuses = (by: NodeId, whom: NodeId): boolean => accusers.get(whom)?.has(by) === true;
  const names = new Map(incidents.map(({ subject, name }) => [subject, name]));
  const everyone = [...names.keys()];
  const first = everyone[0];
  if (first === undefined) return undefined;
  const other = everyone.filter((each) => accuses(each, first) && accuses(first, each));
  const one = everyone.filter((each) => !other.includes(each));
  if (other.length === 0) return undefined;
  const isSplit = one.every((a) => other.some((b) => accuses(a, b) && accuses(b, a)));
  const named = (side: readonly NodeId[]): string[] => side.map((id) => names.get(id) ?? id).sort();
  return isSplit ? { one: named(one), other: named(other) } : undefined;
}

/** By subject: who wrote of it, while these incidents lasted, that they do not hear it. */
function accusersOf(ledger: Ledger, incidents: readonly IncidentRecord[]): Map<NodeId, Set<NodeId>> {
  const accusers = new Map<NodeId, Set<NodeId>>();
  const bySubject = new Map<string, NodeId>();
  for (const { incident, subject, by, verdict } of incidents) {
    // What a host's kernel has refused was no fault of the network.
    if (verdict !== "host-down" && verdict !== "unreachable") continue;
    if (resolutionOf(ledger, incident)?.how === "returned-rebooted") continue;
    bySubject.set(incident, subject);
    accusers.set(subject, (accusers.get(subject) ?? new Set()).add(by));
  }
  for (const record of ledger.records.values()) {
    if (record.t !== "evidence") continue;
    const subject = bySubject.get(record.incident);
    if (subject !== undefined) accusers.get(subject)?.add(record.observer);
  }
  return accusers;
}
