/** The first roster of a new term: who takes over builds on the roster it holds, and signs from then on. */
import type { KeyObject } from "node:crypto";
import { certificateFacts, parseCertificate } from "../adapters/pki/certificates.ts";
import { signOpening } from "../adapters/pki/roster-signature.ts";
import {
  OPENING_VOIDS_MAX,
  type ParsedRoster,
  REVOCATION_REASON_CHARS_MAX,
  type Roster,
  type RosterNode,
  type RosterRevocation,
  type RosterSuccessor,
} from "../wire/roster.ts";
import { linkTo, type RosterChanges, withRevoked } from "./roster-next.ts";

/** What a new term may change: all a keymaster may, and who that is. */
export type TermChanges = RosterChanges & Partial<Pick<Roster, "keymaster">>;

/** By whose right the term begins: a standby's own, or the root's, who names the signing key. */
export type TermRight =
  | { readonly by: "standby" }
  | { readonly by: "root"; readonly key: KeyObject; readonly signer: string };

/**
 * A term on, at its first epoch, ancestors kept; to be signed by the new term's key. Opened by a root it
 * begins a generation as well, which no signing key that is revoked in it can sign anything of.
 */
export function openTerm(
  current: ParsedRoster,
  right: TermRight,
  changes: TermChanges,
  issuedAt: string,
): Roster {
  const changed = { ...current.roster, ...changes, ...linkTo(current), epoch: 1, issuedAt };
  const term = nextTerm(current.roster.term, right);
  if (right.by === "standby") return { ...changed, term };
  const generation = current.roster.generation + 1;
  const { signer } = right;
  const voids = voidsOf(changed);
  const opening = signOpening(right.key, changed.mesh, { generation, term, signer, voids });
  return { ...changed, generation, term, opening };
}

/** A stolen key may have counted to the end of all numbers; the generation outranks that, so its terms start over. */
const nextTerm = (term: number, { by }: TermRight): number =>
  by === "root" && term >= Number.MAX_SAFE_INTEGER ? 1 : term + 1;

/** The keys that have signed and must not again; of too many the latest. */
const voidsOf = ({ revoked, opening }: Roster): readonly string[] => {
  const pins = revoked.filter(({ kind }) => kind === "signer").map(({ pin }) => pin);
  return [...new Set([...opening.voids, ...pins])].slice(-OPENING_VOIDS_MAX);
};

export interface VoidReason {
  readonly why: string;
  /** ISO 8601. */
  readonly at: string;
  /** Somebody else may have the key. */
  readonly suspected?: boolean;
}

/** Whoever leaves the mesh takes no key along that could open a term. `roster`: without the node already. */
export function withoutSignersOf(
  roster: Roster,
  { id, name }: Pick<RosterNode, "id" | "name">,
  about: VoidReason,
): Pick<Roster, "succession" | "revoked"> {
  let { succession, revoked } = roster;
  for (const successor of succession.filter(({ node }) => node === id)) {
    const left = withoutSigner({ ...roster, succession, revoked }, successor, about, name);
    ({ succession, revoked } = left);
  }
  return { succession, revoked };
}

/** Without this signing key: out of the succession, and revoked for good. `name`: of the node whose it was, where the roster no longer has it. */
export function withoutSigner(
  roster: Roster,
  successor: RosterSuccessor,
  about: VoidReason,
  name?: string,
): Pick<Roster, "succession" | "revoked"> {
  const { node, pin, certificate } = successor;
  const parsed = parseCertificate(certificate);
  const revocation: RosterRevocation = {
    pin,
    node,
    name: name ?? nameOf(roster, node),
    at: about.at,
    reason: about.why.slice(0, REVOCATION_REASON_CHARS_MAX),
    ...(parsed.ok ? { serials: [certificateFacts(parsed.value).serial] } : {}),
    ...(about.suspected === true ? { suspected: true } : {}),
    kind: "signer",
  };
  return {
    succession: roster.succession.filter((other) => other.pin !== pin),
    revoked: withRevoked(roster.revoked, revocation),
  };
}

/** A signer may have left the mesh before its key is voided. */
const nameOf = ({ nodes, revoked }: Roster, id: string): string =>
  nodes.find((node) => node.id === id)?.name ?? revoked.find(({ node }) => node === id)?.name ?? "unknown";
