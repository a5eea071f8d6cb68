/** Notes about what people do on purpose, where they want to be told of it (`policy.planned.note`). */
import { civilTime } from "../kit/time.ts";
import { FAREWELL_WORDS } from "./farewell-words.ts";
import { type Opening, openIncident } from "./incidents.ts";
import type { MuteRecord } from "./ledger-records.ts";
import { DETAIL_MAX } from "./limits.ts";
import type { Goodbye } from "./messages.ts";
import type { Peer } from "./peer.ts";
import { nameOf, type Turn } from "./state.ts";
import type { NodeId } from "./types.ts";

/** A stop on purpose; all who were told of it enter the same. */
export function noteStop(turn: Turn, peer: Peer, { incarnation, why = "stop" }: Goodbye): void {
  const about = { subject: peer.id, name: peer.member.name };
  note(turn, about, incarnation, why, FAREWELL_WORDS[why]);
}

/** Entered by the node that was asked for it. */
export function noteMaintenance(turn: Turn, subject: NodeId, mute: MuteRecord): void {
  const { revision, ended, by, why, until } = mute;
  const end = until === undefined ? "until someone ends it" : `until ${civilTime(until)}`;
  const words = ended
    ? `its maintenance was ended by ${by}`
    : `it is in maintenance ${end}, by ${by}${why === "" ? "" : `: ${why}`}`;
  const about = { subject, name: nameOf(turn.state, subject) };
  note(turn, about, 0, `${ended ? ENDED : MAINTENANCE} ${revision}`, words);
}

const MAINTENANCE = "maintenance";
const ENDED = "maintenance-ended";

function note(
  turn: Turn,
  about: Pick<Opening, "subject" | "name">,
  incarnation: number,
  topic: string,
  detail: string,
): void {
  if (!turn.state.policy.plannedNotes) return;
  const said = detail.slice(0, DETAIL_MAX);
  const since = turn.env.wall;
  openIncident(turn, {
    kind: "planned",
    ...about,
    incarnation,
    topic,
    verdict: "planned",
    since,
    detail: said,
  });
}

/** By the first word of a note's topic: what a title says of its subjects. */
export const PLANNED_TITLES: Readonly<Record<string, readonly [verb: string, rest: string]>> = {
  reboot: ["was", "rebooted"],
  shutdown: ["was", "shut down on purpose"],
  stop: ["was", "stopped on purpose"],
  [MAINTENANCE]: ["is", "in maintenance"],
  [ENDED]: ["is", "no longer in maintenance"],
};
