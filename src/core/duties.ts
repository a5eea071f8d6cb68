/** What people are still owed, derived from the ledger: one duty an incident, phase and channel. */
import type { WallTime } from "../kit/time.ts";
import { absorbedBy, incidentsBySubject } from "./flapping.ts";
import { type Ledger, resolutionOf, wasTold } from "./ledger.ts";
import { type IncidentKind, type IncidentRecord, NOTE_KINDS, type Phase } from "./ledger-records.ts";
import { NOTE_FRESH } from "./limits.ts";
import { isAtMost, severityOf } from "./severity.ts";
import type { NodeState } from "./state.ts";
import { candidates, INBOX } from "./turns.ts";
import type { ChannelRef, IncidentId, NodeId } from "./types.ts";

/** What is told together. */
export type Family = "absence" | "link" | "flapping" | "heat" | "certificate" | "clock" | "revoked" | "note";

export interface Duty {
  /** The same as dutyKey makes, once. */
  readonly key: string;
  readonly record: IncidentRecord;
  readonly family: Family;
  /** Duties for which this is the same are told in one message. */
  readonly together: string;
  readonly incident: IncidentId;
  readonly kind: IncidentKind;
  readonly subject: NodeId;
  readonly phase: Phase;
  readonly channel: string;
}

export const dutyKey = (duty: Pick<Duty, "incident" | "phase" | "channel">): string =>
  `${duty.incident} ${duty.phase} ${duty.channel}`;

function dutyOf(record: IncidentRecord, phase: Phase, channel: string): Duty {
  const { incident, kind, subject } = record;
  const family = familyOf(kind);
  // One host's sensors have nothing to do with another's.
  const host = family === "heat" ? subject : "";
  const together = `${phase} ${channel} ${family} ${host}`;
  const key = dutyKey({ incident, phase, channel });
  return { key, record, family, together, incident, kind, subject, phase, channel };
}

function familyOf(kind: IncidentKind): Family {
  if (ABSENCES.has(kind)) return "absence";
  if (kind === "certificate" || kind === "clock" || kind === "revoked") return kind;
  if (NOTE_KINDS.has(kind)) return "note";
  if (kind === "heat") return "heat";
  return kind === "flapping" ? "flapping" : "link";
}

/** Kinds that tell of a host's absence; its return ends them all. */
export const ABSENCES: ReadonlySet<IncidentKind> = new Set(["down", "daemon-down", "missing"]);

/** Cut off itself, a node claims nothing about others, not even what it had entered before it knew. */
export function isClaimWhileCutOff(
  { isolated, ledger, self }: Pick<NodeState, "isolated" | "ledger" | "self">,
  { incident, phase }: Pick<Duty, "incident" | "phase">,
): boolean {
  if (isolated === undefined || phase === "resolved") return false;
  const record = ledger.open.get(incident);
  return record !== undefined && record.by === self && ABSENCES.has(record.kind);
}

/** How the attempts to tell one thing on one channel have gone so far. */
interface Attempts {
  /** Nodes that have lost their turn. */
  readonly failed: Set<NodeId>;
  /** The receiver may have it, though nobody holds a receipt. */
  uncertain: boolean;
}

/** The ledger, as duties ask for it. */
interface Docket {
  readonly ledger: Ledger;
  readonly wall: WallTime;
  readonly bySubject: ReadonlyMap<NodeId, readonly IncidentRecord[]>;
  readonly attempts: ReadonlyMap<string, Attempts>;
}

type Owing = Pick<NodeState, "ledger" | "channels" | "self" | "peers">;

/**
 * Open incidents that were not told, and resolved ones whose beginning was told
 * and whose end was not: every "resolved" pairs with a "down" that was delivered.
 */
export function dutiesOf(state: Owing, wall: WallTime): Duty[] {
  const docket = docketOf(state.ledger, wall);
  const duties: Duty[] = [];
  for (const about of docket.bySubject.values()) {
    for (const record of about) {
      for (const channel of state.channels) {
        const phase = owedPhase(docket, record, channel);
        if (phase === undefined || !isRouted(state, docket, record, channel, phase)) continue;
        duties.push(dutyOf(record, phase, channel.name));
      }
    }
  }
  return duties;
}

function docketOf(ledger: Ledger, wall: WallTime): Docket {
  const attempts = new Map<string, Attempts>();
  for (const record of ledger.records.values()) {
    if (record.t !== "intent" && record.t !== "delivery") continue;
    const isOpen = record.t === "intent" && !ledger.records.has(`d/${record.message}/${record.node}`);
    const isFailed = record.t === "delivery" && record.outcome === "failed";
    if (!isOpen && !isFailed) continue;
    for (const incident of record.incidents) {
      const key = dutyKey({ ...record, incident });
      const held = attempts.get(key) ?? { failed: new Set(), uncertain: false };
      attempts.set(key, held);
      if (isFailed) held.failed.add(record.node);
      if (isOpen || (record.t === "delivery" && record.uncertain === true)) held.uncertain = true;
    }
  }
  return { ledger, wall, bySubject: incidentsBySubject(ledger), attempts };
}

function owedPhase(docket: Docket, record: IncidentRecord, to: ChannelRef): Phase | undefined {
  const { name: channel } = to;
  const { ledger, wall } = docket;
  const { incident } = record;
  const toldOpen = wasTold(ledger, incident, "open", channel);
  if (NOTE_KINDS.has(record.kind)) {
    const fresh = wall - (record.until ?? record.since) < NOTE_FRESH;
    return toldOpen || !fresh || isCovered(docket, record, channel) ? undefined : "open";
  }
  if (ledger.open.has(incident)) return toldOpen || isSuperseded(docket, record, to) ? undefined : "open";
  if (!toldOpen) {
    // Who may have read the beginning is told it for certain, and then its end.
    const uncertain = docket.attempts.get(dutyKey({ incident, phase: "open", channel }))?.uncertain === true;
    const fresh = wall - (resolutionOf(ledger, incident)?.at ?? 0) < NOTE_FRESH;
    return uncertain && fresh ? "open" : undefined;
  }
  if (wasTold(ledger, incident, "resolved", channel)) return undefined;
  // Nobody has repaired a link because one of its ends died: that is told by itself.
  if (!ABSENCES.has(record.kind) && resolutionOf(ledger, incident)?.how === "replaced") return undefined;
  return isAwayAgain(docket, record) ? undefined : "resolved";
}

const openAbsences = (docket: Docket, subject: NodeId | undefined): IncidentRecord[] =>
  subject === undefined
    ? []
    : (docket.bySubject.get(subject) ?? []).filter(
        (other) => ABSENCES.has(other.kind) && docket.ledger.open.has(other.incident),
      );

/** "It is back" waits while another incident says that it is not; both then end in one message. */
function isAwayAgain(docket: Docket, record: IncidentRecord): boolean {
  if (record.kind === "heat") return isStillWarm(docket, record);
  return ABSENCES.has(record.kind) && openAbsences(docket, record.subject).length > 0;
}

/** No longer critical, but still past the warning: one message ends both. Of a host that is away nothing is known. */
function isStillWarm(docket: Docket, { subject, topic = "" }: IncidentRecord): boolean {
  const sensor = topic.split(" ")[0];
  return (
    openAbsences(docket, subject).length > 0 ||
    (docket.bySubject.get(subject) ?? []).some(
      (other) =>
        other.kind === "heat" &&
        other.topic?.split(" ")[0] === sensor &&
        docket.ledger.open.has(other.incident),
    )
  );
}

/** Another incident, which this channel is told of, says more. */
function isSuperseded(docket: Docket, record: IncidentRecord, channel: ChannelRef): boolean {
  const { kind, subject, topic, incarnation } = record;
  const about = docket.bySubject.get(subject) ?? [];
  const flap = absorbedBy(docket.ledger, about, record);
  if (flap !== undefined && takes(channel, flap)) return true;
  // A daemon's death is not worth a message of its own once its host is down.
  if (kind === "daemon-down")
    return openAbsences(docket, subject).some(
      (other) => other.kind === "down" && other.incarnation >= incarnation,
    );
  // Between two hosts of which one is down there is nothing to repair.
  return (
    kind === "link-problem" &&
    (openAbsences(docket, subject).length > 0 || openAbsences(docket, topic).length > 0)
  );
}

/** A note tells nothing new where the same absence was told as an incident: its recovery says it. */
function isCovered(docket: Docket, note: IncidentRecord, channel: string): boolean {
  if (note.kind !== "restarted" && note.kind !== "cut-off") return false;
  const { ledger } = docket;
  const isAbout = ({ kind, subject, topic }: IncidentRecord): boolean =>
    ((ABSENCES.has(kind) || kind === "flapping") && subject === note.subject) ||
    (kind === "link-problem" && (subject === note.subject || topic === note.subject));
  return [...docket.bySubject.values()].flat().some((other) => {
    if (!isAbout(other) || !wasTold(ledger, other.incident, "open", channel)) return false;
    const ended = resolutionOf(ledger, other.incident)?.at ?? Number.POSITIVE_INFINITY;
    return other.since <= (note.until ?? note.since) && ended >= note.since;
  });
}

/** Whether the channel is the one to be told: by its own choice, or because another has failed for good. */
function isRouted(
  state: Owing,
  docket: Docket,
  record: IncidentRecord,
  channel: ChannelRef,
  phase: Phase,
): boolean {
  if (channel.onlyAsFallback !== true && takes(channel, record)) return true;
  // What it was told the beginning of, it is told the end of.
  if (phase === "resolved") return wasTold(docket.ledger, record.incident, "open", channel.name);
  return state.channels.some(
    (failing) =>
      failing.fallback === channel.name &&
      takes(failing, record) &&
      !wasTold(docket.ledger, record.incident, phase, failing.name) &&
      isExhausted(state, docket, record.incident, phase, failing.name),
  );
}

export function takes(channel: ChannelRef, record: IncidentRecord): boolean {
  if (channel.name === INBOX) return true;
  const { minSeverity = "info", kinds } = channel;
  return isAtMost(minSeverity, severityOf(record)) && (kinds === undefined || kinds.includes(record.kind));
}

/** Every living node that has the channel has lost its turn on it. */
function isExhausted(
  state: Owing,
  docket: Docket,
  incident: IncidentId,
  phase: Phase,
  channel: string,
): boolean {
  const failed = docket.attempts.get(dutyKey({ incident, phase, channel }))?.failed;
  return failed !== undefined && candidates(state, channel).every((node) => failed.has(node));
}
