/**
 * Turns, intents, leases, receipts: at least one delivery while any node with a
 * working channel lives, and one only where the nodes can hear one another.
 */
import { after, type Duration, earlier, type Instant, later } from "../kit/time.ts";
import { ABSENCES, type Duty, dutiesOf, dutyKey, isClaimWhileCutOff } from "./duties.ts";
import { keepFlapping } from "./flapping.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { INTENT_LEASE, MESSAGE_INCIDENTS_MAX, RETURN_PATIENCE } from "./limits.ts";
import { heldBack } from "./mutes.ts";
import { resumesAt, sendAgain, take, tend, yieldTo } from "./sending.ts";
import { type Group, settledAt } from "./settling.ts";
import { type NodeState, nameOf, notice, type Turn, wakeBy } from "./state.ts";
import { anchorOf, failureKey, INBOX, rank, turnAt } from "./turns.ts";

/** The part of a step that sends messages. */
export function notifyPeople(turn: Turn): void {
  const { notify } = turn.state;
  notify.wakeAt = undefined;
  keepFlapping(turn);
  refreshDuties(turn);
  for (const sending of [...notify.sendings.values()]) tend(turn, sending);
  for (const group of groups(turn)) consider(turn, group);
  repeatOpen(turn);
}

/** Brings what is owed up to date with the ledger. */
export function refreshDuties(turn: Turn): void {
  const { state, env } = turn;
  const { notify } = state;
  if (notify.dutiesRevision === state.ledger.revision) return;
  notify.dutiesRevision = state.ledger.revision;
  notify.duties = dutiesOf(state, env.wall);
  const current = new Set(notify.duties.map(({ key }) => key));
  for (const key of current) if (!notify.firstSeen.has(key)) notify.firstSeen.set(key, env.now);
  for (const key of notify.firstSeen.keys()) if (!current.has(key)) notify.firstSeen.delete(key);
  countFromTheFirst(state);
  for (const key of notify.mutedUntil.keys()) if (!current.has(key)) notify.mutedUntil.delete(key);
  for (const key of notify.holds.keys()) if (!current.has(key)) notify.holds.delete(key);
}

/** Duties that nobody works on, by phase, channel and family: each group becomes one message. */
function groups(turn: Turn): Group[] {
  const found = new Map<string, Group>();
  const { duties, sendings } = turn.state.notify;
  const inHand = new Set(
    [...sendings.values()].flatMap(({ incidents, phase, channel }) =>
      incidents.map((incident) => dutyKey({ incident, phase, channel })),
    ),
  );
  for (const duty of duties) {
    if (inHand.has(duty.key) || !isFree(turn, duty)) continue;
    const { phase, channel, family, together } = duty;
    const group = found.get(together) ?? { phase, channel, family, duties: [] };
    group.duties.push(duty);
    found.set(together, group);
  }
  return [...found.values()];
}

/** Nobody else works on it, nobody wants it held back, and it is about what still seems so to this node. */
function isFree(turn: Turn, duty: Duty): boolean {
  const { state, env } = turn;
  const hold = state.notify.holds.get(duty.key);
  if (hold !== undefined && env.now < hold.until && state.peers.get(hold.node)?.condition.kind !== "down") {
    wakeBy(turn, hold.until);
    return false;
  }
  if (isHeldBack(turn, duty)) return false;
  if (duty.phase === "resolved" || !state.ledger.open.has(duty.incident)) return true;
  if (ABSENCES.has(duty.kind)) {
    // What others hold of this very node it knows better: its next beat ends the incident.
    if (duty.subject === state.self) return false;
    if (isClaimWhileCutOff(state, duty)) return false;
    const subject = state.peers.get(duty.subject)?.condition.kind;
    // It lives, as far as this node can hear: the incident is about to be resolved, or is others' to tell.
    if (subject === "alive" || subject === "link-problem") return false;
  }
  const due = dueAt(state, duty);
  if (env.now < due) wakeBy(turn, due);
  return env.now >= due;
}

/** By a maintenance, a silence or quiet hours; the inbox is told all the same. */
function isHeldBack(turn: Turn, duty: Duty): boolean {
  const { state, env } = turn;
  if (duty.channel === INBOX) return false;
  const hold = heldBack(state, duty.record, env.wall);
  if (hold === undefined) {
    // Lifted before its time.
    const until = state.notify.mutedUntil.get(duty.key);
    if (until !== undefined && until > env.now) state.notify.mutedUntil.set(duty.key, env.now);
    return false;
  }
  const ends = after(env.now, ((hold.until ?? env.wall) - env.wall) as Duration);
  state.notify.mutedUntil.set(duty.key, ends);
  if (hold.until !== undefined) wakeBy(turn, ends);
  return true;
}

/** How long something may go on before a person is told. */
function graceOf(state: NodeState, duty: Duty): Duration {
  const { daemonDownGrace, linkProblemGrace, clockGrace } = state.policy;
  if (duty.phase === "resolved") return 0 as Duration;
  if (duty.kind === "daemon-down") return daemonDownGrace;
  if (duty.kind === "clock") return clockGrace;
  return duty.kind === "link-problem" ? linkProblemGrace : (0 as Duration);
}

/** From when on a duty counts. */
function dueAt(state: NodeState, duty: Duty): Instant {
  const muted = state.notify.mutedUntil.get(duty.key) ?? (0 as Instant);
  const first = state.notify.firstSeen.get(duty.key) ?? (0 as Instant);
  const seen = later(muted, later(resumesAt(state), after(first, graceOf(state, duty))));
  // Just back from hearing nobody, a node gives the others time to be heard before it says they are not.
  const returned = duty.phase === "open" ? state.returnedAt : undefined;
  return returned === undefined || returned < first ? seen : later(seen, after(returned, RETURN_PATIENCE));
}

/** Broken links come in company, each found in its own time: all of them count from the first. */
function countFromTheFirst({ notify: { duties, firstSeen } }: NodeState): void {
  const first = new Map<string, Instant>();
  const links = duties.filter(({ kind }) => kind === "link-problem");
  for (const duty of links) {
    const own = firstSeen.get(duty.key) ?? (0 as Instant);
    first.set(duty.together, earlier(first.get(duty.together) ?? own, own));
  }
  for (const duty of links) firstSeen.set(duty.key, first.get(duty.together) ?? (0 as Instant));
}

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
  const base = later(settled, lastSign(state, group, seen));
  // Whose turn it is takes long to find in a large mesh.
  if (env.now < later(paused, base)) return later(paused, base);
  const about = group.duties.map(({ record }) => record);
  const incidents = about.map(({ incident }) => incident);
  const anchor = anchorOf(group.phase, group.family, incidents);
  const place = rank(state, anchor, group.channel, env.wall, about).indexOf(state.self);
  return place < 0 ? undefined : later(paused, turnAt(base, place, group.phase));
}

/** Says again what is open on channels whose service forgets it otherwise; one node does. */
function repeatOpen(turn: Turn): void {
  const { state, env } = turn;
  for (const { name, resendEvery } of state.channels) {
    if (resendEvery === undefined) continue;
    const due = state.notify.resendAt.get(name) ?? after(env.now, resendEvery);
    const isDue = due <= env.now;
    const next = isDue ? after(env.now, resendEvery) : due;
    state.notify.resendAt.set(name, next);
    wakeBy(turn, next);
    if (isDue && rank(state, name, name, env.wall)[0] === state.self) sendAgain(turn, name);
  }
}

/** Ranks are counted anew from the last failure on the channel, or the end of a lease that came to nothing. */
function lastSign(state: NodeState, group: Group, since: Instant): Instant {
  let latest = since;
  for (const [key, at] of state.notify.failures) {
    if (key.endsWith(` ${group.channel}`)) latest = later(latest, at);
  }
  for (const duty of group.duties) {
    const hold = state.notify.holds.get(duty.key);
    if (hold === undefined) continue;
    const holder = state.peers.get(hold.node);
    // A sender that has died holds nobody back; the others' turns count from its death.
    latest = later(
      latest,
      holder?.condition.kind === "down" ? earlier(holder.changedAt, hold.until) : hold.until,
    );
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
      yieldTo(turn, record);
      continue;
    }
    for (const key of keys) if (notify.holds.get(key)?.node === record.node) notify.holds.delete(key);
    const isOurs = state.channels.some((channel) => channel.name === record.channel);
    if (record.outcome === "delivered" && record.phase === "open") notify.toldAt.set(record.channel, env.now);
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
