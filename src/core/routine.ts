/**
 * Most of what a node hears is the beat of a peer that is well, and changes nothing but when that
 * peer's silence would become a doubt. Then no other deadline needs to be looked at.
 */
import { earliest } from "../kit/time.ts";
import type { SingleInput } from "./io.ts";
import { inquiryOf } from "./peer.ts";
import { silenceEndsAt } from "./roles.ts";
import type { NodeState, Turn } from "./state.ts";

/** Nothing is under way that a word of a peer could hasten or end. */
export function isAtRest({ watched, notify, isolated, drowsyUntil, stopping }: NodeState): boolean {
  if (stopping || isolated !== undefined || drowsyUntil !== undefined) return false;
  if (notify.duties.length > 0 || notify.sendings.size > 0) return false;
  for (const peer of watched) if (inquiryOf(peer) !== undefined) return false;
  return true;
}

/** What the step was asked with, where only the sender is concerned by it. */
export interface Routine {
  readonly peer: string;
  readonly ledgerRevision: number;
  readonly nextBeatAt: number;
}

/** Undefined when the whole state has to be looked at after the input. */
export function routineOf({ state, env }: Turn, input: SingleInput): Routine | undefined {
  if (!state.atRest || state.dueAt === undefined) return undefined;
  if (env.now >= state.dueAt || env.now >= state.reviewAt) return undefined;
  if (input.type !== "received") return undefined;
  if (input.envelope.message.t !== "beat") return undefined;
  const peer = state.peers.get(input.peer);
  if (peer?.condition.kind !== "alive") return undefined;
  const silent = silenceEndsAt(peer);
  // If its own silence was what came next, what does so now has to be found.
  if (silent !== undefined && silent <= state.dueAt) return undefined;
  return { peer: input.peer, ledgerRevision: state.ledger.revision, nextBeatAt: state.nextBeatAt };
}

/** After the input: true when it was routine indeed, and the next deadline is known. */
export function remainsAtRest({ state }: Turn, before: Routine): boolean {
  const { rolesStale, ledger, nextBeatAt } = state;
  if (rolesStale || ledger.revision !== before.ledgerRevision || nextBeatAt !== before.nextBeatAt)
    return false;
  const peer = state.peers.get(before.peer);
  if (peer === undefined) return false;
  state.dueAt = earliest(state.dueAt, silenceEndsAt(peer));
  return true;
}
