/** Hearing nobody and without an uplink of its own, a node claims nothing about the others. */
import { after } from "../kit/time.ts";
import { ISOLATION_RECHECK, RETURN_PATIENCE } from "./limits.ts";
import { become, notice, type Turn } from "./state.ts";
import type { Uplink } from "./types.ts";

export function isolate(turn: Turn, detail: string): void {
  const { env, state } = turn;
  if (state.isolated === undefined) {
    state.isolated = { since: env.wall, detail, recheckAt: after(env.now, ISOLATION_RECHECK) };
    notice(turn, { type: "isolated", isolated: true, detail });
  }
  for (const peer of state.peers.values()) {
    if (peer.condition.kind === "suspect" || peer.condition.kind === "link-problem") {
      become(turn, peer, { kind: "unknown" }, "this node is cut off itself");
    }
  }
}

export function endIsolation(turn: Turn, why: string): void {
  const { env, state } = turn;
  if (state.isolated === undefined) return;
  state.isolated = undefined;
  notice(turn, { type: "isolated", isolated: false, detail: why });
  for (const peer of state.peers.values()) {
    if (peer.condition.kind !== "unknown" || peer.heardAt === undefined) continue;
    peer.condition = { kind: "unknown", doubtAt: after(env.now, RETURN_PATIENCE) };
  }
}

export function recheckUplink(turn: Turn): void {
  const { env, state } = turn;
  if (state.isolated === undefined || env.now < state.isolated.recheckAt) return;
  state.isolated.recheckAt = after(env.now, ISOLATION_RECHECK);
  turn.effects.push({ type: "look-at-uplink" });
}

export function uplinkSeen(turn: Turn, uplink: Uplink): void {
  const { state, env } = turn;
  state.uplink = { askedAt: state.uplink?.askedAt ?? env.now, seen: uplink };
  if (uplink.up) endIsolation(turn, uplink.detail);
}
