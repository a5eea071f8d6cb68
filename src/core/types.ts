/** The vocabulary of the core. See ARCHITECTURE.md, "Words". */
import type { Duration, WallTime } from "../kit/time.ts";
import type { IncidentKind } from "./ledger-records.ts";
import { DEFAULT_HEAT_POLICY, type HeatPolicy } from "./thermal/heat-policy.ts";

/** The uuid of a node within one mesh; stays for the node's life there, whatever its name or addresses. */
export type NodeId = string & { readonly __node?: never };
/** The uuid of a mesh. */
export type MeshId = string & { readonly __mesh?: never };
/** 32 hex digits; see `incidentId`. */
export type IncidentId = string & { readonly __incident?: never };
/** The number of a node's current life (as in SWIM): 0 = never heard. */
export type Incarnation = number;
/** `IP:PORT`, IPv6 in brackets. */
export type Address = string & { readonly __address?: never };

/**
 * What one observer concludes about one subject.
 *
 * - `unknown`: the observer has just started or slept itself; never "down".
 * - `alive`: heard within the time allowed.
 * - `suspect`: one observer's doubt, being looked into.
 * - `host-down`: all who answer hear nothing, and they are a majority on both counts.
 * - `unreachable`: all who answer hear nothing, but they are not that many.
 * - `daemon-down`: the host's kernel answers, Balefire does not.
 * - `link-problem`: I do not hear it, another observer does.
 * - `planned`: it said goodbye, or it is in maintenance.
 * - `missing`: a member not heard since this node started, nor by anyone else.
 */
export type Verdict =
  | "unknown"
  | "missing"
  | "alive"
  | "suspect"
  | "host-down"
  | "unreachable"
  | "daemon-down"
  | "link-problem"
  | "planned";

/** Which plane carries a peer's messages now; `self` for this node. */
export type PathKind = "datagram" | "stream" | "self" | "none";

/** What a probe of one address of a suspected host showed. */
export type ProbeOutcome =
  /** SYN-ACK: something accepts on the mesh port. */
  | "accepted"
  /** RST or port-unreachable from the host's own address: its kernel lives. */
  | "refused"
  /** EHOSTUNREACH, ENETUNREACH, or no answer in time. */
  | "silent";

/** What a peer concludes about its own uplinks while it hears nobody. */
export interface Uplink {
  /** False only when no interface that holds a mesh address or a default route has carrier. */
  readonly up: boolean;
  /** For the message, e.g. `eth0: carrier, gateway 10.0.0.1 answers`. */
  readonly detail: string;
}

/** The part of the roster that the core decides with. */
export interface Member {
  readonly id: NodeId;
  readonly name: string;
  readonly addresses: readonly Address[];
  /** When the certificate ends that the keymaster last gave it, as far as the roster says. */
  readonly certificateExpires?: WallTime;
}

/** How urgent a message is; channels choose by it. From the mildest. */
export type Severity = "info" | "warning" | "critical";
export const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];

/** A channel as the core knows it; its settings and secrets stay with the adapter. */
export interface ChannelRef {
  readonly name: string;
  readonly type: string;
  /** What is milder is not told here. Default: info, so everything is. */
  readonly minSeverity?: Severity;
  /** Only these kinds of incident are told here. Default: all. */
  readonly kinds?: readonly IncidentKind[];
  /** The channel that is told instead once every living node has failed on this one. */
  readonly fallback?: string;
  /** Told nothing by itself, only as another's fallback. */
  readonly onlyAsFallback?: boolean;
  /** The service forgets what is not repeated: open incidents are sent again this often. */
  readonly resendEvery?: Duration;
}

/** A dead-man's heartbeat as the core knows it. */
export interface HeartbeatRef {
  readonly name: string;
  /** Time between two pings of the mesh. */
  readonly every: Duration;
}

/** A part of each day, by the clock of a time zone, in which some messages wait. */
export interface QuietHours {
  /** Minutes after midnight; where `to` is not after `from`, they end on the next day. */
  readonly from: number;
  readonly to: number;
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  /** What waits: this severity and milder ones. */
  readonly severity: Severity;
}

export interface FlapPolicy {
  /** A second "down" within this long of the first makes it flapping. */
  readonly window: Duration;
  /** It ends after this long without a change. */
  readonly quiet: Duration;
}

export interface Policy {
  /** How long a dead daemon may take to come back before a person is told. */
  readonly daemonDownGrace: Duration;
  /** How long two hosts may fail to hear one another before a person is told. */
  readonly linkProblemGrace: Duration;
  /** How long a clock may be off before a person is told: at a boot a time service has yet to set it. */
  readonly clockGrace: Duration;
  /** A member not heard for this long since this node started is missing. */
  readonly missingAfter: Duration;
  /** How long a stop on purpose may last before a person is told, where nobody announced more. */
  readonly plannedFor: Duration;
  /** Whether people are told, in a note, what is stopped on purpose or put into maintenance. */
  readonly plannedNotes: boolean;
  /** Undefined: every change is told. */
  readonly flap: FlapPolicy | undefined;
  readonly quietHours: QuietHours | undefined;
  readonly heat: HeatPolicy;
  /** Names of members that come and go as they like: nobody is told of their absence. */
  readonly sometimes: readonly string[];
}

export const DEFAULT_POLICY: Policy = {
  daemonDownGrace: 15_000 as Duration,
  linkProblemGrace: 15_000 as Duration,
  clockGrace: 60_000 as Duration,
  missingAfter: 300_000 as Duration,
  plannedFor: 600_000 as Duration,
  plannedNotes: false,
  flap: { window: 600_000 as Duration, quiet: 60_000 as Duration },
  quietHours: undefined,
  heat: DEFAULT_HEAT_POLICY,
  sometimes: [],
};

/** Order of trust among rosters: the highest generation first, then term, opener and epoch (core/roster.ts). */
export interface RosterRank {
  /** Counts the terms opened with a root key. */
  readonly generation: number;
  readonly term: number;
  /** The beginning of its signer's pin: it decides between two that opened the same term. */
  readonly opener: string;
  readonly epoch: number;
}
