/** Paths that lose packets at random: nobody is told down for it, and who truly dies is. */
import { expect, it } from "vitest";
import { CORE } from "./core.ts";
import type { TimedFault } from "./faults.ts";
import { Judge } from "./judge.ts";
import { hostNames, World } from "./world.ts";

const SIZE = 5;
const LOSS_FROM = 10_000;
const LOSS_LASTS = 300_000;
const DEATH_AT = LOSS_FROM + LOSS_LASTS;
/** A lost SYN to the receiver costs a second, a verdict among lost answers two. */
const TELL_WITHIN = 6000;
const VICTIM = 3;

it.each([1, 2, 3])(
  "30 % of all packets lost for five minutes among five, then a true death (seed %i)",
  async (seed) => {
    const world = new World({ seed, machine: CORE, names: hostNames(SIZE) });
    const judge = new Judge(world, { nothingIsTold: false });
    const faults: TimedFault[] = world.hosts.map(({ index }) => ({
      at: 100 * index,
      fault: { type: "power-on", host: index },
    }));
    faults.push({ at: LOSS_FROM, fault: { type: "quality", loss: 0.3, jitter: 0.2 } });
    faults.push({ at: DEATH_AT, fault: { type: "power-off", host: VICTIM } });
    await world.run(faults, DEATH_AT + TELL_WITHIN);
    expect(judge.violations).toEqual([]);
    const told = world.receiver.arrivals.map(({ at, notification }) => ({ at, title: notification.title }));
    expect(told[0]?.title).toBe("d is down");
    expect(told[0]?.at).toBeGreaterThan(DEATH_AT);
    // Where a receipt may be lost, a duplicate is allowed and silence is not.
    expect(new Set(told.map(({ title }) => title)).size).toBe(1);
  },
);
