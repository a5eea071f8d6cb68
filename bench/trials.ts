/** One set of trials: at rest first, then one cut after another. */
import { machineMs, sleep, until } from "../lab/driver/clock.ts";
import type { Contestant } from "./contestant.ts";
import { type Cost, costAtRest } from "./cost.ts";

/** A cut that is not told within this counts as missed. */
const TELL_MS_MAX = 30_000;
/** The cut comes at a random point of whatever rhythm the contestant has. */
const PHASE_MS_MAX = 1_000;
const SETTLE_MS = 3_000;
/** A host stays away for this long after it was told: who tells twice has time to do so. */
const AWAY_MS = 2_000;

export interface Trial {
  readonly contestant: string;
  readonly nodes: number;
  readonly trial: number;
  readonly victim: string;
  /** From the cut to the arrival of the webhook; null when none came. */
  readonly toldMs: number | null;
  /** Further messages that this victim is down. */
  readonly repeats: number;
  /** Claims that somebody is down who was not cut off. */
  readonly falsePositives: number;
  readonly healMs: number;
}

/** A daemon killed while its host lives on. */
export interface Kill {
  readonly contestant: string;
  readonly nodes: number;
  readonly kill: number;
  readonly victim: string;
  /** From the signal to another node's verdict; null when none came. */
  readonly verdictMs: number | null;
}

export interface TrialSet {
  readonly contestant: string;
  readonly version: string;
  readonly nodes: number;
  readonly trials: readonly Trial[];
  /** Empty where that is not measured. */
  readonly kills: readonly Kill[];
  readonly rest: readonly Cost[];
  /** Claims while nothing happened. */
  readonly falseAtRest: number;
}

export async function runTrials(
  contestant: Contestant,
  { cuts, kills, restMs }: { readonly cuts: number; readonly kills: number; readonly restMs: number },
  report: (done: Trial | Kill) => void,
): Promise<TrialSet> {
  const { name, version, names, pids, network, receiver } = contestant;
  await sleep(SETTLE_MS);
  const before = receiver.deliveries.length;
  const rest = await costAtRest(pids, network, restMs);
  const falseAtRest = receiver.deliveries.slice(before).flatMap(contestant.claims).length;
  const trials: Trial[] = [];
  for (let trial = 1; trial <= cuts; trial += 1) {
    const done = await runTrial(contestant, trial, names[(trial - 1) % names.length] ?? "");
    trials.push(done);
    report(done);
  }
  const killed: Kill[] = [];
  for (let kill = 1; kill <= kills && contestant.kill !== undefined; kill += 1) {
    const victim = names[(kill - 1) % names.length] ?? "";
    await sleep(Math.random() * PHASE_MS_MAX);
    const verdictMs = await contestant.kill(victim);
    const done = { contestant: name, nodes: names.length, kill, victim, verdictMs };
    killed.push(done);
    report(done);
  }
  return { contestant: name, version, nodes: names.length, trials, kills: killed, rest, falseAtRest };
}

async function runTrial(contestant: Contestant, trial: number, victim: string): Promise<Trial> {
  const { receiver, network, names } = contestant;
  const place = names.indexOf(victim);
  await sleep(Math.random() * PHASE_MS_MAX);
  const from = receiver.deliveries.length;
  const claimed = (): readonly { readonly name: string; readonly atMs: number }[] =>
    receiver.deliveries
      .slice(from)
      .flatMap((delivery) => contestant.claims(delivery).map((name) => ({ name, atMs: delivery.atMs })));
  // Taken before the command that cuts: its few milliseconds count against the contestant.
  const cutMs = machineMs();
  network.cut(place);
  const told = await until(
    "a message",
    TELL_MS_MAX,
    () => claimed().find(({ name }) => name === victim),
    5,
  ).catch(() => undefined);
  await sleep(AWAY_MS);
  const restoredMs = machineMs();
  network.restore(place);
  await contestant.healed(victim);
  const claims = claimed();
  return {
    contestant: contestant.name,
    nodes: names.length,
    trial,
    victim,
    toldMs: told === undefined ? null : Math.round((told.atMs - cutMs) * 10) / 10,
    repeats: Math.max(0, claims.filter(({ name }) => name === victim).length - 1),
    falsePositives: claims.filter(({ name }) => name !== victim).length,
    healMs: Math.round(machineMs() - restoredMs),
  };
}
