/** An operator's test message: over the production path, and recorded as proof that the channel works. */
import { hashParts } from "../kit/hash.ts";
import { isoTime } from "../kit/time.ts";
import { publish } from "./entries.ts";
import type { DeliveryOutcome } from "./io.ts";
import type { DeliveryRecord } from "./ledger-records.ts";
import { DETAIL_MAX } from "./limits.ts";
import type { Notification } from "./notification.ts";
import { aliveCount, nameOf, type Turn } from "./state.ts";

export function sendTest(turn: Turn, channel: string, request: string): void {
  const { state, env } = turn;
  if (!state.channels.some((own) => own.name === channel)) {
    const detail = `this node has no channel named ${channel}`;
    turn.effects.push({ type: "tested", request, result: { outcome: "permanent", detail } });
    return;
  }
  const delivery = hashParts("balefire-test-1", state.self, channel, request, String(env.wall)).slice(0, 32);
  state.notify.tests.set(delivery, { request, channel });
  turn.effects.push({ type: "deliver", delivery, channel, notification: testNotification(turn, delivery) });
}

function testNotification(turn: Turn, id: string): Notification {
  const { state, env } = turn;
  const node = nameOf(state, state.self);
  const alive = aliveCount(state);
  return {
    schema: 1,
    id,
    kind: "test",
    state: "note",
    severity: "info",
    follows: [],
    verdict: "unknown",
    subjects: [],
    since: isoTime(env.wall),
    viewpoint: { node, alone: alive === 1, alive, of: state.roster.members.length },
    evidence: [],
    title: `Test message from ${node}`,
    text: `A test of this channel, sent by ${node}. Nothing is wrong.`,
  };
}

/** True when the delivery was a test's. */
export function testConcluded(
  turn: Turn,
  delivery: string,
  channel: string,
  result: DeliveryOutcome,
): boolean {
  const { state, env } = turn;
  const test = state.notify.tests.get(delivery);
  if (test === undefined) return false;
  state.notify.tests.delete(delivery);
  const record: DeliveryRecord = {
    t: "delivery",
    message: delivery,
    incidents: [],
    phase: "open",
    channel,
    node: state.self,
    at: env.wall,
    outcome: result.outcome === "delivered" ? "delivered" : "failed",
    attempt: 1,
    detail: result.detail.slice(0, DETAIL_MAX),
  };
  publish(turn, [record], [{ type: "tested", request: test.request, result }]);
  return true;
}
