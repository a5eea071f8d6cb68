/** What a node that was removed from its mesh says about it. */
import { civilTime, wallTime } from "../kit/time.ts";
import type { RosterRevocation } from "../wire/roster.ts";

export const REJOIN_REMEDY =
  "To have it back, make a token on the keymaster and join anew: `balefire join TOKEN --address IP`.";

export function removalWords({ name, at, reason }: RosterRevocation): string {
  const why = reason === "" ? "" : `: ${reason}`;
  return `this node, ${name}, was removed from its mesh ${civilTime(wallTime(Date.parse(at)))}${why}`;
}
