/** Whose job it is to send: the same order at every node that sees the same mesh. */
import { hashPartsAgain } from "../kit/hash.ts";
import { after, type Duration, type Instant } from "../kit/time.ts";
import type { DeliveryRecord, Phase } from "./ledger-records.ts";
import { PROVEN_FOR, TURN_EVERY, TURN_EVERY_RESOLVED } from "./limits.ts";
import type { NodeState } from "./state.ts";
import type { NodeId } from "./types.ts";

/** The built-in channel every node has; a delivery there proves nothing. */
export const INBOX = "inbox";

export const failureKey = (node: NodeId, channel: string): string => `${node} ${channel}`;

/** Living, unsuspected nodes that have the channel; this one too if it has it. */
export function candidates(state: Pick<NodeState, "channels" | "self" | "peers">, channel: string): NodeId[] {
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
 * Nodes whose last delivery on the channel failed. Only the ledger is asked, and no
 * clock: with what each node happened to see when, every node would rank them
 * differently, and several would think that it is their turn.
 */
function failedNodes(state: NodeState, channel: string): Set<NodeId> {
  const last = new Map<NodeId, DeliveryRecord>();
  for (const record of state.ledger.records.values()) {
    if (record.t !== "delivery" || record.channel !== channel) continue;
    const held = last.get(record.node);
    if (held === undefined || held.at < record.at) last.set(record.node, record);
  }
  return new Set([...last.values()].filter(({ outcome }) => outcome === "failed").map(({ node }) => node));
}

const NOBODY: ReadonlySet<NodeId> = new Set();

/**
 * Ranks the candidates for a group of incidents: those first whom all others hear (`unheard`: the ends
 * of broken links), then those whose last delivery on the channel did not fail, then those with a proven
 * channel, then by rendezvous hash (highest random weight) over `anchor`.
 */
export function rank(
  state: NodeState,
  anchor: string,
  channel: string,
  wall: number,
  unheard: ReadonlySet<NodeId> = NOBODY,
): NodeId[] {
  const proven = provenNodes(state, wall);
  const failed = failedNodes(state, channel);
  const weigh = (node: NodeId) => ({
    node,
    unheard: unheard.has(node) ? 1 : 0,
    failed: failed.has(node) ? 1 : 0,
    unproven: proven.has(node) ? 0 : 1,
    hash: hashPartsAgain("balefire-turn-1", anchor, node),
  });
  return candidates(state, channel)
    .map(weigh)
    .sort(
      (a, b) =>
        a.unheard - b.unheard || a.failed - b.failed || a.unproven - b.unproven || (a.hash < b.hash ? -1 : 1),
    )
    .map((each) => each.node);
}

/** When a rank may go if it sees no sign of those before it. */
export const turnAt = (base: Instant, place: number, phase: Phase): Instant =>
  after(base, (place * (phase === "open" ? TURN_EVERY : TURN_EVERY_RESOLVED)) as Duration);
