import {
  type ParsedRoster,
  ROSTER_ANCESTORS_MAX,
  ROSTER_REVOKED_MAX,
  type Roster,
  type RosterAncestor,
  type RosterRevocation,
  rankOf,
} from "../wire/roster.ts";

/** What a keymaster may change from one roster of its term to the next. */
export type RosterChanges = Partial<
  Pick<
    Roster,
    "nodes" | "revoked" | "config" | "succession" | "roots" | "handovers" | "rotation" | "crls" | "recovery"
  >
>;

/** The next roster of the same term: one epoch on, chained to the one before, with what changes. */
export const nextRoster = (current: ParsedRoster, changes: RosterChanges, issuedAt: string): Roster => ({
  ...current.roster,
  ...changes,
  ...linkTo(current),
  epoch: current.roster.epoch + 1,
  issuedAt,
});

/** What chains a roster to the one before, of whatever term. */
export function linkTo(before: ParsedRoster): Pick<Roster, "previous" | "ancestors"> {
  const parent: RosterAncestor = { ...rankOf(before), hash: before.hash };
  const ancestors = [parent, ...before.roster.ancestors].slice(0, ROSTER_ANCESTORS_MAX);
  return { previous: before.hash, ancestors };
}

/**
 * With one more key revoked, within what a roster holds. A node's key that nothing pins lets nobody
 * in, so the oldest of those are forgotten; a signing key's certificate speaks for itself and is not.
 */
export function withRevoked(
  revoked: readonly RosterRevocation[],
  ...added: readonly RosterRevocation[]
): readonly RosterRevocation[] {
  const pins = new Set(added.map(({ pin }) => pin));
  const all = [...revoked.filter(({ pin }) => !pins.has(pin)), ...added];
  const isSigner = ({ kind }: RosterRevocation): boolean => kind === "signer";
  const dispensable = [...all.filter((entry) => !isSigner(entry)), ...all.filter(isSigner)];
  const gone = new Set(dispensable.slice(0, Math.max(0, all.length - ROSTER_REVOKED_MAX)));
  return all.filter((entry) => !gone.has(entry));
}
