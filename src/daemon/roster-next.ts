import { type ParsedRoster, ROSTER_ANCESTORS_MAX, type Roster } from "../wire/roster.ts";

/** The next roster of the same term: one epoch on, chained to the one before, with what changes. */
export function nextRoster(
  { roster, hash }: ParsedRoster,
  changes: Partial<Pick<Roster, "nodes" | "revoked" | "config">>,
  issuedAt: string,
): Roster {
  const parent = { term: roster.term, epoch: roster.epoch, hash };
  return {
    ...roster,
    ...changes,
    epoch: roster.epoch + 1,
    previous: hash,
    ancestors: [parent, ...roster.ancestors].slice(0, ROSTER_ANCESTORS_MAX),
    issuedAt,
  };
}
