/** Above twelve nodes each is watched by ten others: what happens when many die, the watchers too. */
import { describe, expect, it } from "vitest";
import { CORE } from "./core.ts";
import type { TimedFault } from "./faults.ts";
import { Judge } from "./judge.ts";
import { generator } from "./seeds.ts";
import { hostNames, World } from "./world.ts";

const STARTS_WITHIN = 1000;
const DEATHS_FROM = 5000;
const TELL_WITHIN = 6000;

interface Outcome {
  readonly world: World;
  readonly victims: readonly string[];
  /** Names that messages said are down or not reachable, when they were sent. */
  readonly told: readonly { readonly at: number; readonly names: readonly string[] }[];
}

/** Cuts the power of so many hosts, chosen by the seed, one after the other. */
async function deaths(seed: number, size: number, count: number, spread: number): Promise<Outcome> {
  const world = new World({ seed, machine: CORE, names: hostNames(size) });
  const judge = new Judge(world, { nothingIsTold: false });
  const random = generator(seed, "victims");
  const order = world.hosts.map((host) => ({ host, place: random.next() }));
  order.sort((a, b) => a.place - b.place);
  const victims = order.slice(0, count).map(({ host }) => host);
  const faults: TimedFault[] = world.hosts.map(({ index }) => ({
    at: (STARTS_WITHIN * index) / size,
    fault: { type: "power-on", host: index },
  }));
  victims.forEach(({ index }, place) => {
    faults.push({ at: DEATHS_FROM + (spread * place) / count, fault: { type: "power-off", host: index } });
  });
  await world.run(faults, DEATHS_FROM + spread + TELL_WITHIN);
  expect(judge.violations).toEqual([]);
  const told = world.receiver.arrivals.map(({ at, notification }) => ({
    at,
    names: notification.subjects.map(({ name }) => name),
  }));
  return { world, victims: victims.map(({ name }) => name), told };
}

const namesIn = (told: Outcome["told"]): string[] => [...new Set(told.flatMap(({ names }) => names))].sort();

describe("a mesh of rings", () => {
  it("tells of nineteen of 32 that die within 300 ms, in few messages", async () => {
    const { told, victims } = await deaths(1, 32, 19, 300);
    expect(namesIn(told)).toEqual([...victims].sort());
    expect(told.length).toBeLessThanOrEqual(3);
  });

  it("tells of twelve of 20 that die one after the other", async () => {
    const { told, victims } = await deaths(2, 20, 12, 4000);
    expect(namesIn(told)).toEqual([...victims].sort());
  });

  it("tells of all others when one of 32 is left, in few messages", async () => {
    const { told, victims } = await deaths(3, 32, 31, 200);
    expect(namesIn(told)).toEqual([...victims].sort());
    expect(told.length).toBeLessThanOrEqual(3);
  });
});
