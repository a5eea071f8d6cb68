/** The invariants can fail: each is shown a world in which it must. */
import { describe, expect, it } from "vitest";
import type { Birth, Effect, Env, Input, Step } from "../../src/core/io.ts";
import { CORE } from "./core.ts";
import type { TimedFault } from "./faults.ts";
import { Judge } from "./judge.ts";
import type { Machine } from "./machine.ts";
import { hostNames, idOf, World } from "./world.ts";

const A = 0;
const B = 1;
const C = 2;

/** The core with one thing wrong. */
function sabotage(change: Partial<Machine>): Machine {
  return { ...CORE, ...change };
}

async function judged(
  machine: Machine,
  faults: readonly TimedFault[],
  options: { size?: number; until?: number; nothingIsTold?: boolean; sensors?: boolean } = {},
): Promise<string[]> {
  const { size = 3, until = 60_000, nothingIsTold = false, sensors = false } = options;
  const felt = sensors ? ({ sensors: "tame" } as const) : {};
  const world = new World({ seed: 1, machine, names: hostNames(size), ...felt });
  const judge = new Judge(world, { nothingIsTold, sensors });
  const starts = world.hosts.map(({ index }) => ({
    at: 0,
    fault: { type: "power-on", host: index } as const,
  }));
  await world.run([...starts, ...faults], until);
  return [...new Set(judge.violations.map(({ invariant }) => invariant))];
}

const at = (time: number, fault: TimedFault["fault"]): TimedFault => ({ at: time, fault });
const powerLoss = at(20_000, { type: "power-off", host: C });

/** Lets a host's inputs through a sieve. */
const deafTo =
  (host: number, hears: (input: Input) => boolean) =>
  (state: unknown, input: Input, env: Env): Step<unknown> => {
    const self = (state as { self: string }).self;
    return CORE.step(state, self !== idOf(host) || hears(input) ? input : { type: "wake" }, env);
  };

/** Adds effects to whatever the core does, once, at about that time of its own clock. */
function once(when: (env: Env, state: unknown) => boolean, effects: readonly Effect[]): Machine {
  let done = false;
  return sabotage({
    step: (state, input, env) => {
      const step = CORE.step(state, input, env);
      if (done || !when(env, state)) return step;
      done = true;
      return { ...step, effects: [...step.effects, ...effects] };
    },
  });
}

const byWall = (seconds: number) => (env: Env) => env.wall > 1_767_225_600_000 + seconds * 1000;

describe("the judge", () => {
  it("finds nothing where nothing is wrong", async () => {
    expect(await judged(CORE, [powerLoss])).toEqual([]);
  });

  it("sees a verdict on a host that is well", async () => {
    const slander: Effect = {
      type: "notice",
      notice: {
        type: "verdict",
        subject: idOf(B),
        name: "b",
        from: "alive",
        to: "host-down",
        incarnation: 1,
        why: "slander",
      },
    };
    const machine = once(
      (env, state) => byWall(15)(env) && (state as { self: string }).self === idOf(A),
      [slander],
    );
    expect(await judged(machine, [])).toEqual(["no false death"]);
  });

  it("sees a death that an observer does not notice", async () => {
    const machine = sabotage({
      meshView: (state, env) => {
        const view = CORE.meshView(state, env);
        return { ...view, nodes: view.nodes.map((node) => ({ ...node, verdict: "alive" })) };
      },
    });
    expect(await judged(machine, [powerLoss])).toContain("every death is noticed");
  });

  it("sees a message that the receiver drops while it says yes", async () => {
    const pretending = at(0, { type: "receiver", mood: "pretending" });
    const well = at(30_000, { type: "receiver", mood: "well" });
    expect(await judged(CORE, [pretending, powerLoss, well], { until: 700_000 })).toEqual([
      "every death is told",
    ]);
  });

  it("sees a death that is told without what the host last felt", async () => {
    const death = at(50_000, { type: "power-off", host: C });
    const until = 60_000;
    expect(await judged(CORE, [death], { sensors: true, until })).toEqual([]);
    const deafAfter = (seconds: number): Machine =>
      sabotage({
        step: (state, input, env) => {
          const isNews = input.type === "received" && input.envelope.message.t === "readings";
          return CORE.step(state, isNews && byWall(seconds)(env) ? { type: "wake" } : input, env);
        },
      });
    const untold = ["a death is told with what the host last felt"];
    for (const machine of [deafAfter(0), deafAfter(25)])
      expect(await judged(machine, [death], { sensors: true, until })).toEqual(untold);
  });

  it("sees two messages about one death", async () => {
    // a and b never learn of one another's intents and receipts.
    const noNews = (input: Input): boolean =>
      input.type !== "received" || !input.envelope.message.t.startsWith("ledger");
    const machine = sabotage({
      step: (state, input, env) => CORE.step(state, noNews(input) ? input : { type: "wake" }, env),
    });
    expect(await judged(machine, [powerLoss])).toContain("one message an incident");
  });

  it("sees a recovery told of a death that was not", async () => {
    const back: Effect = {
      type: "deliver",
      delivery: "x",
      channel: "phone",
      notification: {
        schema: 1,
        id: "x",
        kind: "down",
        state: "resolved",
        severity: "info",
        follows: [],
        verdict: "alive",
        subjects: [
          {
            id: idOf(B),
            name: "b",
            incident: "never",
            kind: "down",
            severity: "critical",
            verdict: "alive",
            since: "2026-01-01T00:00:00.000Z",
          },
        ],
        since: "2026-01-01T00:00:00.000Z",
        viewpoint: { node: "a", alone: false, alive: 3, of: 3 },
        evidence: [],
        title: "b is back",
        text: "",
      },
    };
    expect(await judged(once(byWall(10), [back]), [])).toEqual(["every resolved pairs with an open"]);
  });

  it("sees a recovery that is not told", async () => {
    const machine = sabotage({
      step: (state, input, env) => {
        const step = CORE.step(state, input, env);
        const mute = (effect: Effect): Effect[] => {
          if (effect.type === "deliver" && effect.notification.state === "resolved") return [];
          if (effect.type !== "persist") return [effect];
          return [{ ...effect, afterwards: effect.afterwards.flatMap(mute) }];
        };
        return { ...step, effects: step.effects.flatMap(mute) };
      },
    });
    const restored = at(40_000, { type: "power-on", host: C });
    expect(await judged(machine, [powerLoss, restored], { until: 200_000 })).toEqual([
      "every recovery is told",
    ]);
  });

  it("sees a member vanish from a list", async () => {
    const machine = sabotage({
      meshView: (state, env) => {
        const view = CORE.meshView(state, env);
        return { ...view, nodes: view.nodes.filter(({ verdict }) => verdict !== "host-down") };
      },
    });
    expect(await judged(machine, [powerLoss])).toEqual(["known members never vanish"]);
  });

  it("sees an incarnation go back", async () => {
    const machine = sabotage({
      init: (birth: Birth, env: Env) => CORE.init({ ...birth, stored: [] }, env),
    });
    const deaths = [20_000, 30_000].flatMap((time) => [
      at(time, { type: "power-off", host: C }),
      at(time + 8000, { type: "power-on", host: C }),
    ]);
    expect(await judged(machine, deaths)).toEqual(["incarnations never go back"]);
  });

  it("sees ledgers that stay different", async () => {
    const hears = (input: Input): boolean =>
      input.type !== "received" || !input.envelope.message.t.startsWith("ledger");
    const machine = sabotage({ step: deafTo(B, hears) });
    const nobodyHears = at(0, { type: "receiver", mood: "pretending" });
    const back = at(22_000, { type: "power-on", host: C });
    expect(await judged(machine, [nobodyHears, powerLoss, back], { size: 4, until: 90_000 })).toEqual([
      "ledgers become equal",
    ]);
  });

  it("sees a node that never finds another again", async () => {
    const machine = sabotage({
      step: (state, input, env) => {
        const step = CORE.step(state, input, env);
        return { ...step, effects: step.effects.filter(({ type }) => type !== "dial" || !byWall(25)(env)) };
      },
    });
    const back = at(40_000, { type: "power-on", host: C });
    expect(await judged(machine, [powerLoss, back], { until: 120_000 })).toContain("whoever is back is seen");
  });

  it("sees a message while nobody died", async () => {
    expect(await judged(CORE, [powerLoss], { nothingIsTold: true })).toEqual([
      "nothing is told while nobody dies",
    ]);
  });

  it("sees a core that breaks an invariant of its own, and one that spins", async () => {
    const throwing = sabotage({
      step: (state, input, env) => {
        if (byWall(10)(env)) throw new Error("invariant broken: for the test");
        return CORE.step(state, input, env);
      },
    });
    expect(await judged(throwing, [])).toEqual(["the core never breaks an invariant of its own"]);
    const spinning = sabotage({ nextWakeAt: () => 0 as never });
    expect(await judged(spinning, [])).toEqual(["the core never breaks an invariant of its own"]);
  });

  it("sees a message that the codec cannot carry", async () => {
    const nonsense: Effect = {
      type: "send",
      to: idOf(B),
      plane: "datagram",
      envelope: { number: -1, message: { t: "ack", numbers: [1] } },
    };
    const machine = once(
      (env, state) => byWall(10)(env) && (state as { self: string }).self === idOf(A),
      [nonsense],
    );
    expect(await judged(machine, [])).toEqual(["the codec carries every message"]);
  });
});
