/** Keeping in touch: beats out, sessions up, dialling, and who holds the newer roster. */
import { after, between, type Duration, earliest, type Instant, type WallTime } from "../kit/time.ts";
import { reconcile } from "./gossip.ts";
import { deadIncarnation, noteLife } from "./incidents.ts";
import type { SessionEnd } from "./io.ts";
import { digestOf } from "./ledger.ts";
import {
  DIAL_DEFERENCE,
  DIAL_RETRY_MAX,
  DIAL_RETRY_MIN,
  LIFE_LEAP_MAX,
  STALE_SESSION,
  STALE_STREAM,
  STREAM_BEAT_EVERY,
  SYNC_EVERY,
} from "./limits.ts";
import type { Beat } from "./messages.ts";
import { forget } from "./outbox.ts";
import { datagramsPass, learnFromBeat, type Peer, type Session, verdictOf } from "./peer.ts";
import type { NodeState, Turn } from "./state.ts";
import type { Incarnation, RosterRank } from "./types.ts";
import { heard } from "./watch.ts";

export const outranks = (a: RosterRank, b: RosterRank): boolean =>
  a.term > b.term || (a.term === b.term && a.epoch > b.epoch);

/** Sends every connected peer its beat when the period is over. */
export function sendBeats(turn: Turn): void {
  const { state, env } = turn;
  if (env.now < state.nextBeatAt || state.stopping) return;
  state.nextBeatAt = after(env.now, untilNextBeat(env.wall, state.period));
  for (const peer of state.peers.values()) if (peer.session !== undefined) sendBeat(turn, peer, peer.session);
}

/**
 * Beats leave at multiples of the period on the wall clock. Where clocks agree, the beats of all peers
 * come together and a node wakes once for them instead of once for each; where they do not, nothing is
 * lost: the gap stays within half a period and one and a half.
 */
export function untilNextBeat(wall: WallTime, period: Duration): Duration {
  const left = period - (wall % period);
  return (left < period / 2 ? left + period : left) as Duration;
}

const SENT_KEPT = 4;

export function sendBeat(turn: Turn, peer: Peer, session: Session): void {
  const { env } = turn;
  peer.beatSeqOut += 1;
  peer.beatsSent.push({ seq: peer.beatSeqOut, at: env.now });
  if (peer.beatsSent.length > SENT_KEPT) peer.beatsSent.shift();
  const message = beatFor(turn, peer, session);
  turn.effects.push({ type: "send", to: peer.id, plane: "datagram", envelope: { message } });
  const inDoubt = peer.condition.kind !== "alive" || !datagramsPass(peer);
  if (inDoubt || peer.beatSeqOut % STREAM_BEAT_EVERY === 0) {
    turn.effects.push({ type: "send", to: peer.id, plane: "stream", envelope: { message } });
  }
}

function beatFor(turn: Turn, peer: Peer, session: Session): Beat {
  const { state, env } = turn;
  const dead = deadIncarnation(turn, peer.id);
  return {
    t: "beat",
    seq: peer.beatSeqOut,
    incarnation: state.incarnation,
    boot: state.boot,
    period: state.period,
    ...(session.datagramAt === undefined ? {} : { heard: between(session.datagramAt, env.now) }),
    ...(peer.lastBeatAt === undefined || peer.lastBeatSeq < 0
      ? {}
      : { echo: { seq: peer.lastBeatSeq, held: between(peer.lastBeatAt, env.now) } }),
    view: dead > 0 ? "host-down" : verdictOf(peer.condition),
    viewIncarnation: Math.max(dead, peer.incarnation),
    roster: { term: state.roster.term, epoch: state.roster.epoch },
    ledger: digestOf(state.ledger),
    wall: env.wall,
    channels: [...state.channels, ...state.heartbeats].map(({ name }) => name),
  };
}

/**
 * What, told to a node about its present life, makes it begin a new one. `planned`: it could not
 * keep on disk that a later life had begun, and comes back in the one it has taken leave of.
 */
const ENDS: ReadonlySet<string> = new Set(["host-down", "unreachable", "daemon-down", "planned"]);

export function takeBeat(turn: Turn, peer: Peer, beat: Beat): void {
  const { state, env } = turn;
  // A beat of an earlier life that was delayed says nothing about this one.
  if (beat.incarnation < peer.incarnation) return;
  const rebooted = peer.boot !== undefined && peer.boot !== beat.boot;
  learnFromBeat(peer, beat, env.now, env.wall);
  peer.incarnation = beat.incarnation;
  heard(turn, peer);
  if (state.ledger.open.size > 0) noteLife(turn, peer, rebooted);
  // A node whose store was lost starts from the first life again; nobody believes that one any more.
  if (ENDS.has(beat.view) || beat.viewIncarnation > state.incarnation)
    beginNewLife(turn, beat.viewIncarnation);
  if (outranks(beat.roster, state.roster)) wantRoster(turn, peer);
  reconcile(turn, peer);
}

/** Raised whenever anyone held this life for dead, so that a second death is a second incident. */
export function beginNewLife(turn: Turn, dead: Incarnation): void {
  const { state } = turn;
  if (state.stopping || dead < state.incarnation || dead > state.incarnation + LIFE_LEAP_MAX) return;
  state.incarnation = dead + 1;
  turn.effects.push({ type: "persist", records: [storedSelf(state)], afterwards: [] });
  state.nextBeatAt = turn.env.now;
}

export const SELF_KEY = "self";
export const storedSelf = (state: NodeState): { readonly key: string; readonly value: string } => ({
  key: SELF_KEY,
  value: JSON.stringify({ incarnation: state.incarnation }),
});

function wantRoster(turn: Turn, peer: Peer): void {
  const { state, env } = turn;
  if (peer.rosterAskedAt !== undefined && env.now < after(peer.rosterAskedAt, SYNC_EVERY)) return;
  peer.rosterAskedAt = env.now;
  const have = { term: state.roster.term, epoch: state.roster.epoch };
  turn.effects.push({
    type: "send",
    to: peer.id,
    plane: "stream",
    envelope: { message: { t: "roster-want", have } },
  });
}

export function sessionUp(turn: Turn, peer: Peer, session: Session): void {
  peer.session = session;
  peer.dial = { at: turn.env.now, backoff: 0 as Duration, next: 0, wantedSince: undefined };
  peer.lastBeatSeq = -1;
  sendBeat(turn, peer, session);
}

export function sessionDown(turn: Turn, peer: Peer, session: string, end: SessionEnd): boolean {
  if (peer.session?.id !== session) return false;
  peer.session = undefined;
  if (end === "replaced") {
    // Its successor is about to be announced: dialling now would replace that one too, and so on for ever.
    peer.dial.wantedSince = turn.env.now;
    peer.dial.at = after(turn.env.now, DIAL_DEFERENCE);
  }
  forget(turn.state.outbox, peer.id);
  return true;
}

/** Dials whoever has no session, or an old one that carries nothing. */
export function keepLinks(turn: Turn): void {
  const { state, env } = turn;
  if (state.stopping) return;
  for (const peer of state.peers.values()) {
    if (!needsDial(peer, env.now)) {
      peer.dial.wantedSince = undefined;
      continue;
    }
    if (peer.dial.wantedSince === undefined) {
      peer.dial.wantedSince = env.now;
      const deference = state.self < peer.id ? (0 as Duration) : DIAL_DEFERENCE;
      peer.dial.at = after(env.now, deference);
    }
    if (peer.dial.at <= env.now) dial(turn, peer);
  }
}

function needsDial(peer: Peer, now: Instant): boolean {
  if (peer.session === undefined) return true;
  const quiet = peer.heardAt === undefined ? between(peer.session.since, now) : between(peer.heardAt, now);
  return (
    (quiet > STALE_SESSION && between(peer.session.since, now) > STALE_SESSION) ||
    streamIsStale(peer.session, now)
  );
}

const streamIsStale = (session: Session, now: Instant): boolean =>
  between(session.streamAt, now) > STALE_STREAM;

function dial(turn: Turn, peer: Peer): void {
  const { env } = turn;
  const addresses = peer.member.addresses;
  const address = addresses[peer.dial.next % Math.max(addresses.length, 1)];
  if (address === undefined) return;
  const backoff = Math.min(Math.max(DIAL_RETRY_MIN, peer.dial.backoff * 2), DIAL_RETRY_MAX) as Duration;
  peer.dial.next += 1;
  peer.dial.backoff = backoff;
  peer.dial.at = after(env.now, (backoff * (0.75 + 0.5 * env.random.next())) as Duration);
  turn.effects.push({ type: "dial", peer: peer.id, address });
}

export function nextLinkAt(state: NodeState): Instant | undefined {
  if (state.stopping) return undefined;
  let next: Instant | undefined = state.nextBeatAt;
  for (const peer of state.peers.values()) {
    if (peer.dial.wantedSince !== undefined) next = earliest(next, peer.dial.at);
  }
  return next;
}

/** Tells everyone at once that a newer roster is here. */
export function spreadRoster(turn: Turn): void {
  const message = { t: "roster", signed: turn.state.roster.signed } as const;
  for (const peer of turn.state.peers.values()) {
    if (peer.session === undefined) continue;
    turn.effects.push({ type: "send", to: peer.id, plane: "stream", envelope: { message } });
  }
}
