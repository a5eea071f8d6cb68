/** Words about what comes and goes, and about what is already over. */
import { civilTime } from "../kit/time.ts";
import { episodesOf } from "./flapping.ts";
import { isOpen } from "./ledger.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { nameOf } from "./state.ts";
import { fromTo, lasted, sentence, type Telling, uniqueNames, viewpointLine, type Words } from "./telling.ts";

export function tellFlapping(telling: Telling): Words {
  const title = sentence(uniqueNames(telling.incidents), "comes", "and goes");
  const lines = telling.incidents.map(
    (flap) => `${whatFlaps(telling, flap)} comes and goes, again since ${civilTime(flap.since)}.`,
  );
  lines.push("Further changes are counted, not told, until it is steady.");
  return { title, lines: [...lines, viewpointLine(telling)] };
}

export function tellSteady(telling: Telling): Words {
  const title = sentence(uniqueNames(telling.incidents), "is", "steady again");
  const until = telling.until ?? telling.wall;
  const lines = telling.incidents.map((flap) => {
    const episodes = episodesOf(telling.state.ledger, flap);
    const still = episodes.some(({ incident }) => isOpen(telling.state.ledger, incident));
    const times = `${episodes.length} more time${episodes.length === 1 ? "" : "s"}`;
    const now = still ? "It has stayed away since" : "It is well now";
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
    ...(cutOff.length > 0 ? [sentence(uniqueNames(cutOff), "was", "cut off, and is back")] : []),
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

function noteLine(
  { kind, name, since, detail }: IncidentRecord,
  until: NonNullable<IncidentRecord["until"]>,
): string {
  const more = detail === undefined ? "" : ` (${detail})`;
  return kind === "cut-off"
    ? `${name} says: I was cut off ${fromTo(since, until)}${more}.`
    : `${name} restarted without saying goodbye: silent ${fromTo(since, until)}.`;
}
