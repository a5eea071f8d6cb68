import type { FarewellReason } from "./messages.ts";
import { whatCouldWait } from "./spreading.ts";
import type { Turn } from "./state.ts";

/** On purpose: every peer is told on both planes, then hung up on. Nothing is begun any more. */
export function sayGoodbye(turn: Turn, why: FarewellReason | undefined): void {
  const { state } = turn;
  state.stopping = true;
  const said = why === undefined ? {} : { why };
  turn.effects.push(...whatCouldWait(turn));
  const message = { t: "goodbye", incarnation: state.incarnation, reason: "stop", ...said } as const;
  for (const peer of state.peers.values()) {
    if (peer.session === undefined) continue;
    turn.effects.push({ type: "send", to: peer.id, plane: "stream", envelope: { message } });
    turn.effects.push({ type: "send", to: peer.id, plane: "datagram", envelope: { message } });
    turn.effects.push({ type: "hang-up", peer: peer.id });
  }
}
