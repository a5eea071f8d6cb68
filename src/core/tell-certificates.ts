/** Words about certificates and roots that were not replaced in time, and about keys that were taken from the mesh. */
import { civilTime } from "../kit/time.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { ROOT_CHANGE_TOPIC } from "./pki/rotation.ts";
import {
  fitting,
  lasted,
  possessive,
  sentence,
  type Telling,
  uniqueNames,
  viewpointLine,
  type Words,
} from "./telling.ts";

const isRootChange = ({ topic }: IncidentRecord): boolean => topic === ROOT_CHANGE_TOPIC;

/** Both sorts of incident may be in one message: certificates come first. */
export function tellUnrenewed(telling: Telling): Words {
  const late = telling.incidents.filter((incident) => !isRootChange(incident));
  const changes = telling.incidents.filter(isRootChange);
  const lines = late.map(({ name, detail = "its certificate is late" }) => `${name}: ${detail}.`);
  if (late.length > 0)
    lines.push("Watching goes on after a certificate's end, but that node may change nothing any more.");
  lines.push(...changes.flatMap(rootChangeLines));
  const title =
    late.length > 0
      ? possessive("certificate", uniqueNames(late), "not being renewed")
      : rootChangeTitle(changes[0]);
  return { title, lines: [...lines, viewpointLine(telling)] };
}

const saidOf = ({ detail = "is not over" }: IncidentRecord): string => detail;

function rootChangeTitle(change: IncidentRecord | undefined): string {
  const [words = ""] = change === undefined ? [] : saidOf(change).split(":");
  return fitting(`The change of roots ${words}`, "The change of roots is not over");
}

function rootChangeLines(change: IncidentRecord): string[] {
  const { name, since } = change;
  return [
    `The change of roots that was begun on ${name} ${civilTime(since)} ${saidOf(change)}.`,
    `On ${name}, \`balefire root status\` says more; \`balefire root rotate --waive NODE\` goes on without a host that stays away, which follows when it is back. Until then the old root counts, too.`,
  ];
}

export function tellRenewed(telling: Telling): Words {
  const renewed = telling.incidents.filter((incident) => !isRootChange(incident));
  const title =
    renewed.length > 0
      ? possessive("certificate", uniqueNames(renewed), "renewed")
      : "The change of roots is over";
  const length = lasted(telling.since, telling.until ?? telling.wall);
  const over = renewed.length > 0 && renewed.length < telling.incidents.length;
  return {
    title,
    lines: [
      `${title}, after ${length}.`,
      ...(over ? ["The change of roots is over, too."] : []),
      viewpointLine(telling),
    ],
  };
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
