/** Sending a message this node has taken on: intent, delivery, retries under a lease, receipt. */
import { hashParts } from "../kit/hash.ts";
import { after, between, type Duration, type Instant } from "../kit/time.ts";
import { composeNotification } from "./compose.ts";
import { type Duty, isClaimWhileCutOff } from "./duties.ts";
import { publish } from "./entries.ts";
import type { DeliveryOutcome, Effect } from "./io.ts";
import { incidentOf, wasTold } from "./ledger.ts";
import type { DeliveryRecord, IncidentRecord, IntentRecord, LedgerRecord, Phase } from "./ledger-records.ts";
import {
  ANNOUNCED_FOR,
  DELIVERY_LOST,
  DETAIL_MAX,
  INTENT_LEASE,
  MESSAGE_INCIDENTS_MAX,
  RESUME_PATIENCE,
  RETRY_FIRST,
  RETRY_MAX,
  TURN_ATTEMPTS,
  TURN_WAIT_MAX,
} from "./limits.ts";
import type { Sending } from "./notify-state.ts";
import { type Audience, type NodeState, notice, type Turn, wakeBy } from "./state.ts";
import { testConcluded } from "./test-message.ts";
import { failureKey, INBOX } from "./turns.ts";
import type { IncidentId } from "./types.ts";

/** Renews the lease, retries, or lets go of what nobody is owed any more. */
export function tend(turn: Turn, sending: Sending): void {
  const { state, env } = turn;
  if (sending.inFlightSince !== undefined && between(sending.inFlightSince, env.now) >= DELIVERY_LOST) {
    concluded(turn, sending, { outcome: "temporary", detail: "no outcome in time", uncertain: true });
    return;
  }
  if (sending.inFlightSince === undefined) {
    const { phase } = sending;
    if (sending.incidents.every((incident) => isClaimWhileCutOff(state, { incident, phase }))) {
      giveUp(turn, sending);
      return;
    }
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

/** What it had begun to say it lets be; whether the receiver has it all the same is on record. */
function giveUp(turn: Turn, sending: Sending): void {
  turn.state.notify.sendings.delete(sending.message);
  const detail = "this node is cut off itself";
  publish(turn, [receiptOf(turn, sending, { outcome: "permanent", detail })]);
}

/** Records and gossips "I am sending now"; `afterwards` waits until that is on disk. */
function renew(
  turn: Turn,
  sending: Sending,
  afterwards: readonly Effect[],
  audience: Audience = "by-part",
): void {
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
    afterwards,
    audience,
  );
}

/**
 * Takes on one message for a group of duties. What another node has begun and not ended is taken up as
 * it was: under the same id, a receiver that takes a key shows it once.
 */
export function take(turn: Turn, phase: Phase, channel: string, duties: readonly Duty[]): void {
  const owed = [...new Set(duties.map((duty) => duty.incident))].sort();
  const incidents = begun(turn, phase, channel, owed) ?? owed;
  const message = hashParts("balefire-message-1", phase, channel, ...incidents).slice(0, 32);
  const sending: Sending = {
    message,
    incidents,
    phase,
    channel,
    attempt: 0,
    renewal: lastRenewal(turn, message),
    renewAt: turn.env.now,
    inFlightSince: undefined,
    uncertain: false,
    retryAt: turn.env.now,
  };
  turn.state.notify.sendings.set(message, sending);
  if (turn.state.notify.pauses.has(channel)) announce(turn, sending);
  else launch(turn, sending);
}

/** Pauses know nothing of turns: two nodes whose pauses end together would both send. */
function announce(turn: Turn, sending: Sending): void {
  sending.retryAt = after(turn.env.now, ANNOUNCED_FOR);
  // Anyone's pause may end now, first in line or not.
  renew(turn, sending, [], "everyone");
  wakeBy(turn, sending.retryAt);
}

/** Of two that have announced the same, and not begun, the one with the lower id goes on. */
export function yieldTo({ state }: Turn, intent: IntentRecord): void {
  if (intent.node > state.self) return;
  for (const { message, attempt, phase, channel, incidents } of [...state.notify.sendings.values()]) {
    if (attempt > 0 || phase !== intent.phase || channel !== intent.channel) continue;
    if (incidents.some((incident) => intent.incidents.includes(incident)))
      state.notify.sendings.delete(message);
  }
}

/** The incidents of an unfinished message that is owed as a whole. */
function begun(
  turn: Turn,
  phase: Phase,
  channel: string,
  owed: readonly IncidentId[],
): readonly IncidentId[] | undefined {
  const { ledger } = turn.state;
  for (const record of ledger.records.values()) {
    if (record.t !== "intent" || record.phase !== phase || record.channel !== channel) continue;
    if (record.incidents.length === 0) continue;
    const receipt = ledger.records.get(`d/${record.message}/${record.node}`);
    const isOver = receipt?.t === "delivery" && receipt.uncertain !== true;
    if (!isOver && record.incidents.every((incident) => owed.includes(incident))) return record.incidents;
  }
  return undefined;
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
  const notification = composeNotification(
    state,
    { ...sending, id: sending.message, incidents: records },
    env.wall,
  );
  renew(turn, sending, [
    { type: "deliver", delivery: sending.message, channel: sending.channel, notification },
  ]);
  wakeBy(turn, sending.renewAt);
}

/** Repeats all that is open and was told on a channel, as it stands; nobody is owed this, so nothing is recorded. */
export function sendAgain(turn: Turn, channel: string): void {
  const { state, env } = turn;
  const told = [...state.ledger.open.values()].filter(({ incident }) =>
    wasTold(state.ledger, incident, "open", channel),
  );
  for (let at = 0; at < told.length; at += MESSAGE_INCIDENTS_MAX) {
    const records = told.slice(at, at + MESSAGE_INCIDENTS_MAX);
    const delivery = hashParts("balefire-repeat-1", channel, String(env.wall), String(at)).slice(0, 32);
    const notification = composeNotification(
      state,
      { id: delivery, channel, phase: "open", incidents: records },
      env.wall,
    );
    turn.effects.push({ type: "deliver", delivery, channel, notification });
  }
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
  if (result.outcome === "temporary" && result.uncertain === true) sending.uncertain = true;
  if (result.outcome === "delivered") sending.uncertain = false;
  const wait = retryWait(sending, result);
  if (wait !== undefined) {
    sending.retryAt = after(env.now, wait);
    wakeBy(turn, sending.retryAt);
    return;
  }
  state.notify.sendings.delete(sending.message);
  if (result.outcome === "delivered") {
    state.notify.pauses.delete(sending.channel);
    if (sending.phase === "open") state.notify.toldAt.set(sending.channel, env.now);
  }
  if (result.outcome !== "delivered") loseTurn(turn, sending.channel);
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

/** How long to wait within this turn; undefined when another node had better try. */
function retryWait(sending: Sending, result: DeliveryOutcome): Duration | undefined {
  if (result.outcome !== "temporary" || sending.attempt >= TURN_ATTEMPTS) return undefined;
  const wait = Math.max(RETRY_FIRST * 2 ** (sending.attempt - 1), result.retryAfterMs ?? 0);
  return wait > TURN_WAIT_MAX ? undefined : (wait as Duration);
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
    ...(sending.uncertain ? { uncertain: true } : {}),
    attempt: (held?.t === "delivery" ? held.attempt : 0) + sending.attempt,
    detail: result.detail.slice(0, DETAIL_MAX),
  };
}

function composed(turn: Turn, sending: Sending): { title: string; text: string } {
  const records = sending.incidents.flatMap((id) => incidentOf(turn.state.ledger, id) ?? []);
  return composeNotification(
    turn.state,
    { ...sending, id: sending.message, incidents: records },
    turn.env.wall,
  );
}

const titleOf = (turn: Turn, sending: Sending): string => composed(turn, sending).title;

function inboxRecord(turn: Turn, sending: Sending, result: DeliveryOutcome): LedgerRecord[] {
  if (sending.channel !== INBOX || result.outcome !== "delivered") return [];
  const { title, text } = composed(turn, sending);
  const { message, incidents, phase } = sending;
  return [{ t: "message", message, incidents, phase, node: turn.state.self, at: turn.env.wall, title, text }];
}

/** After a restart: what was begun and has no outcome is taken up again, under the same message id. */
export function resume(turn: Turn): void {
  const { state, env } = turn;
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
      uncertain: false,
      retryAt: resumesAt(state),
    });
  }
}

/** From when on this node tells anything: by then it hears the others, and their receipts are here, if there are any. */
export function resumesAt({ notify, peers }: Pick<NodeState, "notify" | "peers">): Instant {
  return peers.size === 0 ? notify.since : after(notify.since, RESUME_PATIENCE);
}
