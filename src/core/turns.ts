/** Whose job it is to send: the same order at every node that sees the same mesh. */
import { hashParts } from "../kit/hash.ts";
import { after, between, type Instant } from "../kit/time.ts";
import { FAILURE_MEMORY, PROVEN_FOR, TURN_EVERY } from "./limits.ts";
import type { NodeState } from "./state.ts";
import type { IncidentId, NodeId } from "./types.ts";

/** The built-in channel every node has; a delivery there proves nothing. */
export const INBOX = "inbox";

export const failureKey = (node: NodeId, channel: string): string => `${node} ${channel}`;

/** Living, unsuspected nodes that have the channel; this one too if it has it. */
function candidates(state: NodeState, channel: string): NodeId[] {
  const able: NodeId[] = state.channels.some((own) => own.name === channel) ? [state.self] : [];
  for (const peer of state.peers.values()) {
    if (peer.condition.kind === "alive" && peer.channels.includes(channel)) able.push(peer.id);
  }
  return able;
}

/** Nodes that lately delivered on any channel but the inbox. */
export function provenNodes(state: NodeState, wall: number): Set<NodeId> {
  const proven = new Set<NodeId>();
  for (const record of state.ledger.records.values()) {
    if (record.t !== "delivery" || record.outcome !== "delivered" || record.channel === INBOX) continue;
    if (wall - record.at < PROVEN_FOR) proven.add(record.node);
  }
  return proven;
}

/**
 * Ranks the candidates for a group of incidents: those without a recent failure on
 * the channel first, then those with a proven channel, then by rendezvous hash
 * (highest random weight) over the group's lowest incident id.
 */
export function rank(
  state: NodeState,
  anchor: IncidentId,
  channel: string,
  now: Instant,
  wall: number,
): NodeId[] {
  const proven = provenNodes(state, wall);
  const weigh = (node: NodeId) => {
    const failedAt = state.notify.failures.get(failureKey(node, channel));
    return {
      node,
      failed: failedAt !== undefined && between(failedAt, now) < FAILURE_MEMORY ? 1 : 0,
      unproven: proven.has(node) ? 0 : 1,
      hash: hashParts("balefire-turn-1", anchor, node),
    };
  };
  return candidates(state, channel)
    .map(weigh)
    .sort((a, b) => a.failed - b.failed || a.unproven - b.unproven || (a.hash < b.hash ? -1 : 1))
    .map((each) => each.node);
}

/** When a rank may go if it sees no sign of those before it. */
export const turnAt = (base: Instant, place: number): Instant => after(base, (place * TURN_EVERY) as never);
