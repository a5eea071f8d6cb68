/** What a node can say of all hosts' sensors: the source of `temps` and `blackbox`. */
import { between } from "../kit/time.ts";
import type { Env } from "./io.ts";
import { latestOf } from "./senses.ts";
import { type NodeState, nameOf } from "./state.ts";
import { cpuTemperature } from "./thermal/cpu.ts";
import { feltOf } from "./thermal/felt.ts";
import { presentValue } from "./thermal/pass.ts";
import type { Sensor } from "./thermal/sensor-table.ts";
import type { NodeId } from "./types.ts";
import type { BlackBoxView, HostReadingsView } from "./view.ts";

/** All members, in the roster's order, those without readings too. */
export function readingsView(state: NodeState, env: Pick<Env, "now">): HostReadingsView[] {
  return state.roster.members.map(({ id, name }) => {
    const latest = latestOf(state, id);
    if (latest === undefined) return { node: id, name, readings: [] };
    const readings = feltOf(state.senses.boxes.get(id) ?? []);
    const cpu = cpuTemperature(readings);
    return {
      node: id,
      name,
      source: id === state.self ? "self" : latest.direct ? "direct" : "relayed",
      age: between(latest.at, env.now),
      at: latest.wall,
      readings,
      ...(cpu === undefined ? {} : { cpu }),
    };
  });
}

/** Undefined: nothing is known of that host's sensors. */
export function blackBoxOf(state: NodeState, node: NodeId): BlackBoxView | undefined {
  const box = state.senses.boxes.get(node);
  if (box === undefined) return undefined;
  const sensors = new Map<string, Sensor>();
  for (const { table } of box)
    for (const sensor of table.sensors) if (sensor !== null) sensors.set(sensor.id, sensor);
  const places = new Map([...sensors.keys()].map((id, place) => [id, place]));
  const samples = box.map(({ table, values: passed, wall, direct }) => {
    const values: (number | null)[] = Array.from(places, () => null);
    table.sensors.forEach((sensor, from) => {
      const place = sensor === null ? undefined : places.get(sensor.id);
      if (place !== undefined) values[place] = presentValue(passed[from]) ?? null;
    });
    return { at: wall, direct, values };
  });
  return { node, name: nameOf(state, node), sensors: [...sensors.values()], samples };
}
