/** Keeping in touch: beats out, sessions up, dialling, and who holds the newer roster. */
import { after, between, type Duration, earliest, type Instant, later } from "../kit/time.ts";
import { sendBeat } from "./beats.ts";
import { hostTime } from "./clocks.ts";
import { isOursToSay } from "./first-word.ts";
import { reconcile } from "./gossip.ts";
import { noteLife } from "./incidents.ts";
import type { SessionEnd } from "./io.ts";
import {
  DIAL_DEFERENCE,
  DIAL_RETRY_MAX,
  DIAL_RETRY_MIN,
  LIFE_LEAP_MAX,
  QUIET_BEAT_EVERY,
  QUIET_DIAL_RETRY_MAX,
  ROSTER_PATIENCE,
  STALE_QUIET_SESSION,
  STALE_QUIET_STREAM,
  STALE_SESSION,
  STALE_STREAM,
  SYNC_EVERY,
} from "./limits.ts";
import type { Beat } from "./messages.ts";
import { forget } from "./outbox.ts";
import { getsBeats, inquiryOf, learnFromBeat, type Peer, type Session } from "./peer.ts";
import { keepsCompany } from "./roles.ts";
import { outranks, rankIn } from "./roster.ts";
import type { NodeState, Turn } from "./state.ts";
import type { Incarnation } from "./types.ts";
import { heard } from "./watch.ts";

/**
 * What, told to a node about its present life, makes it begin a new one. `planned`: it could not
 * keep on disk that a later life had begun, and comes back in the one it has taken leave of.
 */
const ENDS: ReadonlySet<string> = new Set(["host-down", "unreachable", "daemon-down", "planned"]);

export function takeBeat(turn: Turn, peer: Peer, beat: Beat): void {
  const { state, env } = turn;
  // A beat of an earlier life that was delayed says nothing about this one.
  if (beat.incarnation < peer.incarnation) return;
  const gotBeats = getsBeats(peer);
  learnFromBeat(peer, beat, env.now, hostTime(state, env.wall));
  peer.incarnation = beat.incarnation;
  heard(turn, peer);
  // It begins to watch this node: let it not wait for the first beat.
  if (!gotBeats && getsBeats(peer) && peer.session !== undefined) sendBeat(turn, peer, peer.session);
  if (state.ledger.open.size > 0 && peer.watchedSince !== undefined && isOursToSay(turn, peer))
    noteLife(turn, peer);
  // A node whose store was lost starts from the first life again; nobody believes that one any more.
  if (ENDS.has(beat.view) || beat.viewIncarnation > state.incarnation)
    beginNewLife(turn, beat.viewIncarnation);
  if (outranks(beat.roster, state.roster)) wantRoster(turn, peer);
  // Neighbours suffice: what one of them learns it spreads to its own.
  if (getsBeats(peer)) reconcile(turn, peer);
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
  const { rosterWanted } = state;
  if (peer.rosterAskedAt !== undefined && env.now < after(peer.rosterAskedAt, SYNC_EVERY)) return;
  // One copy will do, unless this peer has a newer one still.
  const isPending = rosterWanted !== undefined && env.now < after(rosterWanted.at, ROSTER_PATIENCE);
  if (isPending && !outranks(peer.rosterRank ?? rosterWanted.rank, rosterWanted.rank)) return;
  peer.rosterAskedAt = env.now;
  state.rosterWanted = { rank: peer.rosterRank ?? state.roster, at: env.now };
  const have = rankIn(state.roster);
  turn.effects.push({
    type: "send",
    to: peer.id,
    plane: "stream",
    envelope: { message: { t: "roster-want", have } },
  });
}

export function sessionUp(turn: Turn, peer: Peer, session: Session): void {
  peer.session = session;
  turn.state.acquaintances.add(peer);
  peer.dial = { at: turn.env.now, backoff: 0 as Duration, next: 0, wantedSince: undefined };
  peer.lastBeatSeq = -1;
  // What was asked over the session before may have been lost with it.
  for (const watched of turn.state.watched) inquiryOf(watched)?.asked.delete(peer.id);
  if (!getsBeats(peer)) scatterQuietBeats(turn, peer);
  sendBeat(turn, peer, session);
}

/** Sessions that come up together are not heard of together ever after. */
function scatterQuietBeats({ env }: Turn, peer: Peer): void {
  peer.quietBeatAt = after(env.now, (QUIET_BEAT_EVERY * (0.5 + 0.5 * env.random.next())) as Duration);
}

export function sessionDown(turn: Turn, peer: Peer, session: string, end: SessionEnd): boolean {
  if (peer.session?.id !== session) return false;
  peer.session = undefined;
  peer.wantsBeats = false;
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
  for (const peer of state.acquaintances) {
    if (!isWanted(state, peer) || !needsDial(peer, env.now)) {
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

/** Others say that it is back; whatever kept it away may have stalled its session with this node. */
function isBackUnheard(peer: Peer, now: Instant): boolean {
  if (peer.watchedSince !== undefined || peer.heardAt === undefined) return false;
  if (peer.heardAt >= peer.changedAt || peer.condition.kind !== "alive") return false;
  return between(peer.changedAt, now) > STALE_SESSION;
}

const isWanted = (state: NodeState, peer: Peer): boolean => getsBeats(peer) || keepsCompany(state, peer.id);

function needsDial(peer: Peer, now: Instant): boolean {
  const { session, heardAt, watchedSince } = peer;
  if (session === undefined || isBackUnheard(peer, now)) return true;
  const isWatched = watchedSince !== undefined;
  // Before it was watched, silence was to be expected.
  const from = later(session.since, watchedSince ?? session.since);
  const quiet = between(later(heardAt ?? from, from), now);
  if (quiet > (isWatched ? STALE_SESSION : STALE_QUIET_SESSION)) return true;
  return between(later(session.streamAt, from), now) > (isWatched ? STALE_STREAM : STALE_QUIET_STREAM);
}

function dial(turn: Turn, peer: Peer): void {
  const { env } = turn;
  const addresses = peer.member.addresses;
  const address = addresses[peer.dial.next % Math.max(addresses.length, 1)];
  if (address === undefined) return;
  const slowest = getsBeats(peer) ? DIAL_RETRY_MAX : QUIET_DIAL_RETRY_MAX;
  const backoff = Math.min(Math.max(DIAL_RETRY_MIN, peer.dial.backoff * 2), slowest) as Duration;
  peer.dial.next += 1;
  peer.dial.backoff = backoff;
  peer.dial.at = after(env.now, (backoff * (0.75 + 0.5 * env.random.next())) as Duration);
  turn.effects.push({ type: "dial", peer: peer.id, address });
}

export function nextLinkAt(state: NodeState): Instant | undefined {
  if (state.stopping) return undefined;
  let next: Instant | undefined = state.nextBeatAt;
  for (const peer of state.acquaintances) {
    if (peer.dial.wantedSince !== undefined) next = earliest(next, peer.dial.at);
  }
  return next;
}

/** Tells the neighbours at once that a newer roster is here: their beats say so, and whoever is behind asks for it. */
export function spreadRoster(turn: Turn): void {
  for (const peer of turn.state.acquaintances) {
    const isBehind = peer.rosterRank === undefined || outranks(turn.state.roster, peer.rosterRank);
    if (peer.session !== undefined && getsBeats(peer) && isBehind) sendBeat(turn, peer, peer.session);
  }
}
