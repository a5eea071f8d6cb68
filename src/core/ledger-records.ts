/**
 * The records of the ledger. Each is immutable under its key; a node that sees
 * the same key twice keeps one by `supersedes` (ledger.ts), so that merging gives
 * the same result in any order and when repeated. Wall times are the author's.
 */
import type { WallTime } from "../kit/time.ts";
import type { Incarnation, IncidentId, NodeId, PathKind, ProbeOutcome, Severity, Verdict } from "./types.ts";

/**
 * What an incident is about; every observer gives the same event the same kind.
 *
 * - `down`: the host does not answer (verdict `host-down` or `unreachable`).
 * - `daemon-down`: the host answers, Balefire on it does not.
 * - `missing`: a member that has not been heard since the mesh or its observers started, or that
 *   stopped on purpose and did not come back in the time it announced.
 * - `link-problem`: one observer (`topic`) does not hear the subject, others do.
 * - `flapping`: incidents of one kind about one subject (`topic`: of which) that come and go.
 * - `heat`: one of the subject's own sensors is past a limit, a fan stands still, or a sensor is gone
 *   (`topic`: a key of the sensor, a space, and `warning`, `critical`, `stopped` or `lost`).
 * - `certificate`: the subject's own certificate has not been renewed in time; with the topic `root`, a
 *   change of roots that the subject drives has not ended in time.
 * - `clock`: the subject's clock is off from what most clocks of the mesh agree on.
 * - `revoked`: a note, the subject was removed on the suspicion that its key is in other hands.
 * - `restarted`: a note, the host has booted by itself.
 * - `cut-off`: a note of the subject itself: it had no network.
 * - `planned`: a note, the subject was stopped on purpose, or its maintenance has begun or was ended
 *   (`topic`: which of them).
 * - `test`: an operator's test message.
 */
export type IncidentKind =
  | "down"
  | "daemon-down"
  | "missing"
  | "link-problem"
  | "flapping"
  | "heat"
  | "certificate"
  | "clock"
  | "revoked"
  | "restarted"
  | "cut-off"
  | "planned"
  | "test";
export const INCIDENT_KINDS: readonly IncidentKind[] = [
  "down",
  "daemon-down",
  "missing",
  "link-problem",
  "flapping",
  "heat",
  "certificate",
  "clock",
  "revoked",
  "restarted",
  "cut-off",
  "planned",
  "test",
];
/** Told once, when it is over; never open. */
export const NOTE_KINDS: ReadonlySet<IncidentKind> = new Set([
  "revoked",
  "restarted",
  "cut-off",
  "planned",
  "test",
]);
/** Whether a message tells of the beginning or the end of an incident. */
export type Phase = "open" | "resolved";

/** Key `i/<incident>`. The observer with the earliest `since` (then lowest id) is kept. */
export interface IncidentRecord {
  readonly t: "incident";
  readonly incident: IncidentId;
  readonly kind: IncidentKind;
  readonly subject: NodeId;
  /** The name when it was opened, so that a removed node is still named. */
  readonly name: string;
  readonly incarnation: Incarnation;
  readonly verdict: Verdict;
  /** When the subject was last heard by the author. */
  readonly since: WallTime;
  readonly by: NodeId;
  /** What besides the subject tells it from others of its kind; 96 characters at most. */
  readonly topic?: string;
  /** Of a note: when what it tells of was over. */
  readonly until?: WallTime;
  /** The author's own words about it; 200 characters at most. */
  readonly detail?: string;
}

/** Key `e/<incident>/<observer>`: what one observer saw. */
export interface EvidenceRecord {
  readonly t: "evidence";
  readonly incident: IncidentId;
  readonly observer: NodeId;
  readonly name: string;
  readonly path: PathKind;
  /** When this observer last heard the subject; absent if never. */
  readonly last?: WallTime;
  readonly probe: ProbeOutcome | "none";
  readonly at: WallTime;
  /** Who passed on what the observer answered; absent when the observer wrote it itself, which wins. */
  readonly reportedBy?: NodeId;
}

/** Key `r/<incident>`: the incident is over; the earliest is kept. */
export interface ResolvedRecord {
  readonly t: "resolved";
  readonly incident: IncidentId;
  readonly at: WallTime;
  readonly by: NodeId;
  /** `returned`, or `returned-rebooted` when the boot id changed; `replaced`: it left the mesh, or another incident says more. */
  readonly how: "returned" | "returned-rebooted" | "replaced";
}

/** Key `n/<message>`: "I am sending now". The message id is also the idempotency key at the receiver. */
export interface IntentRecord {
  readonly t: "intent";
  readonly message: string;
  readonly incidents: readonly IncidentId[];
  readonly phase: Phase;
  readonly channel: string;
  readonly node: NodeId;
  readonly at: WallTime;
  /** Raised each time the lease is renewed; the highest is kept. */
  readonly renewal: number;
}

/** Key `d/<message>`: the outcome of a delivery; `delivered` beats `failed`, then the higher attempt. */
export interface DeliveryRecord {
  readonly t: "delivery";
  readonly message: string;
  readonly incidents: readonly IncidentId[];
  readonly phase: Phase;
  readonly channel: string;
  readonly node: NodeId;
  readonly at: WallTime;
  readonly outcome: "delivered" | "failed";
  readonly attempt: number;
  /** The receiver's own reply or the reason, without secrets, 200 characters at most. */
  readonly detail: string;
  /** Of a failure: the receiver may have it all the same. */
  readonly uncertain?: boolean;
}

/** Key `m/<message>`: what a person was told; the inbox of every node shows these. */
export interface MessageRecord {
  readonly t: "message";
  readonly message: string;
  readonly incidents: readonly IncidentId[];
  readonly phase: Phase;
  readonly node: NodeId;
  readonly at: WallTime;
  readonly title: string;
  readonly text: string;
}

/** What a mute speaks of: all that is given must fit; nothing given fits everything. */
export interface Matcher {
  /** Name of the subject, `*` stands for any characters. */
  readonly node?: string;
  readonly kind?: IncidentKind;
  /** This severity and what is milder. */
  readonly severity?: Severity;
}

/**
 * Key `s/<mute>`: people do not want to be told. Held back are all messages about what fits, until it
 * ends. `maintenance`: one member is being worked on; its mute is named after it. Edited by whoever
 * is asked to; the highest revision is kept.
 */
export interface MuteRecord {
  readonly t: "mute";
  /** `maintenance-<node id>`, or a random id of a silence. */
  readonly mute: string;
  readonly purpose: "maintenance" | "silence";
  readonly matcher: Matcher;
  /** The member in maintenance. */
  readonly subject?: NodeId;
  readonly revision: number;
  /** When it was made or last changed. */
  readonly at: WallTime;
  /** When it ends; absent = when someone ends it. */
  readonly until?: WallTime;
  /** Who made it, in their own words, and why; 200 characters at most. */
  readonly by: string;
  readonly why: string;
  /** Lifted before its time. */
  readonly ended: boolean;
}

/** Key `p/<channel>`: the latest ping of a dead-man's heartbeat; the latest turn is kept. */
export interface PingRecord {
  readonly t: "ping";
  readonly channel: string;
  readonly node: NodeId;
  /** Counts the mesh's pings on this channel; the highest is kept. */
  readonly turn: number;
  readonly at: WallTime;
  readonly outcome: "delivered" | "failed";
  readonly detail: string;
}

export type LedgerRecord =
  | MuteRecord
  | PingRecord
  | IncidentRecord
  | EvidenceRecord
  | ResolvedRecord
  | IntentRecord
  | DeliveryRecord
  | MessageRecord;
