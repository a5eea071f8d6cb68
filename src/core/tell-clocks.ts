/** Words about clocks that are off. Their incidents' details read `60 min ahead of the others: it says 2026-…`. */
import type { IncidentRecord } from "./ledger-records.ts";
import { lasted, possessive, type Telling, uniqueNames, viewpointLine, type Words } from "./telling.ts";

const saidOf = ({ detail = "off" }: IncidentRecord): string => detail;
const howFar = (incident: IncidentRecord): string => saidOf(incident).split(": ")[0] ?? "off";

export function tellClocks(telling: Telling): Words {
  const { incidents } = telling;
  const names = uniqueNames(incidents);
  const [first] = incidents;
  const title = possessive(
    "clock",
    names,
    first !== undefined && names.length === 1 ? howFar(first) : "wrong",
  );
  const lines = incidents.map((incident) => `${incident.name}: its clock is ${saidOf(incident)}.`);
  lines.push(
    "Look there with `timedatectl` whether a time service keeps it; with chrony, `chronyc makestep` sets it at once.",
    "Watching goes on; meanwhile it goes by the others' time.",
  );
  return { title, lines: [...lines, viewpointLine(telling)] };
}

export function tellClocksRight(telling: Telling): Words {
  const title = possessive("clock", uniqueNames(telling.incidents), "right again");
  const length = lasted(telling.since, telling.until ?? telling.wall);
  return { title, lines: [`${title}, after ${length}.`, viewpointLine(telling)] };
}
