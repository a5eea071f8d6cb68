/** The very core that ships, as a machine. */
import { init, type NodeState, nextWakeAt, step } from "../../src/core/node.ts";
import { incidentViews, meshView } from "../../src/core/view-of.ts";
import type { Machine } from "./machine.ts";

export const CORE: Machine = {
  init,
  step: (state, input, env) => step(state as NodeState, input, env),
  nextWakeAt: (state) => nextWakeAt(state as NodeState),
  meshView: (state, env) => meshView(state as NodeState, env),
  incidentViews: (state) => incidentViews(state as NodeState),
};
