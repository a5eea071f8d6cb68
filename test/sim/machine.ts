/** The machine under simulation: the core that ships, or a toy that tests the engine itself. */
import type { Birth, Env, Input, Step } from "../../src/core/io.ts";
import type { IncidentView, MeshView } from "../../src/core/view.ts";
import type { Instant } from "../../src/kit/time.ts";

/** The state belongs to the machine: the simulator only carries it from step to step. */
export interface Machine {
  init(birth: Birth, env: Env): Step<unknown>;
  step(state: unknown, input: Input, env: Env): Step<unknown>;
  nextWakeAt(state: unknown): Instant | undefined;
  meshView(state: unknown, env: Env): MeshView;
  incidentViews(state: unknown): readonly IncidentView[];
}
