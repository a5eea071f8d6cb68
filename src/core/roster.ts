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
  /** Revoked, or named as void by the root when it opened the generation. */
  readonly revoked: readonly string[];
}

/**
 * What was found out about a roster somebody offers. A root counts as trusted when it is the very
 * certificate that the held roster lists, or when an unbroken chain of handovers leads to it from one;
 * everything below counts as proven only by such a root that the candidate itself lists.
 */
export interface RosterCandidate extends RosterLink {
  readonly mesh: MeshId;
  readonly signer: string;
  /** The signature is by the signer's key, which is its keymaster's, and whose certificate is proven. */
  readonly signatureValid: boolean;
  /** Each root it lists is trusted. */
  readonly rootsTrusted: boolean;
  /** Every key it would let sign has a certificate by a trusted root. */
  readonly successionProven: boolean;
  /** A trusted root signed the opening of its generation. */
  readonly openingProven: boolean;
  readonly previous: string | null;
  readonly ancestors: readonly RosterLink[];
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
  /** Two keys whose names begin alike claim the same term. */
  | "second-signer"
  /** No root that we trust stands behind its generation. */
  | "outside-succession"
  /** It does not build on the roster we hold, though the same key signed both in one term. */
  | "broken-chain"
  /** It brings in a root that the held roster does not trust. */
  | "new-root"
  /** It names a successor no trusted root has signed for. */
  | "unproven-successor";

export type RosterDecision =
  | { readonly decision: "same" }
  | { readonly decision: "adopt" }
  | { readonly decision: "refuse"; readonly reason: RosterRefusal; readonly why: string };

/**
 * Negative when `a` ranks below `b`. The generation comes first: only a root key raises it, so
 * nothing that a stolen signing key counts up outranks what a root key opens.
 */
export const compareRanks = (a: RosterRank, b: RosterRank): number =>
  a.generation - b.generation || a.term - b.term || compareTexts(a.opener, b.opener) || a.epoch - b.epoch;

/** By code units: the same on every host, whatever its locale. */
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const outranks = (a: RosterRank, b: RosterRank): boolean => compareRanks(a, b) > 0;

/** The rank of what has one. */
export const rankIn = ({ generation, term, opener, epoch }: RosterRank): RosterRank => ({
  generation,
  term,
  opener,
  epoch,
});

export const showRank = ({ generation, term, opener, epoch }: RosterRank): string =>
  `term ${term} epoch ${epoch} (generation ${generation}, signed by ${opener})`;

export function decideRoster(held: HeldRoster, candidate: RosterCandidate): RosterDecision {
  if (candidate.mesh !== held.mesh) return refuse("other-mesh", `it belongs to mesh ${candidate.mesh}`);
  if (candidate.hash === held.hash && candidate.signer === held.signer) return { decision: "same" };
  if (!candidate.signatureValid)
    return refuse("bad-signature", "its signature is not by a key this mesh trusts");
  if (held.revoked.includes(candidate.signer))
    return refuse("revoked-signer", "its signing key has been revoked");
  const order = compareRanks(candidate, held);
  if (order < 0) return refuse("older", `it is ${showRank(candidate)}, older than ${showRank(held)}`);
  if (order === 0) return refuse("fork", `there are two rosters of ${showRank(held)}: somebody signed twice`);
  return unproven(candidate) ?? (isSameReign(held, candidate) ? sameReign(held, candidate) : adopt);
}

function unproven(candidate: RosterCandidate): RosterDecision | undefined {
  if (!candidate.rootsTrusted)
    return refuse("new-root", "it brings in a root certificate that this mesh does not trust");
  if (!candidate.successionProven)
    return refuse("unproven-successor", "it names a successor that no trusted root has signed for");
  if (!candidate.openingProven)
    return refuse("outside-succession", `no trusted root opened generation ${candidate.generation}`);
  return undefined;
}

/** It is that roster, or was built on it or on a later one of the same reign. */
export const isBuiltOn = (
  { hash, ancestors }: { readonly hash: string; readonly ancestors: readonly RosterLink[] },
  link: RosterLink,
): boolean =>
  [hash, ...ancestors.map((ancestor) => ancestor.hash)].includes(link.hash) ||
  ancestors.some((ancestor) => isSameReign(ancestor, link) && ancestor.epoch > link.epoch);

const isSameReign = (held: RosterRank, candidate: RosterRank): boolean =>
  compareRanks({ ...candidate, epoch: held.epoch }, held) === 0;

/**
 * Within its term a signer builds on what it signed before. Across terms no chain is asked for:
 * whoever took over may have missed the last epochs of the term before, and whoever is offered the
 * new term may have missed the roster that named its signer.
 */
function sameReign(held: HeldRoster, candidate: RosterCandidate): RosterDecision {
  if (candidate.signer !== held.signer) {
    return refuse("second-signer", `term ${held.term} has another signer`);
  }
  if (buildsOn(held, candidate)) return adopt;
  return refuse("broken-chain", `${showRank(candidate)} does not build on our ${showRank(held)}`);
}

function buildsOn(held: HeldRoster, candidate: RosterCandidate): boolean {
  if (candidate.epoch === held.epoch + 1) return candidate.previous === held.hash;
  return candidate.ancestors.some((link) => compareRanks(link, held) === 0 && link.hash === held.hash);
}

const adopt: RosterDecision = { decision: "adopt" };
const refuse = (reason: RosterRefusal, why: string): RosterDecision => ({ decision: "refuse", reason, why });
