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
  return present(context, result, ({ incidents }) => {
    if (incidents.length === 0) screen.line("No incidents.");
    incidents.forEach((incident, index) => {
      if (index > 0) screen.line();
      incidentLines(screen, incident).forEach(screen.line);
    });
  });
}

function incidentLines(screen: Screen, incident: IncidentReport): string[] {
  const open = incident.state === "open";
  const style = open ? verdictStyle(incident.verdict) : "dim";
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
    `${screen.paint(style, `${incident.name}: ${incident.verdict}`)}  ${incident.state}  since ${localTime(incident.since)}${until}` +
      (open ? ` (${ago(incident.since, Date.now())})` : ""),
    `  id        ${incident.id}`,
    ...below("evidence", evidence),
    ...below("told", told.length === 0 && open ? ["nobody yet"] : told),
  ];
}
