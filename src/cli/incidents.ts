/** `balefire incidents`: what a person should know, with the evidence, and who was told. */
import type { IncidentReport } from "../wire/rpc.ts";
import { ask, type Context, present } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Screen } from "./screen.ts";
import { wrapped } from "./table.ts";
import { ago, localTime, verdictStyle } from "./words.ts";

export async function incidents(context: Context): Promise<ExitCode> {
  const result = await ask(context, "incidents", {});
  const { screen } = context;
  return present(context, result, ({ incidents, at }) => {
    if (incidents.length === 0) screen.line("No incidents.");
    incidents.forEach((incident, index) => {
      if (index > 0) screen.line();
      incidentLines(screen, incident, Date.parse(at)).forEach(screen.line);
    });
  });
}

function incidentLines(screen: Screen, incident: IncidentReport, now: number): string[] {
  const open = incident.state === "open" || incident.state === "unknown";
  const style = open ? verdictStyle(isAbsence(incident) ? incident.verdict : incident.kind) : "dim";
  const until = incident.until === null ? "" : ` until ${localTime(incident.until)}`;
  const evidence = incident.evidence.map(
    ({ observer, last, probe }) =>
      `${observer} ${last === null ? "never heard it" : `last heard it ${localTime(last)}`}, probe: ${probe}`,
  );
  const told = incident.told.map(({ channel, phase, state, by, detail }) => {
    const sender = by === null ? "" : ` by ${by}`;
    return `${phase} on ${channel}: ${state}${sender}${detail === null ? "" : ` (${detail})`}`;
  });
  const below = (title: string, items: readonly string[]): string[] =>
    items.flatMap((item) => wrapped(item, screen.columns, " ".repeat(12), `  ${title.padEnd(10)}`));
  return [
    `${screen.paint(style, `${incident.name}: ${headline(incident)}`)}  ${incident.state}  since ${localTime(incident.since)}${until}` +
      (open ? ` (${ago(incident.since, now)})` : ""),
    `  id        ${incident.id}`,
    ...below("detail", incident.detail === null ? [] : [incident.detail]),
    ...below("evidence", evidence),
    ...below("held back", incident.heldBack === null ? [] : [holdWords(incident.heldBack)]),
    ...below("told", told.length === 0 && open ? ["nobody yet"] : told),
  ];
}

const holdWords = ({ why, until }: NonNullable<IncidentReport["heldBack"]>): string =>
  `${why}, ${until === null ? "until someone ends it" : `until ${localTime(until)}`}`;

/** The topic of an incident about one address of a host that is heard by another. */
const PATH_TOPIC = "path ";

/** Of a host that is away the verdict says more than the kind. */
const isAbsence = ({ kind }: IncidentReport): boolean =>
  kind === "down" || kind === "daemon-down" || kind === "missing";

function headline(incident: IncidentReport): string {
  const { kind, topic, verdict } = incident;
  if (isAbsence(incident)) return verdict;
  if (kind === "link-problem" && topic !== null) {
    const path = topic.startsWith(PATH_TOPIC);
    return path ? `${kind}, not at ${topic.slice(PATH_TOPIC.length)}` : `${kind}, not heard by ${topic}`;
  }
  return topic === null ? kind : `${kind} (${topic})`;
}
