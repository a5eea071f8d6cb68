/** What a person is told: the body of a webhook, and what every other channel renders. */
import type { IncidentKind } from "./ledger-records.ts";
import type { ReadingKind, Unit } from "./thermal/reading.ts";
import type { IncidentId, NodeId, PathKind, ProbeOutcome, Severity, Verdict } from "./types.ts";

/** One sensor of a host, from shortly before its silence. */
export interface NotificationReading {
  readonly name: string;
  readonly kind: ReadingKind;
  readonly unit: Unit;
  readonly value: number | null;
  /** When it was read, ISO 8601. */
  readonly at: string | null;
  /** By how much it rose a minute, in `unit`; absent = not known. */
  readonly trend?: number;
}

export interface NotificationSubject {
  readonly id: NodeId;
  readonly name: string;
  readonly incident: IncidentId;
  /** Of this incident alone, from its opening to its end; one message may tell of several kinds. */
  readonly kind: IncidentKind;
  readonly severity: Severity;
  readonly verdict: Verdict;
  /** When it began, ISO 8601. */
  readonly since: string;
  /** Of a host that fell silent: what it last felt, the hottest first, then fans; 8 at most. Absent = not known. */
  readonly readings?: readonly NotificationReading[];
}

export interface NotificationEvidence {
  /** Name of the observer. */
  readonly observer: string;
  /** Name of the subject it speaks of. */
  readonly subject: string;
  readonly path: PathKind;
  /** When the observer last heard the subject, ISO 8601; null if never. */
  readonly last: string | null;
  readonly probe: ProbeOutcome | "none";
}

export interface Notification {
  readonly schema: 1;
  /** The message's id; the same in every retry, so that a receiver may deduplicate. */
  readonly id: string;
  readonly kind: IncidentKind;
  readonly state: "open" | "resolved" | "note";
  readonly severity: Severity;
  /** The gravest verdict among the subjects. */
  readonly verdict: Verdict;
  readonly subjects: readonly NotificationSubject[];
  /**
   * Ids of the messages about the same incidents that were delivered here before, oldest first: a
   * recovery belongs under its "down".
   */
  readonly follows: readonly string[];
  /** ISO 8601, UTC. */
  readonly since: string;
  readonly until?: string;
  readonly viewpoint: {
    /** Name of the node that tells. */
    readonly node: string;
    /** True when it hears no other node. */
    readonly alone: boolean;
    /** Nodes it counts as alive, itself included, of all in the roster. */
    readonly alive: number;
    readonly of: number;
  };
  readonly evidence: readonly NotificationEvidence[];
  /** The first 60 characters say who and what. */
  readonly title: string;
  readonly text: string;
}
