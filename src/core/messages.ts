/**
 * What peers say to one another. The codec and the bytes are wire's business
 * (docs/protocol.md); these are the meanings. Durations in milliseconds.
 */
import type { LedgerRecord } from "./ledger-records.ts";
import type { Change, PassRank, PassValue } from "./thermal/pass.ts";
import type { SensorTable } from "./thermal/sensor-table.ts";
import type { Incarnation, NodeId, PathKind, ProbeOutcome, RosterRank, Verdict } from "./types.ts";

/** The small message a node sends each peer, five a second by default where one of them watches the other. */
export interface Beat {
  readonly t: "beat";
  /** Counts the sender's beats in this life. */
  readonly seq: number;
  readonly incarnation: Incarnation;
  /** Changes with each boot of the host; evidence for "restarted". */
  readonly boot: string;
  /** The sender's own period, so that its observers know what to expect. */
  readonly period: number;
  /** How long ago the sender last heard the receiver's datagrams; absent = not in this session. */
  readonly heard?: number;
  /** The receiver's last beat as the sender got it, and how long it was held, for the round trip. */
  readonly echo?: { readonly seq: number; readonly held: number };
  /** What the sender holds of the receiver, so that a node learns it was declared down. */
  readonly view: Verdict;
  readonly viewIncarnation: Incarnation;
  readonly roster: RosterRank;
  /** Digest of the sender's ledger: equal digests mean equal ledgers. */
  readonly ledger: string;
  /** The sender's wall clock, for clock offsets in `doctor`. */
  readonly wall: number;
  /** The sender does not watch the receiver, and needs few beats of it; absent = it does. */
  readonly quiet?: boolean;
  /** Names of the channels the sender can deliver on. */
  readonly channels?: readonly string[];
}

/** "I suspect this subject; do you hear it?" Also sent to the subject itself, which answers with a beat. */
export interface Ask {
  readonly t: "ask";
  readonly subject: NodeId;
  readonly incarnation: Incarnation;
  /** How long the asker has suspected. */
  readonly suspected: number;
}

export interface Answer {
  readonly t: "answer";
  readonly subject: NodeId;
  /** `silent`: I suspect it as well. `hearing`: within its time. `unknown`: I cannot say (just started, slept). */
  readonly state: "silent" | "hearing" | "unknown";
  readonly incarnation: Incarnation;
  /** How long ago the answerer last heard the subject; absent = never. */
  readonly heard?: number;
  readonly path: PathKind;
  readonly probe: ProbeOutcome | "none";
}

/** News for the ledger. */
export interface LedgerNews {
  readonly t: "ledger";
  readonly records: readonly LedgerRecord[];
}

/** "Here are the keys and versions I hold; send me what I lack." Answered by LedgerNews, over the stream. */
export interface LedgerSummary {
  readonly t: "ledger-summary";
  readonly keys: readonly (readonly [key: string, version: string])[];
}

/** A signed roster, carried verbatim; verified before it reaches the core. */
export interface RosterNews {
  readonly t: "roster";
  /** Encoded by wire/roster.ts. */
  readonly signed: string;
}

/** "Send me your roster": mine is behind yours. */
export interface RosterWant {
  readonly t: "roster-want";
  readonly have: RosterRank;
}

/**
 * Why a host stops, as far as it could tell before: the daemon alone, the host for a reboot or for
 * good, or for good while one of its own sensors was past critical.
 */
export type FarewellReason = "stop" | "reboot" | "shutdown" | "thermal";

/** "I stop on purpose." */
export interface Goodbye {
  readonly t: "goodbye";
  readonly incarnation: Incarnation;
  readonly reason: "stop" | "removed";
  /** Absent = not known. */
  readonly why?: FarewellReason;
}

/** What a host's sensors showed in one pass: all of it, or what changed since an earlier pass. */
export interface PassNews extends PassRank {
  /** Whose; absent = the sender's own. */
  readonly node?: NodeId;
  /** Id of the table that says which sensors these are. */
  readonly table: string;
  /** How long ago it was made; absent = just now. */
  readonly age?: number;
  /** Every value, in the table's order; absent where changes are sent. */
  readonly all?: readonly PassValue[];
  /** The earlier pass, of the same life, that the changes apply to. */
  readonly since?: number;
  readonly changed?: readonly Change[];
  /** Places of all sensors whose alarm stands; absent = none. */
  readonly alarms?: readonly number[];
}

/** News of sensors, of the sender's own to whoever watches it, of others' to who asked with `readings-held`. */
export interface ReadingsNews {
  readonly t: "readings";
  readonly passes: readonly PassNews[];
}

/** Describes a host's sensors; the answer to `readings-want`. */
export interface ReadingsTable {
  readonly t: "readings-table";
  readonly node: NodeId;
  readonly table: SensorTable;
}

/** "I cannot read your news of this node's sensors": describe them if this is not the table, and say all values. */
export interface ReadingsWant {
  readonly t: "readings-want";
  readonly node: NodeId;
  /** The table held here; absent = none. */
  readonly table?: string;
}

/** "Of these nodes I hold these passes, and do not hear them myself: send me later ones." */
export interface ReadingsHeld {
  readonly t: "readings-held";
  /** Nodes are named by their places in this roster. */
  readonly roster: RosterRank;
  /** Life and pass are 0 where there is none. */
  readonly held: readonly (readonly [place: number, life: Incarnation, pass: number])[];
}

/** Acknowledges reliable datagrams by their numbers. */
export interface Ack {
  readonly t: "ack";
  readonly numbers: readonly number[];
}

/**
 * What peers ask one another over the stream. To the keymaster: `config-apply`, and `renew`, which asks
 * for a new certificate, and `set-aside`, which hands in a roster that lost. To any node: `renew-now`, which
 * has it ask for one, and `rotation`: which root its certificate leads to. From the keymaster alone:
 * `signer-request`, by which a standby's key is certified, and `take-over`.
 */
export type RequestMethod =
  | "config-apply"
  | "renew"
  | "renew-now"
  | "rotation"
  | "set-aside"
  | "signer-request"
  | "take-over";

/** A question and its answer. */
export interface Request {
  readonly t: "request";
  readonly id: string;
  readonly method: RequestMethod;
  /** JSON text; parsed by whoever serves the method. */
  readonly body: string;
}
export interface Response {
  readonly t: "response";
  readonly id: string;
  readonly ok: boolean;
  /** JSON text: the result, or a Failure. */
  readonly body: string;
}

export type PeerMessage =
  | Beat
  | Ask
  | Answer
  | LedgerNews
  | LedgerSummary
  | RosterNews
  | RosterWant
  | Goodbye
  | ReadingsNews
  | ReadingsTable
  | ReadingsWant
  | ReadingsHeld
  | Ack
  | Request
  | Response;

/** A message with the number its receiver shall acknowledge; absent where no answer is due. */
export interface Envelope {
  readonly number?: number;
  readonly message: PeerMessage;
}

export type Plane = "datagram" | "stream";
