/** Who else doubts a peer: what other observers have said by asking, before this node doubts it itself. */
import { after, between, type Instant, later } from "../kit/time.ts";
import { LASTING_DOUBT } from "./limits.ts";
import type { Doubt, Peer, Testimony } from "./peer.ts";
import { observersOf } from "./roles.ts";
import type { Turn } from "./state.ts";
import type { NodeId } from "./types.ts";

/** The observer `from` has asked about the peer. */
export function noteDoubt({ state, env }: Turn, peer: Peer, from: NodeId): void {
  const before = peer.doubters.get(from);
  peer.doubters.set(from, { at: env.now, lasting: before !== undefined && lasts(peer, before, env.now) });
  const observers = observersOf(state, peer.id);
  let count = 0;
  for (const [node, { lasting }] of freshDoubts(peer)) if (!lasting && observers.has(node)) count += 1;
  // This node, which heard nothing since either, is one of them.
  if (2 * (count + 1) > observers.size) peer.doubtedAt = env.now;
}

/** It doubted the peer before, and this node has heard that one since: it is the other's own path. */
function lasts({ heardAt }: Peer, before: Doubt, now: Instant): boolean {
  if (now >= after(before.at, LASTING_DOUBT)) return false;
  return before.lasting || (heardAt !== undefined && between(before.at, heardAt) > 0);
}

/** Those uttered since this node has last heard the peer. */
function freshDoubts({ doubters, heardAt, watchedSince }: Peer): [NodeId, Doubt][] {
  if (heardAt === undefined) return [];
  const since = later(heardAt, watchedSince ?? heardAt);
  return [...doubters].filter(([, { at }]) => at > since);
}

/** What an inquiry begins with: who has asked is silent too, and need not be waited for. */
export function saidByAsking(peer: Peer): Map<NodeId, Testimony> {
  const said = freshDoubts(peer).map(([node, { at }]): [NodeId, Testimony] => [
    node,
    { state: "silent", at, heardAt: undefined, path: "none", probe: "none" },
  ]);
  return new Map(said);
}
