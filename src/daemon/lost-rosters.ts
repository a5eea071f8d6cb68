/** How much is kept of rosters that lost: by whoever has some to hand in, and by the keymaster that lists them. */

/** One a reign; a mesh that has had more keymasters which lost has other worries. */
export const LOST_ROSTERS_MAX = 8;
/** A roster may be a megabyte: so that a file of them stays readable, whose quotes are escaped. */
const LOST_ROSTERS_CHARS_MAX = 2_500_000;

/** The last one stays whatever its length. */
export const isTooMuch = (lengths: readonly number[]): boolean =>
  lengths.length > 1 &&
  (lengths.length > LOST_ROSTERS_MAX ||
    lengths.reduce((sum, length) => sum + length, 0) > LOST_ROSTERS_CHARS_MAX);
