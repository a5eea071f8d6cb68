/** What a member said when it left, as the status, the journal and messages say it. */
import type { FarewellReason } from "./messages.ts";
import type { Peer } from "./peer.ts";

export const FAREWELL_WORDS: Readonly<Record<FarewellReason, string>> = {
  stop: "it was stopped on purpose",
  reboot: "it was rebooted",
  shutdown: "it was shut down on purpose",
  thermal: "it shut itself down while too hot",
};

/** What a person reads about a member that is missing. */
export function wordsForMissing({ farewell, farewellWhy = "stop", heardAt }: Peer): string {
  if (farewell !== undefined) return `${FAREWELL_WORDS[farewellWhy]} and has not come back`;
  return heardAt === undefined ? "it has not been heard since this node started" : "it has not come back";
}
