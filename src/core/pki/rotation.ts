/**
 * How a change of roots goes on: `announced` (all learn to trust the new one), `issuing` (all have their
 * certificates renewed under it), done (nobody trusts the old one). All that it rests on is in the roster
 * and in what nodes say of themselves, so whoever signs next, after a crash or a takeover, goes on with it.
 */
import type { NodeId } from "../types.ts";

/** What tells the incident of a change that takes too long from one of a late certificate. */
export const ROOT_CHANGE_TOPIC = "root";

/** What is known of a node, the deciding one itself included. */
export interface RotatingNode {
  readonly id: NodeId;
  /** There is a session with it, or it is this node. */
  readonly present: boolean;
  /** Of the roster that it says it holds; undefined while it has said nothing. */
  readonly generation: number | undefined;
  /** Pin of the root above the certificate last issued to it; undefined when nobody noted it. */
  readonly root: string | undefined;
  /** Whether it is known to use another certificate than that one. */
  readonly showsAnother: boolean;
}

export interface RotationFacts {
  readonly phase: "announced" | "issuing";
  /** Pin of the new root. */
  readonly root: string;
  /** Of the roster that announces it, or of a later one. Whoever holds one of this generation trusts both roots. */
  readonly generation: number;
  /** Pin of the root that opened the generation. */
  readonly openedBy: string;
  /** Whose signing keys have no certificate by the new root. */
  readonly signersBehind: readonly NodeId[];
  readonly waived: readonly NodeId[];
  readonly nodes: readonly RotatingNode[];
}

/**
 * - `away`: it is off, or cut off.
 * - `roster`: it is there, and has not said that it holds a roster with the new root.
 * - `certificate`: it has not been issued a certificate under the new root.
 * - `shows-old`: it has been, and still shows the one before.
 */
export type WaitingReason = "away" | "roster" | "certificate" | "shows-old";
export interface WaitedFor {
  readonly node: NodeId;
  readonly why: WaitingReason;
}

/** What cannot come right by waiting: somebody opened a term, or made a signer, with the old root since. */
export type RotationObstacle =
  | { readonly obstacle: "opened-by-another-root" }
  | { readonly obstacle: "signer-behind"; readonly nodes: readonly NodeId[] };

export type RotationStep =
  | { readonly step: "wait"; readonly for: readonly WaitedFor[] }
  /** All know the new root: certificates are to come with it. */
  | { readonly step: "issue" }
  /** All have one: the old root is to be dropped. */
  | { readonly step: "finish" }
  | { readonly step: "blocked"; readonly by: RotationObstacle };

export function rotationStep(facts: RotationFacts): RotationStep {
  const obstacle = obstacleIn(facts);
  if (obstacle !== undefined) return { step: "blocked", by: obstacle };
  const waitedFor = facts.nodes.flatMap((node) => {
    const why = facts.waived.includes(node.id) ? undefined : lacks(node, facts);
    return why === undefined ? [] : [{ node: node.id, why }];
  });
  if (waitedFor.length > 0) return { step: "wait", for: waitedFor };
  return { step: facts.phase === "announced" ? "issue" : "finish" };
}

function obstacleIn({ root, openedBy, signersBehind }: RotationFacts): RotationObstacle | undefined {
  if (openedBy !== root) return { obstacle: "opened-by-another-root" };
  return signersBehind.length === 0 ? undefined : { obstacle: "signer-behind", nodes: signersBehind };
}

/**
 * What a node has said it holds is on its disk, and who has asked for a certificate under the new root
 * knows that one: neither has to be there any more. Should it have lost its certificate, it fetches another.
 */
function lacks(node: RotatingNode, { phase, root, generation }: RotationFacts): WaitingReason | undefined {
  if (phase === "issuing" && node.root === root) {
    return node.present && node.showsAnother ? "shows-old" : undefined;
  }
  if (phase === "announced" && holds(node, generation)) return undefined;
  if (!node.present) return "away";
  return holds(node, generation) ? "certificate" : "roster";
}

const holds = ({ generation }: RotatingNode, wanted: number): boolean =>
  generation !== undefined && generation >= wanted;

/** A certificate is to be replaced at once, though it holds: its root goes, or is gone. */
export function wantsOtherRoot(
  /** Pin of the root above this node's own certificate; undefined when it is none that the roster lists. */
  own: string | undefined,
  rotation: { readonly phase: "announced" | "issuing"; readonly root: string } | undefined,
): boolean {
  if (rotation?.phase === "issuing") return own !== rotation.root;
  return own === undefined;
}
