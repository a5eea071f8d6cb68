/** Words about certificates that were not renewed in time, and about keys that were taken from the mesh. */
import { civilTime } from "../kit/time.ts";
import {
  lasted,
  possessive,
  sentence,
  type Telling,
  uniqueNames,
  viewpointLine,
  type Words,
} from "./telling.ts";

export function tellUnrenewed(telling: Telling): Words {
  const title = possessive("certificate", uniqueNames(telling.incidents), "not being renewed");
  const lines = telling.incidents.map(
    ({ name, detail = "its certificate is late" }) => `${name}: ${detail}.`,
  );
  lines.push("Watching goes on after a certificate's end, but that node may change nothing any more.");
  return { title, lines: [...lines, viewpointLine(telling)] };
}

export function tellRenewed(telling: Telling): Words {
  const title = possessive("certificate", uniqueNames(telling.incidents), "renewed");
  const length = lasted(telling.since, telling.until ?? telling.wall);
  return { title, lines: [`${title}, after ${length}.`, viewpointLine(telling)] };
}

/** These are about nodes that have left: the record's name is theirs. */
export function tellRevoked(telling: Telling): Words {
  const revoked = telling.incidents.filter(({ kind }) => kind === "revoked");
  const title = sentence(uniqueNames(revoked), "was", "revoked");
  const lines = revoked.map(({ name, since, detail }) => {
    const why = detail === undefined ? "" : `: ${detail}`;
    return `The key of ${name} was revoked ${civilTime(since)}${why}. No node speaks with it any more.`;
  });
  lines.push("If its host was stolen, replace every secret it has seen: the settings of all channels.");
  return { title, lines: [...lines, viewpointLine(telling)] };
}
