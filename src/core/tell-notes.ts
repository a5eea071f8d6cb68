/** Words about what comes and goes, and about what is already over. */
import { civilTime } from "../kit/time.ts";
import { episodesOf } from "./flapping.ts";
import { isOpen } from "./ledger.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { PLANNED_TITLES } from "./planned.ts";
import { nameOf } from "./state.ts";
import { fromTo, lasted, sentence, type Telling, uniqueNames, viewpointLine, type Words } from "./telling.ts";

export function tellFlapping(telling: Telling): Words {
  const names = uniqueNames(telling.incidents);
  const title = sentence(names, "comes", names.length === 1 ? "and goes" : "and go");
  const lines = telling.incidents.map(
    (flap) => `${whatFlaps(telling, flap)} comes and goes, again since ${civilTime(flap.since)}.`,
  );
  lines.push("Further changes are counted, not told, until it is steady.");
  return { title, lines: [...lines, viewpointLine(telling)] };
}

export function tellSteady(telling: Telling): Words {
  const { state, incidents } = telling;
  const isAway = (flap: IncidentRecord): boolean =>
    episodesOf(state.ledger, flap).some(({ incident }) => isOpen(state.ledger, incident));
  const [away, well] = [incidents.filter(isAway), incidents.filter((flap) => !isAway(flap))];
  const title = [
    ...(well.length > 0 ? [sentence(uniqueNames(well), "is", "steady again")] : []),
    ...(away.length > 0 ? [sentence(uniqueNames(away), "has", "stopped coming back")] : []),
  ].join(", ");
  const until = telling.until ?? telling.wall;
  const lines = incidents.map((flap) => {
    const { length } = episodesOf(state.ledger, flap);
    const now = isAway(flap) ? "It has stayed away since" : "It is well now";
    const times = `${length} more time${length === 1 ? "" : "s"}`;
    return `${whatFlaps(telling, flap)} failed ${times} within ${lasted(flap.since, until)}. ${now}.`;
  });
  return { title, lines: [...lines, viewpointLine(telling)] };
}

function whatFlaps({ state }: Telling, { name, topic = "" }: IncidentRecord): string {
  const [kind, of] = topic.split(" ");
  if (kind === "daemon-down") return `Balefire on ${name}`;
  if (kind !== "link-problem") return name;
  return of === "path"
    ? `${name} at ${topic.split(" ")[2] ?? ""}`
    : `The way from ${name} to ${nameOf(state, of ?? "")}`;
}

export function tellNote(telling: Telling): Words {
  const restarted = telling.incidents.filter(({ kind }) => kind === "restarted");
  const cutOff = telling.incidents.filter(({ kind }) => kind === "cut-off");
  const title = [
    ...(restarted.length > 0 ? [restartTitle(telling, restarted)] : []),
    ...(cutOff.length > 0 ? [cutOffTitle(telling, cutOff)] : []),
    ...plannedTitles(telling.incidents.filter(({ kind }) => kind === "planned")),
  ].join(", ");
  const lines = telling.incidents.map((note) => noteLine(note, note.until ?? telling.wall));
  return { title, lines: [...lines, viewpointLine(telling)] };
}

function restartTitle({ wall }: Telling, notes: readonly IncidentRecord[]): string {
  const [first] = notes;
  if (notes.length > 1 || first === undefined)
    return sentence(uniqueNames(notes), "", "restarted by themselves");
  return sentence([first.name], "", `restarted by itself, away ${lasted(first.since, first.until ?? wall)}`);
}

function cutOffTitle({ wall }: Telling, notes: readonly IncidentRecord[]): string {
  const [first] = notes;
  const length =
    notes.length === 1 && first !== undefined ? lasted(first.since, first.until ?? wall) : "a while";
  return sentence(uniqueNames(notes), "was", `cut off for ${length}`);
}

/** One for each thing that was done on purpose. */
const plannedTitles = (notes: readonly IncidentRecord[]): string[] =>
  Object.entries(PLANNED_TITLES).flatMap(([what, [verb, rest]]) => {
    const names = uniqueNames(notes.filter(({ topic }) => topic?.split(" ")[0] === what));
    return names.length === 0 ? [] : [sentence(names, verb, rest)];
  });

function noteLine(
  { kind, name, since, detail }: IncidentRecord,
  until: NonNullable<IncidentRecord["until"]>,
): string {
  if (kind === "planned") return `${name}: ${detail ?? "it was stopped on purpose"}.`;
  const more = detail === undefined ? "" : ` (${detail})`;
  return kind === "cut-off"
    ? `${name} says: I was cut off ${fromTo(since, until)}${more}.`
    : `${name} restarted without saying goodbye: silent ${fromTo(since, until)}.`;
}
