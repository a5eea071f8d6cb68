/** Who else doubts a peer: what other observers have said by asking, before this node doubts it itself. */
import { after, between, type Instant, later } from "../kit/time.ts";
import { DOUBT_HOLDS, LASTING_DOUBT } from "./limits.ts";
import type { Doubt, Peer, Testimony } from "./peer.ts";
import { observersOf } from "./roles.ts";
import type { Turn } from "./state.ts";
import type { NodeId } from "./types.ts";

/** The observer `from` has asked about the peer. */
export function noteDoubt(turn: Turn, peer: Peer, from: NodeId): void {
  const { state, env } = turn;
  const before = peer.doubters.get(from);
  for (const [node, { at }] of peer.doubters)
    if (between(at, env.now) >= LASTING_DOUBT) peer.doubters.delete(node);
  peer.doubters.set(from, { at: env.now, lasting: before !== undefined && lasts(peer, before, env.now) });
  // This node, which heard nothing since either, is one of them.
  const count = 1 + freshDoubts(turn, peer).length;
  if (2 * count > observersOf(state, peer.id).size) peer.doubtedAt = env.now;
}

/** It doubted the peer before, and this node has heard that one since: it is the other's own path. */
function lasts({ heardAt }: Peer, before: Doubt, now: Instant): boolean {
  if (now >= after(before.at, LASTING_DOUBT)) return false;
  return before.lasting || (heardAt !== undefined && between(before.at, heardAt) > 0);
}

/** It has said since that it does not. */
export function takeBackDoubt(peer: Peer, from: NodeId): void {
  if (peer.doubters.delete(from)) peer.doubtedAt = undefined;
}

/** Of observers, uttered lately and since this node has last heard the peer. */
function freshDoubts({ state, env }: Turn, { id, doubters, heardAt, watchedSince }: Peer): [NodeId, Doubt][] {
  if (heardAt === undefined) return [];
  const since = later(heardAt, watchedSince ?? heardAt);
  const observers = observersOf(state, id);
  return [...doubters].filter(
    ([node, { at, lasting }]) =>
      at > since && between(at, env.now) < DOUBT_HOLDS && !lasting && observers.has(node),
  );
}

/** What an inquiry begins with: who has asked is silent too, and need not be waited for. */
export function saidByAsking(turn: Turn, peer: Peer): Map<NodeId, Testimony> {
  const said = freshDoubts(turn, peer).map(([node, { at }]): [NodeId, Testimony] => [
    node,
    { state: "silent", at, heardAt: undefined, path: "none", probe: "none" },
  ]);
  return new Map(said);
}
