/** Which of two sessions between the same two nodes stays; both ends come to the same answer. */
import type { NodeId } from "../../core/types.ts";
import type { Hello } from "../../wire/peer-hello.ts";
import type { Role } from "./datagram-box.ts";

export interface Contender {
  readonly name: string;
  /** This node's. */
  readonly role: Role;
  /** The peer's. */
  readonly hello: Hello | undefined;
  /** The session that this node called over in its own hello. */
  readonly saidEnded?: string | undefined;
}

/**
 * A peer that restarted, or for which the current session is over, or that dials once more, means the
 * newer one; so does this node where it has dialled because it gave the current one up. When both dialled at once, both keep the one dialled by the lower id.
 */
export function supersedes(newer: Contender, current: Contender, self: NodeId, peer: NodeId): boolean {
  if (newer.hello?.life !== current.hello?.life) return true;
  if (newer.hello?.ended === current.name || newer.saidEnded === current.name) return true;
  if (newer.role === current.role) return true;
  return newer.role === (self < peer ? "client" : "server");
}
