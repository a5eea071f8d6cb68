/** This node was stopped itself: by a signal, a starved processor, a suspended machine. */
import { after, between, type Duration, type Instant, ms } from "../kit/time.ts";
import { LATE_COUNTS, LATE_FADES, LATE_LEAST, STALL_AFTER, STALL_RECOVERY } from "./limits.ts";
import { forgetDoubts, type Peer } from "./peer.ts";
import { become, type NodeState, notice, type Turn } from "./state.ts";

/** Woken much later than asked: what it failed to hear meanwhile does not count. */
export function noticeStall(turn: Turn): void {
  const { state, env } = turn;
  if (state.dueAt === undefined) return;
  const late = between(state.dueAt, env.now);
  noteLate(state, ms(Math.min(late, STALL_AFTER)), env.now);
  if (late < STALL_AFTER) {
    if (state.drowsyUntil !== undefined && env.now >= state.drowsyUntil) state.drowsyUntil = undefined;
    return;
  }
  state.drowsyUntil = after(env.now, STALL_RECOVERY);
  state.awakeSince = state.drowsyUntil;
  for (const peer of state.peers.values()) discount(turn, peer, late);
  if (late > 1000)
    notice(turn, { type: "warning", text: `this node was stopped for ${Math.round(late)} ms` });
}

function noteLate(state: NodeState, by: Duration, now: Instant): void {
  if (by >= LATE_LEAST && by > lateness(state.late, now)) state.late = { by, at: now };
}

/** How much longer than usual this node waits for the others, judged by how late it has woken itself lately. */
export const patience = ({ late }: Pick<NodeState, "late">, now: Instant): Duration =>
  ms(LATE_COUNTS * lateness(late, now));

function lateness(late: NodeState["late"], now: Instant): number {
  if (late === undefined) return 0;
  return late.by * Math.max(0, 1 - between(late.at, now) / LATE_FADES);
}

function discount(turn: Turn, peer: Peer, late: Duration): void {
  if (peer.heardAt !== undefined) peer.heardAt = after(peer.heardAt, late);
  if (peer.watchedSince !== undefined) peer.watchedSince = after(peer.watchedSince, late);
  forgetDoubts(peer);
  if (peer.condition.kind === "unknown") peer.changedAt = after(peer.changedAt, late);
  const { condition } = peer;
  const inquiry =
    condition.kind === "suspect"
      ? condition.inquiry
      : condition.kind === "down"
        ? condition.enter?.inquiry
        : undefined;
  if (condition.kind === "down") condition.inquiry = undefined;
  if (inquiry === undefined) return;
  const kind = inquiry.cause === "absence" ? "unknown" : "alive";
  become(turn, peer, { kind }, "this node was itself stopped");
}
