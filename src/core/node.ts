/**
 * One node's mind: every input goes through `step`, every decision comes out as
 * effects. The daemon and the simulator drive this same function. The state is
 * changed in place and handed back; keep no old ones.
 */
import { unreachable } from "../kit/assert.ts";
import { after, between, earliest, type Instant, later } from "../kit/time.ts";
import { forgotten, isLedgerKey, resend, storedRecord, supply, takeIn } from "./gossip.ts";
import { keepHeartbeats, nextPingAt, pinged } from "./heartbeat.ts";
import { deadIncarnation, noteLife } from "./incidents.ts";
import type { Birth, Effect, Env, Input, RosterView, Step, TransportEvent } from "./io.ts";
import { uplinkSeen } from "./isolation.ts";
import { emptyLedger, incidentOf, merge, prune } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { PRUNE_EVERY, REWRITE_RECORDS, STALL_AFTER, STALL_RECOVERY, STORE_RETRY } from "./limits.ts";
import {
  beginNewLife,
  keepLinks,
  nextLinkAt,
  SELF_KEY,
  sendBeat,
  sendBeats,
  sessionDown,
  sessionUp,
  spreadRoster,
  storedSelf,
  takeBeat,
} from "./links.ts";
import type { Envelope, Plane } from "./messages.ts";
import { setMute } from "./mutes.ts";
import { noteRecords, notifyPeople, refreshDuties } from "./notify.ts";
import { emptyNotify } from "./notify-state.ts";
import { acknowledge, emptyOutbox, nextResendAt } from "./outbox.ts";
import { createPeer, type Peer } from "./peer.ts";
import { delivered, resume } from "./sending.ts";
import { become, isDrowsy, type NodeState, notice, type Turn } from "./state.ts";
import { sendTest } from "./test-message.ts";
import { answered, asked } from "./testimony.ts";
import { INBOX } from "./turns.ts";
import type { ChannelRef, Incarnation } from "./types.ts";
import { heard, heardByOthers, nextWatchAt, probed, sessionReset, watchPeers } from "./watch.ts";

export type { NodeState } from "./state.ts";

/** The inbox is everyone's, configured or not. */
const withInbox = (channels: readonly ChannelRef[]): readonly ChannelRef[] => [
  ...channels,
  { name: INBOX, type: "inbox" },
];

export function init(birth: Birth, env: Env): Step<NodeState> {
  const state: NodeState = {
    self: birth.self,
    boot: birth.boot,
    period: birth.period,
    roster: birth.roster,
    channels: withInbox(birth.channels),
    policy: birth.policy,
    heartbeats: birth.heartbeats,
    incarnation: 1,
    startedAt: env.wall,
    peers: new Map(),
    ledger: emptyLedger(),
    outbox: emptyOutbox(),
    notify: emptyNotify(),
    pulses: new Map(),
    nextBeatAt: env.now,
    pruneAt: after(env.now, PRUNE_EVERY),
    dueAt: undefined,
    drowsyUntil: undefined,
    returnedAt: undefined,
    uplink: undefined,
    isolated: undefined,
    storeFailing: undefined,
    storeRetryAt: undefined,
    stopping: false,
  };
  const turn: Turn = { state, env, effects: [] };
  restore(state, birth);
  followRoster(turn, birth.roster);
  turn.effects.push({ type: "persist", records: [storedSelf(state)], afterwards: [] });
  refreshDuties(turn);
  resume(turn);
  return conclude(turn);
}

function restore(state: NodeState, birth: Birth): void {
  let last: Incarnation = 0;
  for (const { key, value } of birth.stored) {
    if (value === undefined) continue;
    if (key === SELF_KEY) last = (JSON.parse(value) as { incarnation: Incarnation }).incarnation;
    else if (isLedgerKey(key)) merge(state.ledger, JSON.parse(value) as LedgerRecord);
  }
  state.incarnation = Math.max(last, deadIncarnation({ state }, state.self)) + 1;
}

export function step(state: NodeState, input: Input, env: Env): Step<NodeState> {
  const turn: Turn = { state, env, effects: [] };
  noticeStall(turn);
  take(turn, input);
  return conclude(turn);
}

export const nextWakeAt = (state: NodeState): Instant | undefined => state.dueAt;

/** What time drives, after whatever the input changed. */
function conclude(turn: Turn): Step<NodeState> {
  const { state } = turn;
  watchPeers(turn);
  keepLinks(turn);
  sendBeats(turn);
  resend(turn);
  // What a node just woken from a stop believes may be long over: it listens before it tells.
  if (isDrowsy(turn)) state.notify.wakeAt = state.drowsyUntil;
  else if (!state.stopping) notifyPeople(turn);
  keepHeartbeats(turn);
  tidyLedger(turn);
  retryStore(turn);
  const due = earliest(
    nextWatchAt(turn),
    nextLinkAt(state),
    nextResendAt(state.outbox),
    nextPingAt(state),
    state.notify.wakeAt,
  );
  // A deadline that was left standing must not make the next step take this node for one that was stopped.
  state.dueAt = due === undefined ? undefined : later(due, turn.env.now);
  return { state, effects: turn.effects };
}

/** Woken much later than asked, this node was itself stopped: what it failed to hear meanwhile does not count. */
function noticeStall(turn: Turn): void {
  const { state, env } = turn;
  if (state.dueAt === undefined) return;
  const late = between(state.dueAt, env.now);
  if (late < STALL_AFTER) {
    if (state.drowsyUntil !== undefined && env.now >= state.drowsyUntil) state.drowsyUntil = undefined;
    return;
  }
  state.drowsyUntil = after(env.now, STALL_RECOVERY);
  for (const peer of state.peers.values()) {
    if (peer.heardAt !== undefined) peer.heardAt = after(peer.heardAt, late);
    if (peer.condition.kind === "suspect")
      become(turn, peer, { kind: "alive" }, "this node was itself stopped");
  }
  if (late > 1000)
    notice(turn, { type: "warning", text: `this node was stopped for ${Math.round(late)} ms` });
}

function take(turn: Turn, input: Input): void {
  const { state } = turn;
  switch (input.type) {
    case "wake":
      return;
    case "session-up":
    case "session-down":
    case "received":
    case "dial-failed":
    case "refused":
      takeTransport(turn, input);
      return;
    case "roster":
      if (input.roster.mesh === state.roster.mesh) followRoster(turn, input.roster);
      spreadRoster(turn);
      return;
    case "configured":
      state.channels = withInbox(input.channels);
      state.policy = input.policy;
      state.heartbeats = input.heartbeats;
      state.notify.dutiesRevision = -1;
      return;
    case "probed":
      probed(turn, input.subject, input.address, input.outcome);
      return;
    case "uplink":
      uplinkSeen(turn, input.uplink);
      return;
    case "delivery":
      delivered(turn, input.delivery, input.channel, input.result);
      return;
    case "store-failed":
      state.storeFailing = input.reason;
      state.storeRetryAt = after(turn.env.now, STORE_RETRY);
      notice(turn, { type: "warning", text: `state cannot be written: ${input.reason}` });
      return;
    case "store-recovered":
      state.storeFailing = undefined;
      state.storeRetryAt = undefined;
      turn.effects.push(...writeEverything(state));
      return;
    case "notify-test":
      sendTest(turn, input.channel, input.request);
      return;
    case "mute":
      setMute(turn, input.request);
      return;
    case "pinged":
      pinged(turn, input.heartbeat, input.result);
      return;
    case "stop":
      sayGoodbye(turn);
      return;
    default:
      unreachable(input);
  }
}

/** After a time without a working disk: all that is held in memory, in writes that the store takes. */
function writeEverything(state: NodeState): Effect[] {
  const all = [storedSelf(state), ...[...state.ledger.records.values()].map(storedRecord)];
  const writes: Effect[] = [];
  for (let at = 0; at < all.length; at += REWRITE_RECORDS)
    writes.push({ type: "persist", records: all.slice(at, at + REWRITE_RECORDS), afterwards: [] });
  return writes;
}

function retryStore(turn: Turn): void {
  const { state, env } = turn;
  if (state.storeRetryAt === undefined || env.now < state.storeRetryAt) return;
  state.storeRetryAt = after(env.now, STORE_RETRY);
  turn.effects.push({ type: "persist", records: [storedSelf(state)], afterwards: [] });
}

function takeTransport(turn: Turn, event: TransportEvent): void {
  if (event.type === "refused") return;
  const peer = turn.state.peers.get(event.peer);
  if (peer === undefined) return;
  switch (event.type) {
    case "session-up":
      sessionUp(turn, peer, {
        id: event.session,
        address: event.address,
        since: turn.env.now,
        certificateExpires: event.certificateExpires,
        certificateFlagged: event.certificateFlagged,
        datagramAt: undefined,
        streamAt: turn.env.now,
        theirDatagramAge: undefined,
      });
      return;
    case "session-down":
      if (sessionDown(turn, peer, event.session, event.end) && event.end === "reset")
        sessionReset(turn, peer);
      return;
    case "received":
      takeEnvelope(turn, peer, event.session, event.plane, event.envelope);
      return;
    case "dial-failed":
      return;
    default:
      unreachable(event);
  }
}

function takeEnvelope(turn: Turn, peer: Peer, session: string, plane: Plane, envelope: Envelope): void {
  const { now } = turn.env;
  if (peer.session?.id === session) {
    if (plane === "datagram") peer.session.datagramAt = now;
    else peer.session.streamAt = now;
  }
  if (envelope.number !== undefined) {
    const message = { t: "ack", numbers: [envelope.number] } as const;
    turn.effects.push({ type: "send", to: peer.id, plane: "datagram", envelope: { message } });
  }
  // Any authenticated word proves life; a goodbye is the one that ends it, a beat may be of an earlier life.
  if (envelope.message.t !== "goodbye" && envelope.message.t !== "beat") heard(turn, peer);
  takeMessage(turn, peer, envelope);
}

function takeMessage(turn: Turn, peer: Peer, { message }: Envelope): void {
  const { state } = turn;
  switch (message.t) {
    case "beat":
      takeBeat(turn, peer, message);
      return;
    case "ask":
      if (message.subject !== state.self) asked(turn, peer, message);
      // Asked about itself, a node answers with its beat, over every plane.
      else if (peer.session !== undefined) answerWithBeat(turn, peer);
      return;
    case "answer":
      answered(turn, peer, message);
      return;
    case "ledger":
      takeRecords(turn, message.records);
      return;
    case "ledger-summary":
      supply(turn, peer, message);
      return;
    case "roster":
      turn.effects.push({ type: "consider-roster", from: peer.id, signed: message.signed });
      return;
    case "roster-want": {
      const answer = { t: "roster", signed: state.roster.signed } as const;
      turn.effects.push({ type: "send", to: peer.id, plane: "stream", envelope: { message: answer } });
      return;
    }
    case "goodbye":
      if (message.incarnation >= peer.incarnation) {
        const planned = { kind: "planned", incarnation: message.incarnation } as const;
        become(turn, peer, planned, message.reason === "stop" ? "it said goodbye" : "it was removed");
      }
      return;
    case "ack":
      acknowledge(state.outbox, peer.id, message.numbers);
      return;
    case "request":
    case "response":
      turn.effects.push({ type: "relay", from: peer.id, message });
      return;
    default:
      unreachable(message);
  }
}

function answerWithBeat(turn: Turn, peer: Peer): void {
  if (peer.session === undefined) return;
  sendBeat(turn, peer, peer.session);
}

function takeRecords(turn: Turn, records: readonly LedgerRecord[]): void {
  const { state } = turn;
  const news = takeIn(turn, records);
  noteRecords(turn, news);
  for (const record of news) {
    if (record.t === "incident" && record.subject === state.self && state.ledger.open.has(record.incident)) {
      beginNewLife(turn, record.incarnation);
    } else if (record.t === "incident") {
      const subject = state.peers.get(record.subject);
      // This node already hears a later life of it.
      if (subject?.condition.kind === "alive") noteLife(turn, subject, false);
    } else if (record.t === "resolved") {
      const incident = incidentOf(state.ledger, record.incident);
      const subject = state.peers.get(incident?.subject ?? "");
      if (incident !== undefined && subject !== undefined) heardByOthers(turn, subject, incident.incarnation);
    }
  }
}

/** Peers follow the roster: new ones are dialled, departed ones forgotten. */
function followRoster(turn: Turn, roster: RosterView): void {
  const { state, env } = turn;
  state.roster = roster;
  const present = new Set(roster.members.map((member) => member.id));
  for (const id of state.peers.keys()) if (!present.has(id)) state.peers.delete(id);
  for (const member of roster.members) {
    if (member.id === state.self) continue;
    const peer = state.peers.get(member.id);
    if (peer === undefined) state.peers.set(member.id, createPeer(member, state.period, env.now, env.wall));
    else peer.member = member;
  }
}

function sayGoodbye(turn: Turn): void {
  const { state } = turn;
  state.stopping = true;
  const message = { t: "goodbye", incarnation: state.incarnation, reason: "stop" } as const;
  for (const peer of state.peers.values()) {
    if (peer.session === undefined) continue;
    turn.effects.push({ type: "send", to: peer.id, plane: "stream", envelope: { message } });
    turn.effects.push({ type: "send", to: peer.id, plane: "datagram", envelope: { message } });
    turn.effects.push({ type: "hang-up", peer: peer.id });
  }
}

/** Drops ledger records past their time. */
function tidyLedger(turn: Turn): void {
  const { state, env } = turn;
  if (env.now < state.pruneAt) return;
  state.pruneAt = after(env.now, PRUNE_EVERY);
  const gone = prune(state.ledger, env.wall);
  if (gone.length > 0) turn.effects.push({ type: "persist", records: gone.map(forgotten), afterwards: [] });
}
