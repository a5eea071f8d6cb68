/** How much is kept of rosters that lost: by whoever has some to hand in, and by the keymaster that lists them. */

/** One a reign; a mesh that has had more keymasters which lost has other worries. */
export const LOST_ROSTERS_MAX = 8;
/** A roster may be a megabyte: so that a file of them stays readable, whose quotes are escaped. */
const LOST_ROSTERS_CHARS_MAX = 2_500_000;
/** Of one signer a person decides about so many at a time: a stolen key must not keep the others out. */
export const LOST_ROSTERS_PER_SIGNER_MAX = 2;
/** Room for the longest roster, and for half of the others. */
const SIGNERS_CHARS_MAX = LOST_ROSTERS_CHARS_MAX / 2;

/** The last one stays whatever its length. */
export const isTooMuch = (lengths: readonly number[]): boolean =>
  exceeds(lengths, LOST_ROSTERS_MAX, LOST_ROSTERS_CHARS_MAX);

/** The same of what one signer has signed. */
export const isTooMuchOfOne = (lengths: readonly number[]): boolean =>
  exceeds(lengths, LOST_ROSTERS_PER_SIGNER_MAX, SIGNERS_CHARS_MAX);

const exceeds = (lengths: readonly number[], most: number, charsMax: number): boolean =>
  lengths.length > 1 &&
  (lengths.length > most || lengths.reduce((sum, length) => sum + length, 0) > charsMax);
