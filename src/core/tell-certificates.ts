/** Words about certificates that were not renewed in time, and about keys that were taken from the mesh. */
import { civilTime } from "../kit/time.ts";
import { lasted, listNames, type Telling, uniqueNames, viewpointLine, type Words } from "./telling.ts";

const possessive = (names: readonly string[]): string =>
  names.length === 1 ? `The certificate of ${names[0]}` : `The certificates of ${listNames(names)}`;

export function tellUnrenewed(telling: Telling): Words {
  const names = uniqueNames(telling.incidents);
  const title = `${possessive(names)} ${names.length === 1 ? "is" : "are"} not being renewed`;
  const lines = telling.incidents.map(
    ({ name, detail = "its certificate is late" }) => `${name}: ${detail}.`,
  );
  lines.push("Watching goes on after a certificate's end, but that node may change nothing any more.");
  return { title, lines: [...lines, viewpointLine(telling)] };
}

export function tellRenewed(telling: Telling): Words {
  const names = uniqueNames(telling.incidents);
  const title = `${possessive(names)} ${names.length === 1 ? "is" : "are"} renewed`;
  const length = lasted(telling.since, telling.until ?? telling.wall);
  return { title, lines: [`${title}, after ${length}.`, viewpointLine(telling)] };
}

/** These are about nodes that have left: the record's name is theirs. */
export function tellRevoked(telling: Telling): Words {
  const revoked = telling.incidents.filter(({ kind }) => kind === "revoked");
  const names = uniqueNames(revoked);
  const title = `${listNames(names)} ${names.length === 1 ? "was" : "were"} revoked`;
  const lines = revoked.map(({ name, since, detail }) => {
    const why = detail === undefined ? "" : `: ${detail}`;
    return `The key of ${name} was revoked ${civilTime(since)}${why}. No node speaks with it any more.`;
  });
  lines.push("If its host was stolen, replace every secret it has seen: the settings of all channels.");
  return { title, lines: [...lines, viewpointLine(telling)] };
}
