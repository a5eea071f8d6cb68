/**
 * What peers say to one another. The codec and the bytes are wire's business
 * (docs/protocol.md); these are the meanings. Durations in milliseconds.
 */
import type { LedgerRecord } from "./ledger-records.ts";
import type { Incarnation, NodeId, PathKind, ProbeOutcome, RosterRank, Verdict } from "./types.ts";

/** The small message a node sends each peer, five a second by default. */
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

/** "I stop on purpose." */
export interface Goodbye {
  readonly t: "goodbye";
  readonly incarnation: Incarnation;
  readonly reason: "stop" | "removed";
}

/** Acknowledges reliable datagrams by their numbers. */
export interface Ack {
  readonly t: "ack";
  readonly numbers: readonly number[];
}

/** A question that is relayed to the keymaster and its answer (`config apply`). */
export interface Request {
  readonly t: "request";
  readonly id: string;
  readonly method: "config-apply";
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
  | Ack
  | Request
  | Response;

/** A message with the number its receiver shall acknowledge; absent where no answer is due. */
export interface Envelope {
  readonly number?: number;
  readonly message: PeerMessage;
}

export type Plane = "datagram" | "stream";
