/**
 * What a node can say of the mesh: the source of `status`, `nodes`, `incidents`, `inbox`, `notify list`
 * (view-of.ts), and of `temps` and `blackbox` (view-of-readings.ts).
 */
import type { Duration, WallTime } from "../kit/time.ts";
import type { IncidentKind, Matcher, Phase } from "./ledger-records.ts";
import type { FarewellReason } from "./messages.ts";
import type { CpuTemperature } from "./thermal/cpu.ts";
import type { Felt } from "./thermal/felt.ts";
import type { Sensor } from "./thermal/sensor-table.ts";
import type {
  Address,
  Incarnation,
  IncidentId,
  MeshId,
  NodeId,
  PathKind,
  ProbeOutcome,
  RosterRank,
  Severity,
  Verdict,
} from "./types.ts";

/** Why messages about something are held back; `until` absent = until someone ends it. */
export interface MuteView {
  readonly at: WallTime;
  readonly until?: WallTime;
  readonly by: string;
  readonly why: string;
}

export interface SilenceView extends MuteView {
  readonly id: string;
  readonly matcher: Matcher;
}

export interface NodeView {
  readonly id: NodeId;
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly verdict: Verdict;
  /** Of a planned absence: the reason it gave; absent = none. */
  readonly why?: FarewellReason;
  /** When this verdict was reached. */
  readonly since: WallTime;
  readonly incarnation: Incarnation;
  readonly path: PathKind;
  readonly rtt?: Duration;
  readonly certificateExpires?: WallTime;
  readonly certificateFlagged: boolean;
  /** When it was last heard; absent = not since this node started. */
  readonly lastHeard?: WallTime;
  /** Its wall clock minus the time this node goes by, as far as the round trip lets us tell. */
  readonly clockOffset?: Duration;
  /** Beats received from it per second, over the last seconds. */
  readonly beatsPerSecond: number;
  /** Its roster is not ours. */
  readonly rosterBehind: boolean;
  readonly maintenance?: MuteView;
  /** It comes and goes as it likes: nobody is told of its absence. */
  readonly sometimes: boolean;
}

export interface IncidentView {
  readonly id: IncidentId;
  readonly kind: IncidentKind;
  readonly subject: NodeId;
  readonly name: string;
  readonly incarnation: Incarnation;
  readonly verdict: Verdict;
  readonly severity: Severity;
  readonly since: WallTime;
  /** Told once and never open: what it tells of was over when it was told. */
  readonly note: boolean;
  /** It was open when its host fell silent: nobody knows whether it still is. */
  readonly unknown: boolean;
  readonly resolved?: WallTime;
  /** What besides the subject it is about: the name of the other end of a link, the kind of what flaps. */
  readonly topic?: string;
  /** The author's own words. */
  readonly detail?: string;
  readonly evidence: readonly {
    readonly observer: string;
    readonly path: PathKind;
    readonly last?: WallTime;
    readonly probe: ProbeOutcome | "none";
  }[];
  /** One line a channel and phase: delivered by whom, or still owed. */
  readonly told: readonly {
    readonly channel: string;
    readonly phase: Phase;
    readonly state: "delivered" | "failed" | "sending" | "owed";
    readonly by?: string;
    readonly detail?: string;
  }[];
}

export interface InboxEntry {
  readonly id: string;
  readonly at: WallTime;
  readonly phase: Phase;
  readonly title: string;
  readonly text: string;
  readonly by: string;
}

export interface ChannelView {
  readonly name: string;
  readonly type: string;
  /** The last delivery by each node that has made one. */
  readonly deliveries: readonly {
    readonly node: string;
    readonly at: WallTime;
    readonly outcome: "delivered" | "failed";
    readonly detail: string;
  }[];
  /** Delivered within the last seven days, by any node; the inbox proves nothing. */
  readonly proven: boolean;
}

export interface HeartbeatView {
  readonly name: string;
  readonly every: Duration;
  /** The mesh's last delivered ping that this node knows of. */
  readonly last?: { readonly node: string; readonly at: WallTime; readonly detail: string };
  /** No ping was delivered for several periods. */
  readonly silent: boolean;
}

export interface ClockView {
  /** How this host's clock differs from what most agree on (ahead is positive); absent = nobody can tell. */
  readonly error?: Duration;
  /** It is off by so much that the node goes by the others' instead. */
  readonly off: boolean;
}

export interface MeshView extends RosterRank {
  readonly mesh: MeshId;
  /** By the time this node goes by. */
  readonly at: WallTime;
  readonly self: NodeId;
  readonly selfName: string;
  readonly keymaster: NodeId;
  readonly nodes: readonly NodeView[];
  readonly isolated: boolean;
  readonly clock: ClockView;
  readonly storeFailing?: string;
  readonly openIncidents: number;
  readonly channels: readonly ChannelView[];
  readonly heartbeats: readonly HeartbeatView[];
  readonly silences: readonly SilenceView[];
  /** The end of the quiet hours, while they hold. */
  readonly quietUntil?: WallTime;
}

/** One host's latest readings, as far as this node knows them. */
export interface HostReadingsView {
  readonly node: NodeId;
  readonly name: string;
  /**
   * This host's own, told by the host itself, or by another node that knew them; absent = none known,
   * and then so are `age` and `at`.
   */
  readonly source?: "self" | "direct" | "relayed";
  /** How long ago they were taken. */
  readonly age?: Duration;
  /** When they were taken, by this node's clock. */
  readonly at?: WallTime;
  /** In the host's own order, with least, greatest and trend over the last ten minutes. */
  readonly readings: readonly Felt[];
  /** Its CPU's temperature; absent = no reading tells. */
  readonly cpu?: CpuTemperature;
}

/** A host's last ten minutes: of one that is dead, before its last reading. */
export interface BlackBoxView {
  readonly node: NodeId;
  readonly name: string;
  readonly sensors: readonly Sensor[];
  /** Oldest first, as often as the host told; of hosts this node does not watch, more rarely. */
  readonly samples: readonly {
    /** By this node's clock. */
    readonly at: WallTime;
    readonly direct: boolean;
    /** In the order of `sensors`; null = no value. */
    readonly values: readonly (number | null)[];
  }[];
}
