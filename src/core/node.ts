/**
 * One node's mind: every input goes through `step`, every decision comes out as
 * effects. The daemon and the simulator drive this same function. The state is
 * changed in place and handed back; keep no old ones.
 */
import { unreachable } from "../kit/assert.ts";
import { after, earliest, type Instant, later } from "../kit/time.ts";
import { isFarewellKey, memberLeft, noteRestart, restoreFarewell, saidGoodbye } from "./absences.ts";
import { sendBeat, sendBeats } from "./beats.ts";
import { keepTime, startClocks } from "./clocks.ts";
import { supply } from "./gossip.ts";
import { settleRoles } from "./hearsay.ts";
import { keepHeartbeats, nextPingAt, pinged } from "./heartbeat.ts";
import { deadIncarnation } from "./incidents.ts";
import type { Birth, Env, Input, RosterView, SingleInput, Step, TransportEvent } from "./io.ts";
import { followMembership, uplinkSeen } from "./isolation.ts";
import { sayGoodbye } from "./leaving.ts";
import { emptyLedger, merge } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { PRUNE_EVERY, STORE_RETRY } from "./limits.ts";
import { expectNoHearing, noteHearing } from "./link-problems.ts";
import {
  keepLinks,
  nextLinkAt,
  SELF_KEY,
  sessionDown,
  sessionUp,
  spreadRoster,
  storedSelf,
  takeBeat,
} from "./links.ts";
import type { Beat, Envelope, Plane } from "./messages.ts";
import { rememberMutes } from "./mute-news.ts";
import { setMute } from "./mutes.ts";
import { takeRecords } from "./news.ts";
import { notifyPeople, refreshDuties } from "./notify.ts";
import { emptyNotify } from "./notify-state.ts";
import { acknowledge, emptyOutbox, nextResendAt } from "./outbox.ts";
import { takeCertificateNews } from "./own-certificate.ts";
import { farewellReason, takeReadings } from "./own-heat.ts";
import { createPeer, type Peer } from "./peer.ts";
import { resend } from "./post.ts";
import {
  answerReadingsHeld,
  answerReadingsWant,
  sendOwnReadings,
  takeReadingsNews,
  takeReadingsTable,
} from "./readings-news.ts";
import { review } from "./review.ts";
import { drawTopology, trustStrangers } from "./roles.ts";
import { isAtRest, remainsAtRest, routineOf } from "./routine.ts";
import { delivered, resume } from "./sending.ts";
import { emptySenses, forgetSenses } from "./senses.ts";
import { spreadLater, spreadNews } from "./spreading.ts";
import { noticeStall } from "./stall.ts";
import { isDrowsy, type NodeState, notice, type Turn } from "./state.ts";
import { isLedgerKey } from "./stored-ledger.ts";
import { retryStore, tidyLedger, writeEverything } from "./storing.ts";
import { sendTest } from "./test-message.ts";
import { answered, asked } from "./testimony.ts";
import { emptyHeat } from "./thermal/heat.ts";
import { arrange } from "./topology.ts";
import { INBOX } from "./turns.ts";
import type { ChannelRef, Incarnation } from "./types.ts";
import { heard, nextWatchAt, probed, sessionReset, watchPeers } from "./watch.ts";

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
    topology: arrange(birth.roster.mesh, []),
    rolesStale: true,
    observers: new Map(),
    company: undefined,
    watched: new Set(),
    acquaintances: new Set(),
    owing: new Set(),
    atRest: false,
    departed: new Set(),
    ledger: emptyLedger(),
    outbox: emptyOutbox(),
    later: { at: undefined, keys: new Map() },
    notify: emptyNotify(env.now),
    pulses: new Map(),
    heat: emptyHeat(),
    senses: emptySenses(env.now),
    clocks: startClocks(env),
    nextBeatAt: env.now,
    pruneAt: after(env.now, PRUNE_EVERY),
    dueAt: undefined,
    drowsyUntil: undefined,
    awakeSince: undefined,
    late: undefined,
    returnedAt: undefined,
    uplink: undefined,
    uplinkLearnAt: env.now,
    reviewAt: env.now,
    cutOff: undefined,
    isolated: undefined,
    rosterWanted: undefined,
    storeFailing: undefined,
    storeRetryAt: undefined,
    stopping: false,
  };
  const turn: Turn = { state, env, effects: [], news: [] };
  restore(state, birth);
  followRoster(turn, birth.roster);
  for (const { key, value } of birth.stored)
    if (isFarewellKey(key) && value !== undefined) restoreFarewell(turn, key, value);
  turn.effects.push({ type: "persist", records: [storedSelf(state)], afterwards: [] });
  rememberMutes(turn);
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

export function step(state: NodeState, input: Input, host: Env): Step<NodeState> {
  const turn: Turn = { state, env: keepTime(state, host), effects: [], news: [] };
  noticeStall(turn);
  let isRoutine = true;
  for (const each of input.type === "together" ? input.inputs : [input])
    isRoutine = takeRoutinely(turn, each) && isRoutine;
  return isRoutine && turn.news.length === 0 ? { state, effects: turn.effects } : conclude(turn);
}

/** Takes it in; true when nothing else needs to be looked at for it. */
function takeRoutinely(turn: Turn, input: SingleInput): boolean {
  const routine = routineOf(turn, input);
  take(turn, input);
  return routine !== undefined && remainsAtRest(turn, routine);
}

export const nextWakeAt = (state: NodeState): Instant | undefined => state.dueAt;

/** What time drives, after whatever the input changed. */
function conclude(turn: Turn): Step<NodeState> {
  const { state } = turn;
  settleRoles(turn);
  watchPeers(turn);
  review(turn);
  settleRoles(turn);
  keepLinks(turn);
  sendBeats(turn);
  resend(turn);
  // What a node just woken from a stop believes may be long over: it listens before it tells.
  if (isDrowsy(turn)) state.notify.wakeAt = state.drowsyUntil;
  else if (!state.stopping) notifyPeople(turn);
  keepHeartbeats(turn);
  spreadNews(turn);
  spreadLater(turn);
  tidyLedger(turn);
  retryStore(turn);
  const due = earliest(
    nextWatchAt(turn),
    nextLinkAt(state),
    nextResendAt(state.outbox),
    nextPingAt(state),
    state.later.at,
    state.notify.wakeAt,
  );
  // A deadline that was left standing must not make the next step take this node for one that was stopped.
  state.dueAt = due === undefined ? undefined : later(due, turn.env.now);
  state.atRest = isAtRest(state);
  return { state, effects: turn.effects };
}

function take(turn: Turn, input: SingleInput): void {
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
    case "readings":
      takeReadings(turn, input);
      return;
    case "certificate":
    case "root-change":
    case "revoked":
      takeCertificateNews(turn, input);
      return;
    case "mute":
      setMute(turn, input.request);
      return;
    case "pinged":
      pinged(turn, input.heartbeat, input.result);
      return;
    case "stop":
      sayGoodbye(turn, farewellReason(turn, input.why));
      return;
    default:
      unreachable(input);
  }
}

function takeTransport(turn: Turn, event: TransportEvent): void {
  if (event.type === "refused") return;
  const { state } = turn;
  const peer = state.peers.get(event.peer);
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
      if (state.later.keys.has(peer.id)) state.later.at ??= turn.env.now;
      sendOwnReadings(turn, peer);
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
      hearBeat(turn, peer, message);
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
      takeRecords(turn, peer, message.records);
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
      saidGoodbye(turn, peer, message);
      return;
    case "readings":
      takeReadingsNews(turn, peer, message);
      return;
    case "readings-table":
      takeReadingsTable(turn, peer, message);
      return;
    case "readings-want":
      answerReadingsWant(turn, peer, message);
      return;
    case "readings-held":
      answerReadingsHeld(turn, peer, message);
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

function hearBeat(turn: Turn, peer: Peer, beat: Beat): void {
  if (peer.watchedSince !== undefined) noteRestart(turn, peer, beat);
  takeBeat(turn, peer, beat);
  if (beat.quiet === true) expectNoHearing(peer);
  else noteHearing(turn, peer, beat);
}

function answerWithBeat(turn: Turn, peer: Peer): void {
  if (peer.session === undefined) return;
  sendBeat(turn, peer, peer.session);
}

/** Peers follow the roster: new ones are dialled, departed ones forgotten. */
function followRoster(turn: Turn, roster: RosterView): void {
  const { state, env } = turn;
  state.roster = roster;
  const present = new Set(roster.members.map((member) => member.id));
  for (const [id, peer] of state.peers) {
    if (present.has(id)) continue;
    state.peers.delete(id);
    memberLeft(turn, peer);
    forgetSenses(turn, id);
  }
  for (const member of roster.members) {
    state.departed.delete(member.id);
    if (member.id === state.self) continue;
    const peer = state.peers.get(member.id);
    if (peer === undefined) state.peers.set(member.id, createPeer(member, state.period, env.now, env.wall));
    else peer.member = member;
  }
  drawTopology(state);
  trustStrangers(state);
  followMembership(turn);
}
