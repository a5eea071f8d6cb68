/**
 * Turns, intents, leases, receipts: at least one delivery while any node with a
 * working channel lives, and one only where the nodes can hear one another.
 */
import { after, type Duration, earlier, type Instant, later } from "../kit/time.ts";
import { type Duty, dutiesOf, dutyKey } from "./duties.ts";
import type { LedgerRecord, Phase } from "./ledger-records.ts";
import { INTENT_LEASE, MESSAGE_INCIDENTS_MAX, RETURN_PATIENCE, SETTLE, SETTLE_RECOVERY } from "./limits.ts";
import { isOverdue } from "./peer.ts";
import { take, tend } from "./sending.ts";
import { type NodeState, nameOf, notice, type Turn, wakeBy } from "./state.ts";
import { failureKey, rank, turnAt } from "./turns.ts";

/** The part of a step that sends messages. */
export function notifyPeople(turn: Turn): void {
  const { notify } = turn.state;
  notify.wakeAt = undefined;
  refreshDuties(turn);
  for (const sending of [...notify.sendings.values()]) tend(turn, sending);
  for (const group of groups(turn)) consider(turn, group);
}

/** Brings what is owed up to date with the ledger. */
export function refreshDuties(turn: Turn): void {
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
  // What others hold of this very node it knows better: its next beat ends the incident.
  if (duty.subject === state.self) return false;
  const subject = state.peers.get(duty.subject)?.condition.kind;
  // It lives, as far as this node can hear: the incident is about to be resolved, or is others' to tell.
  if (subject === "alive" || subject === "link-problem") return false;
  const due = dueAt(state, duty);
  if (env.now < due) wakeBy(turn, due);
  return env.now >= due;
}

/** From when on a duty counts: a daemon's death only after its grace. */
function dueAt(state: NodeState, duty: Duty): Instant {
  const grace =
    duty.phase === "open" && duty.kind === "daemon-down" ? state.policy.daemonDownGrace : (0 as Duration);
  const seen = after(firstSeen(state, duty), grace);
  // Just back from hearing nobody, a node gives the others time to be heard before it says they are not.
  const returned = duty.phase === "open" ? state.returnedAt : undefined;
  return returned === undefined || returned < firstSeen(state, duty)
    ? seen
    : later(seen, after(returned, RETURN_PATIENCE));
}

const firstSeen = (state: NodeState, duty: Duty): Instant =>
  state.notify.firstSeen.get(dutyKey(duty)) ?? (0 as Instant);

/** Waits for what belongs together, then for one's turn, then goes. */
function consider(turn: Turn, group: Group): void {
  const readyAt = turnOf(turn, group);
  if (readyAt === undefined) return;
  if (turn.env.now < readyAt) wakeBy(turn, readyAt);
  else take(turn, group.phase, group.channel, group.duties.slice(0, MESSAGE_INCIDENTS_MAX));
}

/** When this node may send the group's message; undefined when it cannot. */
function turnOf(turn: Turn, group: Group): Instant | undefined {
  const { state, env } = turn;
  const seen = group.duties.map((duty) => dueAt(state, duty)).reduce(earlier);
  const settled = settledAt(turn, group, seen);
  const paused = state.notify.pauses.get(group.channel)?.until ?? settled;
  const anchor = group.duties.map((duty) => duty.incident).sort()[0] ?? "";
  const place = rank(state, anchor, group.channel, env.wall).indexOf(state.self);
  if (place < 0) return undefined;
  return later(later(settled, paused), turnAt(lastSign(state, group, seen), place));
}

function settledAt(turn: Turn, group: Group, seen: Instant): Instant {
  const { state, env } = turn;
  if (group.phase === "open") {
    // Its own doubt about the very subjects counts too: with its verdict comes its evidence.
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

/** Ranks are counted anew from the last failure on the channel, or the end of a lease that came to nothing. */
function lastSign(state: NodeState, group: Group, since: Instant): Instant {
  let latest = since;
  for (const [key, at] of state.notify.failures) {
    if (key.endsWith(` ${group.channel}`)) latest = later(latest, at);
  }
  for (const duty of group.duties) {
    const hold = state.notify.holds.get(dutyKey(duty));
    if (hold !== undefined && state.peers.get(hold.node)?.condition.kind !== "down")
      latest = later(latest, hold.until);
  }
  return latest;
}

/** What peers' records mean for this node's turns. */
export function noteRecords(turn: Turn, records: readonly LedgerRecord[]): void {
  const { state, env } = turn;
  const { notify } = state;
  for (const record of records) {
    if ((record.t !== "intent" && record.t !== "delivery") || !state.peers.has(record.node)) continue;
    const keys = record.incidents.map((incident) => dutyKey({ ...record, incident }));
    if (record.t === "intent") {
      for (const key of keys)
        notify.holds.set(key, { node: record.node, until: after(env.now, INTENT_LEASE) });
      continue;
    }
    for (const key of keys) if (notify.holds.get(key)?.node === record.node) notify.holds.delete(key);
    const isOurs = state.channels.some((channel) => channel.name === record.channel);
    if (record.outcome === "failed" && isOurs)
      notify.failures.set(failureKey(record.node, record.channel), env.now);
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
