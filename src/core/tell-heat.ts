/** Words about sensors. Their incidents' details read `CPU package: 97 °C, critical from 95 °C`. */
import { civilTime } from "../kit/time.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { lasted, listNames, type Telling, uniqueNames, viewpointLine, type Words } from "./telling.ts";

const sensorOf = ({ detail = "a sensor" }: IncidentRecord): string => detail.split(": ")[0] ?? detail;
const saidOf = ({ detail = "a sensor" }: IncidentRecord): string => detail.replace(": ", " ");

/** The gravest first, and each sensor once: what is critical is past its warning as well. */
function foremost(incidents: readonly IncidentRecord[]): IncidentRecord[] {
  const isCritical = ({ topic = "" }: IncidentRecord): boolean => topic.endsWith(" critical");
  const ordered = [...incidents].sort((a, b) => Number(isCritical(b)) - Number(isCritical(a)));
  return ordered.filter(
    (each, at) => ordered.findIndex((other) => sensorOf(other) === sensorOf(each)) === at,
  );
}

export function tellHeat(telling: Telling): Words {
  const sensors = foremost(telling.incidents);
  const host = listNames(uniqueNames(telling.incidents));
  const [first] = sensors;
  const more = sensors.length > 1 ? `, and ${sensors.length - 1} more` : "";
  const title = `${host}: ${first === undefined ? "sensors" : saidOf(first)}${more}`;
  const lines = sensors.map((each) => `${each.name}: ${saidOf(each)}, since ${civilTime(each.since)}.`);
  return { title, lines: [...lines, viewpointLine(telling)] };
}

export function tellCool(telling: Telling): Words {
  const sensors = [...new Set(telling.incidents.map(sensorOf))];
  const host = listNames(uniqueNames(telling.incidents));
  const title = `${host}: ${listNames(sensors)} ${sensors.length === 1 ? "is" : "are"} well again`;
  const length = lasted(telling.since, telling.until ?? telling.wall);
  return { title, lines: [`${title}, after ${length}.`, viewpointLine(telling)] };
}
