/** This node was stopped itself: by a signal, a starved processor, a suspended machine. */
import { after, between, type Duration } from "../kit/time.ts";
import { STALL_AFTER, STALL_RECOVERY } from "./limits.ts";
import type { Peer } from "./peer.ts";
import { become, notice, type Turn } from "./state.ts";

/** Woken much later than asked: what it failed to hear meanwhile does not count. */
export function noticeStall(turn: Turn): void {
  const { state, env } = turn;
  if (state.dueAt === undefined) return;
  const late = between(state.dueAt, env.now);
  if (late < STALL_AFTER) {
    if (state.drowsyUntil !== undefined && env.now >= state.drowsyUntil) state.drowsyUntil = undefined;
    return;
  }
  state.drowsyUntil = after(env.now, STALL_RECOVERY);
  for (const peer of state.peers.values()) discount(turn, peer, late);
  if (late > 1000)
    notice(turn, { type: "warning", text: `this node was stopped for ${Math.round(late)} ms` });
}

function discount(turn: Turn, peer: Peer, late: Duration): void {
  if (peer.heardAt !== undefined) peer.heardAt = after(peer.heardAt, late);
  if (peer.watchedSince !== undefined) peer.watchedSince = after(peer.watchedSince, late);
  if (peer.condition.kind === "unknown") peer.changedAt = after(peer.changedAt, late);
  if (peer.condition.kind === "down") peer.condition.inquiry = undefined;
  if (peer.condition.kind !== "suspect") return;
  const kind = peer.condition.inquiry.cause === "absence" ? "unknown" : "alive";
  become(turn, peer, { kind }, "this node was itself stopped");
}
