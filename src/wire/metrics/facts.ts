/** What metrics are made of: the core's view, and what the daemon knows of itself. */
import type { IncidentKind } from "../../core/ledger-records.ts";
import type { Reading } from "../../core/thermal/reading.ts";
import type { Severity, Verdict } from "../../core/types.ts";
import type { MeshView } from "../../core/view.ts";
import type { WallTime } from "../../kit/time.ts";
import type { Histogram } from "./exposition.ts";

/** By name of the node. */
export interface BeatCounts {
  readonly node: string;
  readonly received: number;
  readonly sent: number;
}

/** One host's latest pass over its sensors. */
export interface HostReadings {
  /** Its name. */
  readonly node: string;
  /** When it was taken, by the clock here. */
  readonly at: WallTime;
  readonly readings: readonly Reading[];
}

export interface OpenIncidents {
  readonly kind: IncidentKind;
  readonly severity: Severity;
  readonly open: number;
}

export interface MeshFacts {
  readonly view: MeshView;
  readonly health: "ok" | "unproven" | "degraded";
  readonly certificateExpires: WallTime;
  readonly beats: readonly BeatCounts[];
  readonly incidents: readonly OpenIncidents[];
}

/** Counted since the daemon started. */
export interface Tallies {
  readonly verdicts: readonly { readonly node: string; readonly verdict: Verdict; readonly count: number }[];
  readonly deliveries: readonly OutcomeCount[];
  /** By name of the heartbeat. */
  readonly pings: readonly OutcomeCount[];
  readonly inputsDropped: number;
  /** In seconds. */
  readonly lag: Histogram;
}

export interface OutcomeCount {
  /** A channel or a heartbeat. */
  readonly name: string;
  readonly outcome: "delivered" | "temporary" | "permanent";
  readonly count: number;
}

/** What the mesh transport counts. */
export interface TransportCounts {
  readonly sessions: number;
  readonly datagramsSent: number;
  readonly datagramsReceived: number;
  readonly datagramBytesSent: number;
  readonly datagramBytesReceived: number;
  readonly streamBytesSent: number;
  readonly streamBytesReceived: number;
  /** By error code. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface OwnCost {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAt: WallTime;
  /** Absent where the system does not tell. */
  readonly openFiles?: number;
}

export interface RequestCount {
  readonly path: string;
  readonly code: number;
  readonly count: number;
}

export interface MetricsFacts extends MeshFacts {
  readonly version: string;
  readonly wall: WallTime;
  readonly hosts: readonly HostReadings[];
  readonly tallies: Tallies;
  readonly transport: TransportCounts;
  readonly cost: OwnCost;
  readonly requests: readonly RequestCount[];
}
