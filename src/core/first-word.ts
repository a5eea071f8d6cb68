/**
 * The observers of one host see its death, and its return, at the same moment. One of them enters it in the
 * ledger; the others do so only where they have not heard of it from that one a little later.
 */
import { after, between, type Instant, ms } from "../kit/time.ts";
import { WORD_EVERY, WORD_PLACES_MAX } from "./limits.ts";
import type { Peer } from "./peer.ts";
import { observersOf } from "./roles.ts";
import { patience } from "./stall.ts";
import type { NodeState, Turn } from "./state.ts";
import { OUTAGE, rank } from "./turns.ts";
import type { NodeId } from "./types.ts";

/**
 * When this node is to enter what it concludes now. Whoever is to send the message has nobody to wait for, if it
 * is an observer. Who is slow itself expects the others to be.
 */
export function wordAt({ state, env }: Turn, subject: NodeId): Instant {
  const place = placeOf(state, subject, env.wall);
  return place === 0 ? env.now : after(env.now, ms(place * WORD_EVERY + patience(state, env.now)));
}

/** Whether a new life of this peer is this node's to enter by now: asked with each of its beats. */
export function isOursToSay({ state, env }: Turn, peer: Peer): boolean {
  const heard = peer.livesSince === undefined ? Number.POSITIVE_INFINITY : between(peer.livesSince, env.now);
  if (heard >= WORD_EVERY * WORD_PLACES_MAX + patience(state, env.now)) return true;
  return placeOf(state, peer.id, env.wall) === 0;
}

/** Among the subject's living observers; 0 is the first. */
function placeOf(state: NodeState, subject: NodeId, wall: number): number {
  const observers = observersOf(state, subject);
  const channel = state.channels[0]?.name ?? "";
  const line = rank(state, OUTAGE, channel, wall).filter((node) => observers.has(node));
  const place = line.indexOf(state.self);
  return place < 0 ? WORD_PLACES_MAX : Math.min(place, WORD_PLACES_MAX);
}
