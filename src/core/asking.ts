/** Whom an observer asks about a subject in doubt, and how often. */
import { after, between, type Duration, earlier, ms } from "../kit/time.ts";
import {
  ASK_AGAIN,
  ASK_AGAIN_LOSSLESS,
  ASK_DEAF_AFTER,
  ASK_EVERY,
  ASK_SILENT_EVERY,
  DOUBTS_AT_FULL_PACE,
  LOSSY_ABOVE,
  OVERDUE_PERIODS,
} from "./limits.ts";
import type { Ask } from "./messages.ts";
import type { Inquiry, Peer, Testimony } from "./peer.ts";
import { livingObservers, noteAsked } from "./roles.ts";
import { patience } from "./stall.ts";
import type { Turn } from "./state.ts";
import { sendUrgent } from "./testimony.ts";
import type { NodeId } from "./types.ts";

/** Asks the living observers whose turn it is, and the subject itself, over every plane. */
export function ask(turn: Turn, peer: Peer, inquiry: Inquiry): void {
  const { now } = turn.env;
  const suspected = between(inquiry.since, now);
  const message: Ask = { t: "ask", subject: peer.id, incarnation: peer.incarnation, suspected };
  const pace = paceOf(turn);
  const mayHear = suspected >= ASK_DEAF_AFTER || !areAllOverdue(turn);
  inquiry.nextAskAt = mayHear ? after(now, ms(ASK_EVERY * pace)) : after(inquiry.since, ASK_DEAF_AFTER);
  const others = mayHear ? livingObservers(turn, peer.id) : [];
  for (const id of [...others, peer.id]) {
    const before = inquiry.asked.get(id);
    const asked = turn.state.peers.get(id);
    if (before === undefined || before.again <= now) {
      const pause = nextPause(turn, id, before?.pause, inquiry.testimonies.get(id));
      inquiry.asked.set(id, { again: after(now, ms(pause * pace)), pause });
      // Who has asked this node just now owes no answer to what that said already.
      const owes = id !== peer.id && (before !== undefined || !inquiry.testimonies.has(id));
      if (owes && asked !== undefined) noteAsked(turn, asked);
      // Who has answered is asked anew, not again.
      sendUrgent(turn, id, message, before !== undefined && !inquiry.testimonies.has(id));
    }
    inquiry.nextAskAt = earlier(inquiry.nextAskAt, inquiry.asked.get(id)?.again ?? inquiry.nextAskAt);
  }
}

/** Who doubts as well says so unasked, by asking this node; a repeated question only makes up for lost packets. */
function nextPause(
  { state, env }: Turn,
  asked: NodeId,
  before: Duration | undefined,
  answer: Testimony | undefined,
): Duration {
  // As long as its probes are under way, or show that the kernel lives, what it says may change.
  if (answer?.state === "silent" && answer.probe === "silent") return ASK_SILENT_EVERY;
  if (answer !== undefined) return ASK_EVERY;
  if (before !== undefined) return ms(Math.min(ASK_EVERY, before * 2));
  const { rtt = 0, loss = 0 } = state.peers.get(asked) ?? {};
  const first = loss > LOSSY_ABOVE ? ASK_AGAIN : ASK_AGAIN_LOSSLESS;
  return ms(Math.min(first + 2 * rtt, ASK_EVERY) + patience(state, env.now));
}

/** All it watches are overdue, more than one: an answer is unlikely as long as that lasts. */
function areAllOverdue({ state: { watched }, env: { now } }: Turn): boolean {
  if (watched.size < 2) return false;
  for (const { heardAt, period } of watched)
    if (heardAt !== undefined && between(heardAt, now) < OVERDUE_PERIODS * period) return false;
  return true;
}

/** The more doubts at once, the longer the pauses, by this factor: a mass death must not drown the answers. */
function paceOf({ state }: Turn): number {
  let doubts = 0;
  for (const { condition } of state.peers.values()) if (condition.kind === "suspect") doubts += 1;
  return Math.max(1, doubts / DOUBTS_AT_FULL_PACE);
}
