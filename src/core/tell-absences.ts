/** Words about hosts that are away, and about their return. */
import { civilTime } from "../kit/time.ts";
import { accountsOf } from "./isolation.ts";
import { resolutionOf } from "./ledger.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { splitOf } from "./split.ts";
import { feltLines } from "./tell-felt.ts";
import {
  fitting,
  fromTo,
  isOver,
  lasted,
  listNames,
  type Seen,
  sentence,
  type Telling,
  uniqueNames,
  viewpointLine,
  type Words,
} from "./telling.ts";
import type { Verdict } from "./types.ts";

/** From the gravest to the mildest, as the person's urgency goes. */
const GRAVITY: readonly Verdict[] = ["host-down", "unreachable", "daemon-down", "missing"];

export const gravest = (incidents: readonly IncidentRecord[]): Verdict =>
  GRAVITY.find((verdict) => incidents.some((incident) => incident.verdict === verdict)) ??
  incidents[0]?.verdict ??
  "unknown";

export function tellAbsence(telling: Telling): Words {
  const title = openTitle(telling);
  const { viewpoint, incidents } = telling;
  const lines = [`${title}, last heard ${civilTime(telling.since)}.`];
  const observers = [...new Set(telling.evidence.map((seen) => seen.name))];
  if (observers.length > 0) {
    const heard = gravest(incidents) === "daemon-down" ? "hears Balefire there" : "hears it";
    lines.push(`Looked: ${listNames(observers)}. None of them ${heard}; ${probeWords(telling.evidence)}.`);
  }
  for (const { name, detail } of incidents) if (detail !== undefined) lines.push(`${name}: ${detail}.`);
  lines.push(...feltLines(telling));
  if (viewpoint.alone && viewpoint.of > 1)
    lines.push(`Nobody else is there to ask; ${uplinkWords(telling)}.`);
  return { title, lines: [...lines, viewpointLine(telling)] };
}

/** The gravest comes first. */
function openTitle(telling: Telling): string {
  const { incidents } = telling;
  if (incidents.every((incident) => isOver(telling, incident))) {
    return sentence(
      uniqueNames(incidents),
      "was",
      `down for ${lasted(telling.since, telling.until ?? telling.wall)}`,
    );
  }
  // One host more or less answering makes the difference: people need not learn it from a title.
  const away = incidents.filter(({ verdict }) => verdict === "host-down" || verdict === "unreachable");
  if (new Set(away.map(({ verdict }) => verdict)).size > 1 && away.length === incidents.length)
    return sentence(uniqueNames(incidents), "is", "down or unreachable");
  return GRAVITY.flatMap((verdict) => {
    const names = uniqueNames(incidents.filter((incident) => incident.verdict === verdict));
    return names.length === 0 ? [] : [phrase(names, verdict, telling.viewpoint.node)];
  }).join(", ");
}

function phrase(names: readonly string[], verdict: Verdict, from: string): string {
  if (verdict === "unreachable") return sentence(names, "", `unreachable from ${from}`);
  if (verdict === "daemon-down") return sentence(names, "is", "up but not watching");
  return sentence(names, "is", verdict === "missing" ? "missing" : "down");
}

function probeWords(evidence: readonly Seen[]): string {
  const outcomes = new Set(evidence.map((seen) => seen.probe));
  if (outcomes.has("refused")) return "the host itself answers and refuses the connection";
  if (outcomes.has("accepted")) return "the host itself accepts connections";
  return "the host does not answer connections either";
}

function uplinkWords({ state }: Telling): string {
  const uplink = state.uplink?.seen;
  return uplink === undefined ? "my own uplink could not be checked" : `my own uplink: ${uplink.detail}`;
}

export function tellReturn(telling: Telling): Words {
  const { state, incidents } = telling;
  const until = telling.until ?? telling.wall;
  const removed = incidents.filter(
    ({ incident }) => resolutionOf(state.ledger, incident)?.how === "replaced",
  );
  const back = incidents.filter((incident) => !removed.includes(incident));
  const split = splitOf(state.ledger, incidents);
  const lines: string[] = [];
  let title = sentence(uniqueNames(back), "is", "back");
  if (back.length === 0) title = sentence(uniqueNames(removed), "is", "no longer watched");
  if (split !== undefined) {
    title = splitTitle(split, lasted(telling.since, until));
    lines.push(`${title}.`);
    lines.push(
      `${listNames(split.one)} could not hear ${listNames(split.other)}, nor the other way round, ${fromTo(telling.since, until)}. None of them had stopped.`,
    );
  } else {
    lines.push(`${title} after ${lasted(telling.since, until)}, silent since ${civilTime(telling.since)}.`);
  }
  lines.push(...restarts(telling, back), ...excuses(telling));
  if (removed.length > 0 && back.length > 0)
    lines.push(`No longer watched: ${listNames(uniqueNames(removed))}.`);
  return { title, lines: [...lines, viewpointLine(telling)] };
}

function splitTitle(
  { one, other }: { one: readonly string[]; other: readonly string[] },
  length: string,
): string {
  const [a = "", b = ""] = [one[0], other[0]];
  if (one.length + other.length === 2)
    return fitting(
      `${a} and ${b} hear each other again after ${length}`,
      `Link back after ${length} between ${a} and ${b}`,
    );
  return `The mesh was split for ${length}, and is whole again`;
}

function restarts({ state }: Telling, back: readonly IncidentRecord[]): string[] {
  const rebooted = back.filter(
    ({ incident }) => resolutionOf(state.ledger, incident)?.how === "returned-rebooted",
  );
  return rebooted.length === 0 ? [] : [`Restarted meanwhile: ${listNames(uniqueNames(rebooted))}.`];
}

/** What the returned say of it themselves. */
function excuses({ state, incidents, since, wall }: Telling): string[] {
  const subjects = new Set(incidents.map(({ subject }) => subject));
  const accounts = [...subjects].flatMap((subject) => accountsOf(state.ledger, subject, since));
  return accounts
    .filter((account) => account.since <= wall)
    .map(({ name, since: from, until = wall, detail }) => {
      const why = detail === undefined ? "" : ` (${detail})`;
      return `${name} says: I was cut off ${fromTo(from, until)}${why}.`;
    });
}
