/** Who may sign, as the roster says it: what one more key has to be. */
import { isProvenSuccessor } from "../adapters/pki/roster-signature.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { ROSTER_SUCCESSION_MAX, type Roster, type RosterSuccessor } from "../wire/roster.ts";
import { isKnownKey } from "./membership.ts";

/** With one more key that may take over, or why the roster cannot take it. */
export function withSuccessor(
  roster: Roster,
  successor: RosterSuccessor,
): Result<Pick<Roster, "succession">> {
  const { succession, rotation, nodes, roots } = roster;
  const { node, pin } = successor;
  if (succession.length >= ROSTER_SUCCESSION_MAX) return tooManySigners();
  // It may have been removed while its key was being certified.
  if (!nodes.some(({ id }) => id === node))
    return failure("node-unknown", "the mesh has no such node any more");
  if (rotation !== undefined) {
    const remedy = "Wait until `balefire root status` says that it is over.";
    return failure("usage", "the root is being changed: no standby is added meanwhile", remedy);
  }
  if (isKnownKey(roster, pin) || succession.some((each) => each.node === node))
    return failure("certificate-invalid", "the key of the request is known to the mesh already");
  // Nobody would take the roster that names it.
  if (!isProvenSuccessor(successor, roots))
    return failure("certificate-invalid", "its signing key has no certificate by a root of this mesh");
  return ok({ succession: [...succession, successor] });
}

export const tooManySigners = (): Result<never> =>
  failure(
    "limit-reached",
    `a mesh has ${ROSTER_SUCCESSION_MAX} signing keys at most`,
    "Remove one: `balefire keymaster standby remove NODE`.",
  );
