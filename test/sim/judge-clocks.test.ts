/** The invariants about clocks can fail: each is shown a world in which it must. */
import { expect, it } from "vitest";
import type { Effect } from "../../src/core/io.ts";
import { CORE } from "./core.ts";
import type { TimedFault } from "./faults.ts";
import { Judge } from "./judge.ts";
import type { Machine } from "./machine.ts";
import { hostNames, idOf, World } from "./world.ts";

const C = 2;
const HOUR = 3_600_000;
const off: TimedFault = { at: 20_000, fault: { type: "wall-step", host: C, by: HOUR } };
const right: TimedFault = { at: 40_000, fault: { type: "wall-step", host: C, by: -HOUR } };

async function judged(machine: Machine, faults: readonly TimedFault[]): Promise<string[]> {
  const world = new World({ seed: 1, machine, names: hostNames(3) });
  const judge = new Judge(world, { nothingIsTold: false });
  const starts = world.hosts.map(({ index }) => ({
    at: 0,
    fault: { type: "power-on", host: index } as const,
  }));
  await world.run([...starts, ...faults], 130_000);
  return [...new Set(judge.violations.map(({ invariant }) => invariant))];
}

it("nothing is found where a clock is off and is called so, or is set right", async () => {
  expect(await judged(CORE, [off])).toEqual([]);
  expect(await judged(CORE, [off, right])).toEqual([]);
});

it("a clock that is off and of which nobody speaks is found", async () => {
  expect(await judged({ ...CORE, incidentViews: () => [] }, [off])).toEqual([
    "a clock that is off is called so",
  ]);
});

it("a clock that is right and still called off is found", async () => {
  const never: Machine = {
    ...CORE,
    incidentViews: (state) => CORE.incidentViews(state).map(({ resolved: _, ...view }) => view),
  };
  expect(await judged(never, [off, right])).toEqual(["a clock that is right is not called off"]);
});

it("a message about a clock that was never off is found", async () => {
  const since = "2026-01-01T00:00:00.000Z";
  const slander: Effect = {
    type: "deliver",
    delivery: "x",
    channel: "phone",
    notification: {
      schema: 1,
      id: "x",
      kind: "clock",
      state: "open",
      severity: "warning",
      follows: [],
      verdict: "alive",
      subjects: [
        {
          id: idOf(C),
          name: "c",
          incident: "i",
          kind: "clock",
          severity: "warning",
          verdict: "alive",
          since,
        },
      ],
      since,
      viewpoint: { node: "a", alone: false, alive: 3, of: 3 },
      evidence: [],
      title: "The clock of c is wrong",
      text: "",
    },
  };
  let done = false;
  const slanderous: Machine = {
    ...CORE,
    step: (state, input, env) => {
      const step = CORE.step(state, input, env);
      if (done || input.type !== "wake") return step;
      done = true;
      return { ...step, effects: [...step.effects, slander] };
    },
  };
  expect(await judged(slanderous, [])).toEqual(["only a clock that is off is called so"]);
});
