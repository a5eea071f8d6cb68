/** Link problems are of two sorts, which their topic tells apart: one address of a host, or one node that does not hear it. */
import type { IncidentRecord } from "./ledger-records.ts";
import type { Address, NodeId } from "./types.ts";

const TOPIC = "path ";

/** The topic of an incident about one address of a host that is heard by another; else it names the observer. */
export const pathTopic = (address: Address): string => TOPIC + address;

export const isPath = ({ kind, topic }: Pick<IncidentRecord, "kind" | "topic">): boolean =>
  kind === "link-problem" && topic?.startsWith(TOPIC) === true;

export const pathAddress = ({ topic }: Pick<IncidentRecord, "topic">): Address =>
  topic?.slice(TOPIC.length) ?? "";

const FLAPS = "link-problem ";

/** The two nodes of which one does not hear the other, or does so by turns; nobody where it is about something else. */
export function endsOf({ kind, subject, topic = "" }: IncidentRecord): readonly NodeId[] {
  const about = kind === "flapping" && topic.startsWith(FLAPS) ? topic.slice(FLAPS.length) : undefined;
  if (kind !== "link-problem" && about === undefined) return [];
  const observer = about ?? topic;
  return observer.startsWith(TOPIC) ? [] : [subject, observer];
}
