/** What people are still owed, derived from the ledger: one duty an incident, phase and channel. */
import type { Ledger } from "./ledger.ts";
import { wasTold } from "./ledger.ts";
import type { IncidentKind, IncidentRecord, Phase } from "./ledger-records.ts";
import type { ChannelRef, IncidentId, NodeId } from "./types.ts";

export interface Duty {
  readonly incident: IncidentId;
  readonly kind: IncidentKind;
  readonly subject: NodeId;
  readonly phase: Phase;
  readonly channel: string;
}

export const dutyKey = (duty: Pick<Duty, "incident" | "phase" | "channel">): string =>
  `${duty.incident} ${duty.phase} ${duty.channel}`;

/**
 * Open incidents that were not told, and resolved ones whose beginning was told
 * and whose end was not: every "resolved" pairs with a "down" that was delivered.
 */
export function dutiesOf(ledger: Ledger, channels: readonly ChannelRef[]): Duty[] {
  const duties: Duty[] = [];
  for (const record of ledger.records.values()) {
    if (record.t !== "incident") continue;
    for (const { name: channel } of channels) {
      const phase = owedPhase(ledger, record, channel);
      if (phase === undefined) continue;
      duties.push({ incident: record.incident, kind: record.kind, subject: record.subject, phase, channel });
    }
  }
  return duties;
}

function owedPhase(ledger: Ledger, record: IncidentRecord, channel: string): Phase | undefined {
  const toldOpen = wasTold(ledger, record.incident, "open", channel);
  if (ledger.open.has(record.incident)) return toldOpen || isSuperseded(ledger, record) ? undefined : "open";
  if (!toldOpen || wasTold(ledger, record.incident, "resolved", channel)) return undefined;
  return isAwayAgain(ledger, record) ? undefined : "resolved";
}

/** "It is back" waits while another incident says that it is not; both then end in one message. */
function isAwayAgain(ledger: Ledger, record: IncidentRecord): boolean {
  for (const other of ledger.open.values()) if (other.subject === record.subject) return true;
  return false;
}

/** A daemon's death is not worth a message of its own once its host is down. */
function isSuperseded(ledger: Ledger, record: IncidentRecord): boolean {
  if (record.kind !== "daemon-down") return false;
  for (const other of ledger.open.values()) {
    if (other.kind === "down" && other.subject === record.subject && other.incarnation >= record.incarnation)
      return true;
  }
  return false;
}
