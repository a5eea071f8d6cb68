/**
 * Turns, intents, leases, receipts: at least one delivery while any node with a
 * working channel lives, and one only where the nodes can hear one another.
 */
import { hashParts } from "../kit/hash.ts";
import { after, between, type Duration, earlier, earliest, type Instant, later } from "../kit/time.ts";
import { composeNotification } from "./compose.ts";
import { type Duty, dutiesOf, dutyKey } from "./duties.ts";
import { publish } from "./gossip.ts";
import type { DeliveryOutcome, Effect } from "./io.ts";
import { incidentOf } from "./ledger.ts";
import type { DeliveryRecord, IncidentRecord, LedgerRecord, Phase } from "./ledger-records.ts";
import {
  DELIVERY_LOST,
  DETAIL_MAX,
  INTENT_LEASE,
  RETRY_FIRST,
  RETRY_MAX,
  SETTLE,
  SETTLE_RECOVERY,
  TURN_ATTEMPTS,
} from "./limits.ts";
import { isOverdue } from "./peer.ts";
import { type NodeState, nameOf, notice, type Turn } from "./state.ts";
import { testConcluded } from "./test-message.ts";
import { failureKey, INBOX, rank, turnAt } from "./turns.ts";
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
  retryAt: Instant | undefined;
}

export interface NotifyState {
  readonly sendings: Map<string, Sending>;
  /** When this node first saw each duty, by dutyKey. */
  readonly firstSeen: Map<string, Instant>;
  /** Others' intents: until when they hold this node back, by dutyKey. */
  readonly holds: Map<string, { readonly node: NodeId; readonly until: Instant }>;
  /** Last failed turn, by failureKey. */
  readonly failures: Map<string, Instant>;
  /** This node's own pause on a channel after lost turns. */
  readonly pauses: Map<string, { readonly length: Duration; readonly until: Instant }>;
  /** Operators' test messages under way: delivery id to request. */
  readonly tests: Map<string, { readonly request: string; readonly channel: string }>;
  /** Derived from the ledger at `dutiesRevision`. */
  duties: readonly Duty[];
  dutiesRevision: number;
  wakeAt: Instant | undefined;
}

export const emptyNotify = (): NotifyState => ({
  sendings: new Map(),
  firstSeen: new Map(),
  holds: new Map(),
  failures: new Map(),
  pauses: new Map(),
  tests: new Map(),
  duties: [],
  dutiesRevision: -1,
  wakeAt: undefined,
});

/** The part of a step that sends messages. */
export function notifyPeople(turn: Turn): void {
  const { notify } = turn.state;
  notify.wakeAt = undefined;
  refreshDuties(turn);
  for (const sending of [...notify.sendings.values()]) tend(turn, sending);
  for (const group of groups(turn)) consider(turn, group);
}

function refreshDuties(turn: Turn): void {
  const { state, env } = turn;
  const { notify } = state;
  if (notify.dutiesRevision === state.ledger.revision) return;
  notify.dutiesRevision = state.ledger.revision;
  notify.duties = dutiesOf(state.ledger, state.channels);
  const current = new Set(notify.duties.map(dutyKey));
  for (const key of current) if (!notify.firstSeen.has(key)) notify.firstSeen.set(key, env.now);
  for (const key of notify.firstSeen.keys()) if (!current.has(key)) notify.firstSeen.delete(key);
  for (const key of notify.holds.keys()) if (!current.has(key)) notify.holds.delete(key);
}

const wakeBy = (turn: Turn, at: Instant): void => {
  turn.state.notify.wakeAt = earliest(turn.state.notify.wakeAt, at);
};

/** Renews the lease, retries, or lets go of what nobody is owed any more. */
function tend(turn: Turn, sending: Sending): void {
  const { state, env } = turn;
  if (sending.inFlightSince !== undefined && between(sending.inFlightSince, env.now) >= DELIVERY_LOST) {
    concluded(turn, sending, { outcome: "temporary", detail: "no outcome in time" });
    return;
  }
  if (sending.inFlightSince === undefined) {
    const owed = sending.incidents.some((incident) =>
      state.notify.duties.some(
        (duty) =>
          duty.incident === incident && duty.phase === sending.phase && duty.channel === sending.channel,
      ),
    );
    if (!owed) {
      state.notify.sendings.delete(sending.message);
      return;
    }
    if (sending.retryAt !== undefined && sending.retryAt <= env.now) {
      launch(turn, sending);
      return;
    }
  }
  if (sending.renewAt <= env.now) renew(turn, sending, []);
  wakeBy(turn, sending.renewAt);
  if (sending.retryAt !== undefined) wakeBy(turn, sending.retryAt);
}

/** Records and gossips "I am sending now"; `then` waits until that is on disk. */
function renew(turn: Turn, sending: Sending, then: readonly Effect[]): void {
  sending.renewal += 1;
  sending.renewAt = after(turn.env.now, (INTENT_LEASE / 2) as Duration);
  publish(
    turn,
    [
      {
        t: "intent",
        message: sending.message,
        incidents: sending.incidents,
        phase: sending.phase,
        channel: sending.channel,
        node: turn.state.self,
        at: turn.env.wall,
        renewal: sending.renewal,
      },
    ],
    then,
  );
}

interface Group {
  readonly phase: Phase;
  readonly channel: string;
  readonly duties: Duty[];
}

/** Duties that nobody works on, by phase and channel: each group becomes one message. */
function groups(turn: Turn): Group[] {
  const byKind = new Map<string, Group>();
  for (const duty of turn.state.notify.duties) {
    if (!isFree(turn, duty)) continue;
    const key = `${duty.phase} ${duty.channel}`;
    const group = byKind.get(key) ?? { phase: duty.phase, channel: duty.channel, duties: [] };
    group.duties.push(duty);
    byKind.set(key, group);
  }
  return [...byKind.values()];
}

function isFree(turn: Turn, duty: Duty): boolean {
  const { state, env } = turn;
  for (const sending of state.notify.sendings.values()) {
    const same = sending.phase === duty.phase && sending.channel === duty.channel;
    if (same && sending.incidents.includes(duty.incident)) return false;
  }
  const hold = state.notify.holds.get(dutyKey(duty));
  if (hold !== undefined && env.now < hold.until && state.peers.get(hold.node)?.condition.kind !== "down") {
    wakeBy(turn, hold.until);
    return false;
  }
  if (duty.phase === "resolved") return true;
  const subject = state.peers.get(duty.subject)?.condition.kind;
  // It lives, as far as this node can hear: the incident is about to be resolved, or is others' to tell.
  if (subject === "alive" || subject === "link-problem") return false;
  const mayTellAt = after(
    firstSeen(state, duty),
    duty.kind === "daemon-down" ? state.policy.daemonDownGrace : (0 as Duration),
  );
  if (env.now < mayTellAt) {
    wakeBy(turn, mayTellAt);
    return false;
  }
  return true;
}

const firstSeen = (state: NodeState, duty: Duty): Instant =>
  state.notify.firstSeen.get(dutyKey(duty)) ?? (0 as Instant);

/** Waits for what belongs together, then for one's turn, then goes. */
function consider(turn: Turn, group: Group): void {
  const readyAt = turnOf(turn, group);
  if (readyAt === undefined) return;
  if (turn.env.now < readyAt) wakeBy(turn, readyAt);
  else take(turn, group);
}

/** When this node may send the group's message; undefined when it cannot. */
function turnOf(turn: Turn, group: Group): Instant | undefined {
  const { state, env } = turn;
  const seen = group.duties.map((duty) => firstSeen(state, duty)).reduce(earlier);
  const settled = settledAt(turn, group, seen);
  const paused = state.notify.pauses.get(group.channel)?.until ?? settled;
  const anchor = group.duties.map((duty) => duty.incident).sort()[0] ?? "";
  const place = rank(state, anchor, group.channel, env.now, env.wall).indexOf(state.self);
  if (place < 0) return undefined;
  return later(later(settled, paused), turnAt(lastFailure(state, group.channel, seen), place));
}

function settledAt(turn: Turn, group: Group, seen: Instant): Instant {
  const { state, env } = turn;
  if (group.phase === "open") {
    const undecided = [...state.peers.values()].some(
      (peer) => peer.condition.kind === "suspect" || isOverdue(peer, env.now),
    );
    return undecided ? after(seen, SETTLE) : seen;
  }
  const othersMissing = [...state.ledger.open.keys()].some((incident) =>
    state.ledger.told.has(`${incident} open ${group.channel}`),
  );
  return othersMissing ? after(seen, SETTLE_RECOVERY) : seen;
}

/** Ranks are counted anew from the last failure that anyone reported on the channel. */
function lastFailure(state: NodeState, channel: string, since: Instant): Instant {
  let latest = since;
  for (const [key, at] of state.notify.failures) if (key.endsWith(` ${channel}`) && at > latest) latest = at;
  return latest;
}

function take(turn: Turn, group: Group): void {
  const incidents = [...new Set(group.duties.map((duty) => duty.incident))].sort();
  const message = hashParts("balefire-message-1", group.phase, group.channel, ...incidents).slice(0, 32);
  const sending: Sending = {
    message,
    incidents,
    phase: group.phase,
    channel: group.channel,
    attempt: 0,
    renewal: lastRenewal(turn, message),
    renewAt: turn.env.now,
    inFlightSince: undefined,
    retryAt: turn.env.now,
  };
  turn.state.notify.sendings.set(message, sending);
  launch(turn, sending);
}

function lastRenewal(turn: Turn, message: string): number {
  const held = turn.state.ledger.records.get(`n/${message}/${turn.state.self}`);
  return held?.t === "intent" ? held.renewal : 0;
}

function launch(turn: Turn, sending: Sending): void {
  const { state, env } = turn;
  const records = sending.incidents.flatMap((id): IncidentRecord[] => {
    const record = incidentOf(state.ledger, id);
    return record === undefined ? [] : [record];
  });
  sending.attempt += 1;
  sending.inFlightSince = env.now;
  sending.retryAt = undefined;
  const notification = composeNotification(state, sending.message, sending.phase, records, env.wall);
  renew(turn, sending, [
    { type: "deliver", delivery: sending.message, channel: sending.channel, notification },
  ]);
  wakeBy(turn, sending.renewAt);
}

/** The outcome of a `deliver` effect. */
export function delivered(turn: Turn, delivery: string, channel: string, result: DeliveryOutcome): void {
  if (testConcluded(turn, delivery, channel, result)) return;
  const sending = turn.state.notify.sendings.get(delivery);
  if (sending !== undefined && sending.inFlightSince !== undefined) concluded(turn, sending, result);
}

function concluded(turn: Turn, sending: Sending, result: DeliveryOutcome): void {
  const { state, env } = turn;
  sending.inFlightSince = undefined;
  if (result.outcome === "temporary" && sending.attempt < TURN_ATTEMPTS) {
    const wait = Math.max(RETRY_FIRST * 2 ** (sending.attempt - 1), result.retryAfterMs ?? 0);
    sending.retryAt = after(env.now, Math.min(wait, RETRY_MAX) as Duration);
    wakeBy(turn, sending.retryAt);
    return;
  }
  state.notify.sendings.delete(sending.message);
  if (result.outcome === "delivered") state.notify.pauses.delete(sending.channel);
  else loseTurn(turn, sending.channel);
  const receipt = receiptOf(turn, sending, result);
  publish(turn, [receipt, ...inboxRecord(turn, sending, result)]);
  const title = titleOf(turn, sending);
  notice(turn, {
    type: "message",
    phase: sending.phase,
    channel: sending.channel,
    node: state.self,
    title,
    outcome: receipt.outcome,
    detail: result.detail,
  });
}

function loseTurn(turn: Turn, channel: string): void {
  const { state, env } = turn;
  state.notify.failures.set(failureKey(state.self, channel), env.now);
  const last = state.notify.pauses.get(channel)?.length ?? ((RETRY_FIRST * 5) as Duration);
  const length = Math.min(last * 2, RETRY_MAX) as Duration;
  // A tenth of jitter keeps nodes that failed together from trying together for ever.
  const until = after(env.now, (length * (0.95 + 0.1 * env.random.next())) as Duration);
  state.notify.pauses.set(channel, { length, until });
}

function receiptOf(turn: Turn, sending: Sending, result: DeliveryOutcome): DeliveryRecord {
  const held = turn.state.ledger.records.get(`d/${sending.message}/${turn.state.self}`);
  return {
    t: "delivery",
    message: sending.message,
    incidents: sending.incidents,
    phase: sending.phase,
    channel: sending.channel,
    node: turn.state.self,
    at: turn.env.wall,
    outcome: result.outcome === "delivered" ? "delivered" : "failed",
    attempt: (held?.t === "delivery" ? held.attempt : 0) + sending.attempt,
    detail: result.detail.slice(0, DETAIL_MAX),
  };
}

function composed(turn: Turn, sending: Sending): { title: string; text: string } {
  const records = sending.incidents.flatMap((id) => incidentOf(turn.state.ledger, id) ?? []);
  return composeNotification(turn.state, sending.message, sending.phase, records, turn.env.wall);
}

const titleOf = (turn: Turn, sending: Sending): string => composed(turn, sending).title;

function inboxRecord(turn: Turn, sending: Sending, result: DeliveryOutcome): LedgerRecord[] {
  if (sending.channel !== INBOX || result.outcome !== "delivered") return [];
  const { title, text } = composed(turn, sending);
  const { message, incidents, phase } = sending;
  return [{ t: "message", message, incidents, phase, node: turn.state.self, at: turn.env.wall, title, text }];
}

/** What peers' records mean for this node's turns. */
export function noteRecords(turn: Turn, records: readonly LedgerRecord[]): void {
  const { state, env } = turn;
  const { notify } = state;
  for (const record of records) {
    if ((record.t !== "intent" && record.t !== "delivery") || record.node === state.self) continue;
    const keys = record.incidents.map((incident) => dutyKey({ ...record, incident }));
    if (record.t === "intent") {
      for (const key of keys)
        notify.holds.set(key, { node: record.node, until: after(env.now, INTENT_LEASE) });
      continue;
    }
    for (const key of keys) if (notify.holds.get(key)?.node === record.node) notify.holds.delete(key);
    if (record.outcome === "failed") notify.failures.set(failureKey(record.node, record.channel), env.now);
    notice(turn, {
      type: "message",
      phase: record.phase,
      channel: record.channel,
      node: record.node,
      title: `${nameOf(state, record.node)} told of ${record.incidents.length} incident(s)`,
      outcome: record.outcome,
      detail: record.detail,
    });
  }
}

/** After a restart: what was begun and has no outcome is taken up again, under the same message id. */
export function resume(turn: Turn): void {
  const { state, env } = turn;
  refreshDuties(turn);
  for (const record of state.ledger.records.values()) {
    if (record.t !== "intent" || record.node !== state.self) continue;
    const owed = state.notify.duties.some(
      (duty) =>
        duty.phase === record.phase &&
        duty.channel === record.channel &&
        record.incidents.includes(duty.incident),
    );
    if (!owed || state.ledger.records.has(`d/${record.message}/${state.self}`)) continue;
    state.notify.sendings.set(record.message, {
      message: record.message,
      incidents: record.incidents,
      phase: record.phase,
      channel: record.channel,
      attempt: 0,
      renewal: record.renewal,
      renewAt: env.now,
      inFlightSince: undefined,
      retryAt: env.now,
    });
  }
}
