/** What a node remembers of telling people: what it sends, what holds it back, what it owes. */
import type { Duration, Instant } from "../kit/time.ts";
import type { Duty } from "./duties.ts";
import type { MuteRecord, Phase } from "./ledger-records.ts";
import type { Deliveries } from "./turns.ts";
import type { IncidentId, NodeId } from "./types.ts";

/** A message this node has taken on. */
export interface Sending {
  readonly message: string;
  readonly incidents: readonly IncidentId[];
  readonly phase: Phase;
  readonly channel: string;
  /** Attempts made in this turn. */
  attempt: number;
  renewal: number;
  renewAt: Instant;
  /** With the receiver since then; undefined while waiting to try again. */
  inFlightSince: Instant | undefined;
  /** An attempt ended without an answer: the receiver may have it. */
  uncertain: boolean;
  retryAt: Instant | undefined;
}

export interface NotifyState {
  /** When this node started. */
  readonly since: Instant;
  readonly sendings: Map<string, Sending>;
  /** When this node first saw each duty, by dutyKey. */
  readonly firstSeen: Map<string, Instant>;
  /** Others' intents: until when they hold this node back, by dutyKey. */
  readonly holds: Map<string, { readonly node: NodeId; readonly until: Instant }>;
  /** When what people had muted was, or will be, no longer so, by dutyKey: its turns count from then. */
  readonly mutedUntil: Map<string, Instant>;
  /** Maintenances and silences in force, as they were last spoken of (mute-news.ts). */
  readonly mutesSeen: Map<string, MuteRecord>;
  /** Last failed turn, by failureKey. */
  readonly failures: Map<string, Instant>;
  /** This node's own pause on a channel after lost turns. */
  readonly pauses: Map<string, { readonly length: Duration; readonly until: Instant }>;
  /** Operators' test messages under way: delivery id to request. */
  readonly tests: Map<string, { readonly request: string; readonly channel: string }>;
  /** When what was told on a channel last stopped being an outage that goes on; undefined while it does. */
  readonly burstOverAt: Map<string, Instant | undefined>;
  /** When something was last told to be wrong on a channel, by anyone. */
  readonly toldAt: Map<string, Instant>;
  /** When to repeat what is open on channels that forget. */
  readonly resendAt: Map<string, Instant>;
  /** Flapping incidents: how many changes they have seen, and since when there was none. */
  readonly flaps: Map<IncidentId, { readonly changes: number; readonly since: Instant }>;
  flapsRevision: number;
  /** Derived from the ledger at `dutiesRevision`. */
  duties: readonly Duty[];
  dutiesRevision: number;
  /** Derived as well (turns.ts). */
  deliveries: Deliveries | undefined;
  wakeAt: Instant | undefined;
}

export const emptyNotify = (now: Instant): NotifyState => ({
  since: now,
  sendings: new Map(),
  firstSeen: new Map(),
  holds: new Map(),
  mutedUntil: new Map(),
  mutesSeen: new Map(),
  failures: new Map(),
  pauses: new Map(),
  tests: new Map(),
  burstOverAt: new Map(),
  toldAt: new Map(),
  resendAt: new Map(),
  flaps: new Map(),
  flapsRevision: -1,
  duties: [],
  dutiesRevision: -1,
  deliveries: undefined,
  wakeAt: undefined,
});
