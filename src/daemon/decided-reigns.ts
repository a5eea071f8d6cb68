/**
 * Which reigns of keymasters that lost a person has decided about, and up to which epoch. A reign is a
 * signer's in one term: what it signed later holds all that it had signed before. Pure.
 */
import { openerOf, type Roster, type SignedRoster } from "../wire/roster.ts";
import type { DecidedReign } from "./state-files.ts";

/** Some 200 bytes each. */
export const DECIDED_REIGNS_MAX = 512;
/** Of one roster: whoever signed it names what he likes before it, and must not push the others out. */
const DECIDED_AT_ONCE_MAX = 8;

/** What counts of a roster here. */
export interface Reigning {
  readonly signed: Pick<SignedRoster, "signer">;
  readonly roster: Pick<Roster, "generation" | "term" | "epoch" | "ancestors">;
}

export const reignOf = ({ roster, signed }: Reigning): DecidedReign => ({
  signer: signed.signer,
  generation: roster.generation,
  term: roster.term,
  epoch: roster.epoch,
});

/** A person knows all that is in it. */
export const isDecided = (decided: readonly DecidedReign[], lost: Reigning): boolean => {
  const reign = reignOf(lost);
  return decided.some((each) => isSame(each, reign) && each.epoch >= reign.epoch);
};

/** With this one, and with those reigns of its signer that it builds on; the oldest give way. */
export function withDecided(decided: readonly DecidedReign[], lost: Reigning): readonly DecidedReign[] {
  const { signer } = lost.signed;
  const own = lost.roster.ancestors.filter(({ opener }) => opener === openerOf(signer));
  const before = own.map(({ generation, term, epoch }) => ({ signer, generation, term, epoch }));
  const latest = [reignOf(lost), ...before].reduce<readonly DecidedReign[]>(withLatest, []);
  const added = latest.slice(0, DECIDED_AT_ONCE_MAX).reverse();
  return added.reduce(withLatest, decided).slice(-DECIDED_REIGNS_MAX);
}

/** Each reign once. */
function withLatest(reigns: readonly DecidedReign[], added: DecidedReign): readonly DecidedReign[] {
  const epoch = Math.max(
    added.epoch,
    ...reigns.filter((each) => isSame(each, added)).map((each) => each.epoch),
  );
  const at = reigns.findIndex((each) => isSame(each, added));
  return at === -1 ? [...reigns, added] : reigns.with(at, { ...added, epoch });
}

const isSame = (a: DecidedReign, b: DecidedReign): boolean =>
  a.signer === b.signer && a.generation === b.generation && a.term === b.term;
