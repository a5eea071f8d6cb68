/** What goes into the core and what comes out of it. The daemon and the simulator speak exactly this. */
import type { Random } from "../kit/random.ts";
import type { Failure } from "../kit/result.ts";
import type { Duration, Instant, WallTime } from "../kit/time.ts";
import type { IncidentKind, MuteRecord, Phase } from "./ledger-records.ts";
import type { Envelope, FarewellReason, Plane, Request, Response } from "./messages.ts";
import type { Notification } from "./notification.ts";
import type { Taken } from "./thermal/black-box.ts";
import type { Reading } from "./thermal/reading.ts";
import type {
  Address,
  ChannelRef,
  HeartbeatRef,
  Incarnation,
  IncidentId,
  Member,
  MeshId,
  NodeId,
  Policy,
  ProbeOutcome,
  RosterRank,
  Uplink,
  Verdict,
} from "./types.ts";

/** Time and randomness, given with every input. */
export interface Env {
  readonly now: Instant;
  readonly wall: WallTime;
  readonly random: Random;
}

/** The roster as the core needs it; signatures and ranks were checked before. */
export interface RosterView extends RosterRank {
  readonly mesh: MeshId;
  readonly keymaster: NodeId;
  readonly members: readonly Member[];
  /** The signed roster, encoded, to be handed to peers that are behind. */
  readonly signed: string;
}

/** One stored record, as `ports/store.ts` keeps it. */
export interface Stored {
  readonly key: string;
  readonly value: string | undefined;
}

/** Why a session ended. Only `reset` is a reason for suspicion. */
export type SessionEnd = "goodbye" | "reset" | "replaced" | "revoked" | "local";

export type TransportEvent =
  | {
      readonly type: "session-up";
      readonly peer: NodeId;
      readonly session: string;
      readonly address: Address;
      /** When the peer's certificate ends, and whether it is outside its validity now. */
      readonly certificateExpires: WallTime;
      readonly certificateFlagged: boolean;
    }
  | {
      readonly type: "session-down";
      readonly peer: NodeId;
      readonly session: string;
      readonly end: SessionEnd;
    }
  | {
      readonly type: "received";
      readonly peer: NodeId;
      readonly session: string;
      readonly plane: Plane;
      readonly envelope: Envelope;
    }
  | {
      readonly type: "dial-failed";
      readonly peer: NodeId;
      readonly address: Address;
      readonly reason: string;
    }
  /** A connection or datagram that was turned away; counted, shown by doctor, never fatal. */
  | { readonly type: "refused"; readonly remote: string; readonly failure: Failure };

/** How a delivery ended, as the receiver told it. `detail` never holds a secret; 200 characters at most. */
export type DeliveryOutcome =
  | { readonly outcome: "delivered"; readonly detail: string }
  /** May succeed later; `retryAfterMs` when the receiver said when; `uncertain` when it may have taken it all the same. */
  | {
      readonly outcome: "temporary";
      readonly detail: string;
      readonly retryAfterMs?: number;
      readonly uncertain?: boolean;
    }
  /** The receiver refuses this for good (bad address, bad token). */
  | { readonly outcome: "permanent"; readonly detail: string };

export interface LateRootChange {
  /** When it was begun. */
  readonly since: WallTime;
  /** `waits for NAMES` or `cannot go on`, a colon, and why. */
  readonly words: string;
}

/** A mute as a person wants it; the core numbers and dates it. */
export type MuteRequest = Omit<MuteRecord, "t" | "revision" | "at">;

/** One thing that has happened. */
export type SingleInput =
  /** A deadline named by `nextWakeAt` has come. */
  | { readonly type: "wake" }
  | TransportEvent
  | { readonly type: "roster"; readonly roster: RosterView }
  | {
      readonly type: "configured";
      readonly channels: readonly ChannelRef[];
      readonly heartbeats: readonly HeartbeatRef[];
      readonly policy: Policy;
    }
  /** One pass over this host's own sensors; `unwatched`: it is the last, and what was wrong with them is over. */
  | { readonly type: "readings"; readonly readings: readonly Reading[]; readonly unwatched?: true }
  /** How this node's own certificate stands: `late` says what keeps it from being renewed. */
  | { readonly type: "certificate"; readonly late: string | undefined }
  /** This node, the keymaster: a change of roots has taken too long; undefined = none has, or it is over. */
  | { readonly type: "root-change"; readonly late: LateRootChange | undefined }
  /** This node, the keymaster, has removed another that is suspected to be in other hands. */
  | { readonly type: "revoked"; readonly node: NodeId; readonly name: string; readonly why: string }
  /** A person sets, changes or lifts a maintenance or a silence. */
  | { readonly type: "mute"; readonly request: MuteRequest }
  /** The outcome of a `ping` effect. */
  | { readonly type: "pinged"; readonly heartbeat: string; readonly result: DeliveryOutcome }
  | {
      readonly type: "probed";
      readonly subject: NodeId;
      readonly address: Address;
      readonly outcome: ProbeOutcome;
    }
  | { readonly type: "uplink"; readonly uplink: Uplink }
  | {
      readonly type: "delivery";
      readonly delivery: string;
      readonly channel: string;
      readonly result: DeliveryOutcome;
    }
  /** A `persist` effect failed or took too long; the state goes on in memory, and the status says so. */
  | { readonly type: "store-failed"; readonly reason: string }
  | { readonly type: "store-recovered" }
  /** An operator's test message; the outcome returns in a `tested` effect with the same request. */
  | { readonly type: "notify-test"; readonly channel: string; readonly request: string }
  /**
   * SIGTERM: say goodbye to everyone. `why`: as far as the system tells; that a shutdown is for heat
   * the core sees itself.
   */
  | { readonly type: "stop"; readonly why?: Exclude<FarewellReason, "thermal"> };

export type Input =
  | SingleInput
  /** All that had arrived when it was looked at: it is taken in before anything is decided. */
  | { readonly type: "together"; readonly inputs: readonly SingleInput[] };

/** Something worth showing to a person who watches (status --watch, the demonstration, the journal). */
export type Notice =
  | {
      readonly type: "verdict";
      readonly subject: NodeId;
      readonly name: string;
      readonly from: Verdict;
      readonly to: Verdict;
      readonly incarnation: Incarnation;
      readonly why: string;
    }
  | {
      readonly type: "incident";
      readonly incident: IncidentId;
      readonly kind: IncidentKind;
      readonly phase: Phase;
      readonly name: string;
    }
  | {
      readonly type: "message";
      readonly phase: Phase;
      readonly channel: string;
      readonly node: NodeId;
      readonly title: string;
      readonly outcome: "delivered" | "failed";
      readonly detail: string;
    }
  | { readonly type: "isolated"; readonly isolated: boolean; readonly detail: string }
  /** A maintenance or a silence; `over`: its time has run out. */
  | {
      readonly type: "mute";
      readonly phase: "begun" | "changed" | "lifted" | "over";
      readonly purpose: MuteRecord["purpose"];
      readonly mute: string;
      /** Name of the member in maintenance, or what the silence speaks of. */
      readonly about: string;
      readonly until?: WallTime;
      /** Who lifted it, else who set it; and why it was set. */
      readonly by: string;
      readonly why: string;
    }
  | { readonly type: "warning"; readonly text: string };

/** What should happen; the daemon does it, in order, and the outcome returns as an input. */
export type Effect =
  | { readonly type: "send"; readonly to: NodeId; readonly plane: Plane; readonly envelope: Envelope }
  /** Write, then do what depends on its being written. */
  | {
      readonly type: "persist";
      readonly records: readonly Stored[];
      readonly afterwards: readonly Effect[];
      /** A moment later will do: others have it as well, or nobody misses it. */
      readonly canWait?: true;
    }
  | {
      readonly type: "deliver";
      readonly delivery: string;
      readonly channel: string;
      readonly notification: Notification;
    }
  | {
      readonly type: "probe";
      readonly subject: NodeId;
      readonly address: Address;
      readonly patience: Duration;
    }
  | { readonly type: "look-at-uplink" }
  /** Tells a dead-man's heartbeat that the mesh lives, or that most of it does not. */
  | {
      readonly type: "ping";
      readonly heartbeat: string;
      readonly condition: "alive" | "fail";
      /** For the service's log: who pings, and how many hosts live. */
      readonly detail: string;
    }
  | { readonly type: "dial"; readonly peer: NodeId; readonly address: Address }
  /** The peer's session is dead or stale: close it. */
  | { readonly type: "hang-up"; readonly peer: NodeId }
  /** A peer offers a roster; whoever holds the keys verifies it and answers with a `roster` input if it is accepted. */
  | { readonly type: "consider-roster"; readonly from: NodeId; readonly signed: string }
  | { readonly type: "tested"; readonly request: string; readonly result: DeliveryOutcome }
  | { readonly type: "relay"; readonly from: NodeId; readonly message: Request | Response }
  /** A pass over a host's sensors is newly known, this host's own too: for its history. */
  | { readonly type: "felt"; readonly node: NodeId; readonly pass: Taken }
  | { readonly type: "notice"; readonly notice: Notice };

export interface Step<State> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** What a node knows of itself when it starts. */
export interface Birth {
  readonly self: NodeId;
  readonly boot: string;
  readonly period: Duration;
  readonly roster: RosterView;
  readonly channels: readonly ChannelRef[];
  readonly heartbeats: readonly HeartbeatRef[];
  readonly policy: Policy;
  /** Everything the store held. */
  readonly stored: readonly Stored[];
}
