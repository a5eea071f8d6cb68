/** Words about paths that are broken while nobody is down. */
import { civilTime } from "../kit/time.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { isPath, pathAddress } from "./path-topic.ts";
import { nameOf } from "./state.ts";
import {
  fitting,
  lasted,
  listNames,
  sentence,
  type Telling,
  uniqueNames,
  viewpointLine,
  type Words,
} from "./telling.ts";

/** Lines of observers' own words in one message. */
const DETAILS_SHOWN = 8;

/** One direction between two hosts; names. */
interface Link {
  readonly observer: string;
  readonly subject: string;
}

const linksOf = ({ state, incidents }: Telling): Link[] =>
  incidents
    .filter((incident) => !isPath(incident))
    .map(({ name, topic }) => ({ observer: nameOf(state, topic ?? ""), subject: name }));

export function tellLinks(telling: Telling): Words {
  const links = linksOf(telling);
  const paths = telling.incidents.filter(isPath);
  const said = [
    ...(links.length > 0 ? [brokenTitle(links)] : []),
    ...(paths.length > 0 ? [pathTitle(paths)] : []),
  ];
  const title = said.join(", ");
  const lines = [`${title}, since ${civilTime(telling.since)}.`];
  if (links.length > 0) {
    const directions = links.map(({ observer, subject }) => `from ${subject} to ${observer}`).sort();
    lines.push(`Nothing arrives ${listNames(directions)}. Nobody is down: others hear them.`);
  }
  if (paths.length > 0) {
    const lost = paths.map((path) => `${path.name} at ${pathAddress(path)}`).sort();
    lines.push(`Not reachable: ${listNames(lost)}. Nobody is down: all are heard by another address.`);
  }
  for (const { name, detail } of telling.incidents.slice(0, DETAILS_SHOWN))
    if (detail !== undefined) lines.push(`About ${name}: ${detail}.`);
  return { title, lines: [...lines, viewpointLine(telling)] };
}

/** Names the host that all broken links have in common, where there is one. */
function brokenTitle(links: readonly Link[]): string {
  const observers = [...new Set(links.map(({ observer }) => observer))].sort();
  const subjects = [...new Set(links.map(({ subject }) => subject))].sort();
  const ends = [...new Set([...observers, ...subjects])].sort();
  if (ends.length === 2 && links.length === 2)
    return fitting(`${listNames(ends)} do not hear each other`, `No link between ${listNames(ends)}`);
  const [observer, subject] = [observers[0] ?? "", subjects[0] ?? ""];
  if (observers.length === 1) return `${observer} does not hear ${listNames(subjects)}`;
  if (subjects.length === 1) return `${subject} is not heard by ${listNames(observers)}`;
  const common = ends.find((end) => links.every((link) => link.observer === end || link.subject === end));
  if (common !== undefined) {
    const others = listNames(ends.filter((end) => end !== common));
    return fitting(
      `${common} and ${others} do not hear each other`,
      `No link between ${common} and ${others}`,
    );
  }
  return sentence(ends, "does", "not all hear one another");
}

/** The same ends, named as when it began. */
function repairedTitle(links: readonly Link[]): string {
  const observers = [...new Set(links.map(({ observer }) => observer))].sort();
  const subjects = [...new Set(links.map(({ subject }) => subject))].sort();
  const ends = [...new Set([...observers, ...subjects])].sort();
  if (ends.length > 2 && observers.length === 1) return `${observers[0]} hears ${listNames(subjects)} again`;
  if (ends.length > 2 && subjects.length === 1)
    return `${subjects[0]} is heard by ${listNames(observers)} again`;
  if (ends.length > 2) return sentence(ends, "", "hear one another again");
  return fitting(`${listNames(ends)} hear each other again`, `Link back between ${listNames(ends)}`);
}

/** Addresses of one network are told as that network, as far as their text shows it. */
function pathTitle(paths: readonly IncidentRecord[], verb = "does", rest = "not answer on"): string {
  const networks = [...new Set(paths.map((path) => networkOf(pathAddress(path))))].sort();
  return sentence(uniqueNames(paths), verb, `${rest} ${listNames(networks)}`);
}

/** `10.1.0.x` for an IPv4 address, which is how most people number a network; an IPv6 address as it is. */
function networkOf(address: string): string {
  const ipv4 = /^(\d+\.\d+\.\d+)\.\d+(:\d+)?$/.exec(address);
  return ipv4 === null ? address : `${ipv4[1]}.x`;
}

export function tellRepaired(telling: Telling): Words {
  const links = linksOf(telling);
  const paths = telling.incidents.filter(isPath);
  const length = lasted(telling.since, telling.until ?? telling.wall);
  const said = [
    ...(links.length > 0 ? [repairedTitle(links)] : []),
    ...(paths.length > 0 ? [pathTitle(paths, "is", "back on")] : []),
  ];
  const title = said.join(", ");
  return { title, lines: [`${title}, after ${length}.`, viewpointLine(telling)] };
}
