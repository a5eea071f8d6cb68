/** Beats out: to whom, how often, and what they say. */
import { after, between, type Duration, type WallTime } from "../kit/time.ts";
import { hostTime } from "./clocks.ts";
import { deadIncarnation } from "./incidents.ts";
import { digestOf } from "./ledger.ts";
import { QUIET_BEAT_EVERY, QUIET_STREAM_EVERY, STREAM_BEAT_EVERY } from "./limits.ts";
import type { Beat } from "./messages.ts";
import { datagramsPass, getsBeats, type Peer, type Session, verdictOf } from "./peer.ts";
import { rankIn } from "./roster.ts";
import type { Turn } from "./state.ts";
import type { Verdict } from "./types.ts";

/** When the period is over, sends a beat to whom it watches and who watches it; to others rarely. */
export function sendBeats(turn: Turn): void {
  const { state, env } = turn;
  if (env.now < state.nextBeatAt || state.stopping) return;
  state.nextBeatAt = after(env.now, untilNextBeat(env.wall, state.period));
  for (const peer of state.acquaintances) {
    if (peer.session === undefined || (!getsBeats(peer) && env.now < peer.quietBeatAt)) continue;
    peer.quietBeatAt = after(env.now, QUIET_BEAT_EVERY);
    sendBeat(turn, peer, peer.session);
  }
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
  const streamEvery = getsBeats(peer) ? STREAM_BEAT_EVERY : QUIET_STREAM_EVERY;
  if (inDoubt || peer.beatSeqOut % streamEvery === 0) {
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
    // An incident about an earlier life is about to be ended: this one is not held for dead.
    view: dead > 0 && dead >= peer.incarnation ? "host-down" : viewOf(peer),
    viewIncarnation: Math.max(dead, peer.incarnation),
    roster: rankIn(state.roster),
    ledger: digestOf(state.ledger),
    wall: hostTime(state, env.wall),
    ...(peer.watchedSince === undefined ? { quiet: true } : {}),
    channels: [...state.channels, ...state.heartbeats].map(({ name }) => name),
  };
}

/** Of the verdicts, those that every release knows. */
function viewOf(peer: Peer): Verdict {
  const verdict = verdictOf(peer.condition);
  return verdict === "missing" ? "unknown" : verdict;
}
