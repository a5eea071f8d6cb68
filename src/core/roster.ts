/**
 * Which roster replaces which. The adapter verifies signatures and states them as
 * facts; here is only the decision, so that it can be shown as a table.
 */
import type { MeshId, RosterRank } from "./types.ts";

export interface RosterLink extends RosterRank {
  readonly hash: string;
}

/** The roster a node holds, as far as it decides about the next. Keys are named by their pins. */
export interface HeldRoster extends RosterLink {
  readonly mesh: MeshId;
  readonly signer: string;
  readonly succession: readonly string[];
  readonly revoked: readonly string[];
  /** Fingerprints: a root is trusted as the very certificate it is, not by its key alone. */
  readonly roots: readonly string[];
}

/** What was found out about a roster somebody offers. */
export interface RosterCandidate extends RosterLink {
  readonly mesh: MeshId;
  readonly signer: string;
  /** The signature is by the signer's key, whose certificate leads to a root the held roster trusts. */
  readonly signatureValid: boolean;
  /** Opened by the root: a root the held roster trusts signed this mesh, term and signer. */
  readonly rootProof: boolean;
  /** Every key it would let sign has a certificate by a root the held roster trusts. */
  readonly successionProven: boolean;
  readonly previous: string | null;
  readonly ancestors: readonly RosterLink[];
  readonly roots: readonly string[];
}

export type RosterRefusal =
  /** Not signed by the key it names, or that key does not lead to a trusted root. */
  | "bad-signature"
  | "other-mesh"
  /** The signing key has been revoked. */
  | "revoked-signer"
  /** We hold a higher rank. */
  | "older"
  /** Same rank, other content: one signer signed two histories. For the admin to see, never merged. */
  | "fork"
  /** Within a term only the key that opened it signs. */
  | "second-signer"
  /** A higher term that neither the root nor a standby of ours opened. */
  | "outside-succession"
  /** It does not build on the roster we hold. */
  | "broken-chain"
  /** It brings in a root that the held roster does not trust. */
  | "new-root"
  /** It names a successor no trusted root has signed for. */
  | "unproven-successor";

export type RosterDecision =
  | { readonly decision: "same" }
  | { readonly decision: "adopt" }
  | { readonly decision: "refuse"; readonly reason: RosterRefusal; readonly why: string };

/** Negative when `a` ranks below `b`. */
export const compareRanks = (a: RosterRank, b: RosterRank): number => a.term - b.term || a.epoch - b.epoch;

export const showRank = (rank: RosterRank): string => `term ${rank.term} epoch ${rank.epoch}`;

export function decideRoster(held: HeldRoster, candidate: RosterCandidate): RosterDecision {
  if (candidate.mesh !== held.mesh) return refuse("other-mesh", `it belongs to mesh ${candidate.mesh}`);
  if (candidate.hash === held.hash) return { decision: "same" };
  if (!candidate.signatureValid)
    return refuse("bad-signature", "its signature is not by a key this mesh trusts");
  if (held.revoked.includes(candidate.signer))
    return refuse("revoked-signer", "its signing key has been revoked");
  const order = compareRanks(candidate, held);
  if (order < 0) return refuse("older", `it is ${showRank(candidate)}, older than ${showRank(held)}`);
  if (order === 0) return refuse("fork", `there are two rosters of ${showRank(held)}: somebody signed twice`);
  if (candidate.roots.some((root) => !held.roots.includes(root))) {
    return refuse("new-root", "it brings in a root certificate that this mesh does not trust");
  }
  if (!candidate.successionProven) {
    return refuse("unproven-successor", "it names a successor that no trusted root has signed for");
  }
  return candidate.term === held.term ? sameTerm(held, candidate) : higherTerm(held, candidate);
}

function sameTerm(held: HeldRoster, candidate: RosterCandidate): RosterDecision {
  if (candidate.signer !== held.signer) {
    return refuse("second-signer", `term ${held.term} has another signer`);
  }
  if (buildsOn(held, candidate)) return { decision: "adopt" };
  return refuse("broken-chain", `${showRank(candidate)} does not build on our ${showRank(held)}`);
}

/** No chain is asked for across terms: whoever took over may have missed the last epochs of the term before. */
function higherTerm(held: HeldRoster, candidate: RosterCandidate): RosterDecision {
  if (candidate.rootProof || held.succession.includes(candidate.signer)) return { decision: "adopt" };
  return refuse("outside-succession", `nobody entitled opened term ${candidate.term}`);
}

function buildsOn(held: HeldRoster, candidate: RosterCandidate): boolean {
  if (candidate.epoch === held.epoch + 1) return candidate.previous === held.hash;
  return candidate.ancestors.some((link) => compareRanks(link, held) === 0 && link.hash === held.hash);
}

const refuse = (reason: RosterRefusal, why: string): RosterDecision => ({ decision: "refuse", reason, why });
