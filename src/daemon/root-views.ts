/** The roots and their change as the command line shows them, and what is told of a change that takes long. */
import { certificateEnds, parseCertificate } from "../adapters/pki/certificates.ts";
import type { LateRootChange } from "../core/io.ts";
import type { RotationObstacle, RotationStep, WaitedFor } from "../core/pki/rotation.ts";
import { civilTime, type Duration, hours, isoTime, type WallTime, wallTime } from "../kit/time.ts";
import { type RootReport, type RootStatusReport, WAITING_WORDS } from "../wire/root-reports.ts";
import type { Roster } from "../wire/roster.ts";

/** With every host on it takes seconds. After this long `status` says that it is not over, and people are told. */
const LATE_AFTER: Duration = hours(1);

const nameIn = ({ nodes }: Roster, id: string): string => nodes.find((node) => node.id === id)?.name ?? id;
export const namesOf = (roster: Roster, ids: readonly string[]): readonly string[] =>
  ids.filter((id) => roster.nodes.some((node) => node.id === id)).map((id) => nameIn(roster, id));

export function rootStatusReport(roster: Roster, step: RotationStep | undefined): RootStatusReport {
  const { rotation } = roster;
  const waiting = step?.step === "wait" ? step.for : [];
  return {
    schema: 1,
    phase: step?.step === "blocked" ? "blocked" : (rotation?.phase ?? "none"),
    roots: roster.roots.map(({ pin, certificate }) => rootReport(pin, certificate, rotation?.root)),
    since: rotation?.since ?? null,
    keymaster: nameIn(roster, roster.keymaster),
    waived: namesOf(roster, rotation?.waived ?? []),
    waiting: waiting.map(({ node, why }) => ({ node: nameIn(roster, node), id: node, why })),
    problem: step?.step === "blocked" ? obstacleWords(roster, step.by) : null,
  };
}

function rootReport(pin: string, certificate: string, rotatesTo: string | undefined): RootReport {
  const parsed = parseCertificate(certificate);
  // The roster was verified: its roots can be read.
  const notAfter = parsed.ok ? isoTime(certificateEnds(parsed.value)) : "";
  return { pin, notAfter, role: rotatesTo === undefined ? "only" : rotatesTo === pin ? "new" : "old" };
}

const obstacleWords = (roster: Roster, by: RotationObstacle): string =>
  by.obstacle === "opened-by-another-root"
    ? "somebody has become keymaster by the old root's recovery code since it was announced"
    : `${namesOf(roster, by.nodes).join(", ")} may sign by the old root only`;

/** For `status`: a change of roots that cannot go on, or that has waited too long. */
export function rotationTroubles(
  { rotation }: Pick<Roster, "rotation">,
  step: RotationStep | undefined,
  wall: WallTime,
): string[] {
  if (rotation === undefined) return [];
  if (step?.step === "blocked") return ["the change of roots cannot go on: `balefire root status` says why"];
  const since = wallTime(Date.parse(rotation.since));
  if (wall - since < LATE_AFTER) return [];
  const begun = `the change of roots that was begun ${civilTime(since)} is not over`;
  return [`${begun}: \`balefire root status\` says what it waits for`];
}

/** For people, once: on the keymaster, whom the change has waited for too long; undefined while that is nobody. */
export function lateRootChange(
  roster: Roster,
  step: RotationStep | undefined,
  wall: WallTime,
): LateRootChange | undefined {
  const { rotation } = roster;
  if (rotation === undefined || step === undefined) return undefined;
  const since = wallTime(Date.parse(rotation.since));
  if (wall - since < LATE_AFTER) return undefined;
  switch (step.step) {
    case "blocked":
      return { since, words: `cannot go on: ${obstacleWords(roster, step.by)}` };
    case "wait":
      return { since, words: `waits for ${waitingWords(roster, step.for)}` };
    case "issue":
    case "finish":
      return undefined;
  }
}

/** `pve3: it cannot be reached`; of several with different reasons each is named with its own. */
function waitingWords(roster: Roster, waiting: readonly WaitedFor[]): string {
  const whys = [...new Set(waiting.map(({ why }) => why))];
  const names = (of: readonly WaitedFor[]): string => of.map(({ node }) => nameIn(roster, node)).join(", ");
  const reasons = whys.map((why) => {
    const whose = whys.length === 1 ? "" : ` (${names(waiting.filter((each) => each.why === why))})`;
    return `${WAITING_WORDS[why]}${whose}`;
  });
  return `${names(waiting)}: ${reasons.join(", ")}`;
}
