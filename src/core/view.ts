/** What a node can say of the mesh: the source of `status`, `nodes`, `incidents`, `inbox`, `notify list`. */
import type { Duration, WallTime } from "../kit/time.ts";
import type { IncidentKind, Phase } from "./ledger-records.ts";
import type {
  Address,
  Incarnation,
  IncidentId,
  MeshId,
  NodeId,
  PathKind,
  ProbeOutcome,
  Verdict,
} from "./types.ts";

export interface NodeView {
  readonly id: NodeId;
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly verdict: Verdict;
  /** When this verdict was reached. */
  readonly since: WallTime;
  readonly incarnation: Incarnation;
  readonly path: PathKind;
  readonly rtt?: Duration;
  readonly certificateExpires?: WallTime;
  readonly certificateFlagged: boolean;
  /** When it was last heard; absent = not since this node started. */
  readonly lastHeard?: WallTime;
  /** Its wall clock minus ours, as far as the round trip lets us tell. */
  readonly clockOffset?: Duration;
  /** Beats received from it per second, over the last seconds. */
  readonly beatsPerSecond: number;
  /** Its roster is not ours. */
  readonly rosterBehind: boolean;
}

export interface IncidentView {
  readonly id: IncidentId;
  readonly kind: IncidentKind;
  readonly subject: NodeId;
  readonly name: string;
  readonly incarnation: Incarnation;
  readonly verdict: Verdict;
  readonly since: WallTime;
  readonly resolved?: WallTime;
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

export interface MeshView {
  readonly mesh: MeshId;
  readonly self: NodeId;
  readonly selfName: string;
  readonly keymaster: NodeId;
  readonly term: number;
  readonly epoch: number;
  readonly nodes: readonly NodeView[];
  readonly isolated: boolean;
  readonly storeFailing?: string;
  readonly openIncidents: number;
  readonly channels: readonly ChannelView[];
}
