/** How a message leaves: over the stream, or as a datagram that is repeated until it is acknowledged. */
import { ms } from "../kit/time.ts";
import type { Effect } from "./io.ts";
import { LOSSY_ABOVE, RESEND_FIRST, RESEND_FIRST_LOSSLESS, RESEND_FIRST_MAX } from "./limits.ts";
import type { PeerMessage } from "./messages.ts";
import { dueAgain, enqueue } from "./outbox.ts";
import { type Peer, pathOf } from "./peer.ts";
import { patience } from "./stall.ts";
import type { Turn } from "./state.ts";

/**
 * Repeated datagrams where they pass; the stream repeats by itself. Of datagrams that have stopped coming
 * nobody knows: after an outage they pass again seconds before the stream does.
 */
export function urgent(turn: Turn, peer: Peer, message: PeerMessage): Effect[] {
  const { session, condition } = peer;
  if (session === undefined) return [];
  const isStream = pathOf(peer, turn.env.now) === "stream";
  const streamed = isStream ? [overStream(peer, message)] : [];
  if (isStream && (session.datagramAt === undefined || condition.kind === "down")) return streamed;
  const { now } = turn.env;
  const interval = peer.loss > LOSSY_ABOVE ? RESEND_FIRST : RESEND_FIRST_LOSSLESS;
  const wait = ms(Math.min(interval + patience(turn.state, now), RESEND_FIRST_MAX));
  const number = enqueue(turn.state.outbox, peer.id, message, now, wait);
  return [...streamed, { type: "send", to: peer.id, plane: "datagram", envelope: { number, message } }];
}

export function resend(turn: Turn): void {
  for (const { to, number, message } of dueAgain(turn.state.outbox, turn.env.now)) {
    // Whoever is down does not hear it; returned, it finds what it lacks by the digest.
    if (turn.state.peers.get(to)?.condition.kind === "down") continue;
    turn.effects.push({ type: "send", to, plane: "datagram", envelope: { number, message } });
  }
}

export const overStream = (peer: Peer, message: PeerMessage): Effect => ({
  type: "send",
  to: peer.id,
  plane: "stream",
  envelope: { message },
});
