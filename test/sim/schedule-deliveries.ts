/**
 * Deaths, one after another, each told under one trouble between the sender and the receipt. Every death
 * lasts until it must have been told, and nothing counts as flapping: so each owes a person exactly two
 * messages, and what is lost or said twice can be counted.
 */
import type { Random } from "../../src/kit/random.ts";
import { randomBelow } from "../../src/kit/random.ts";
import { AMBUSH_POINTS } from "./ambush.ts";
import type { Fault, TimedFault } from "./faults.ts";
import { FINAL_CALM, START_SPREAD, WARM_UP } from "./schedule.ts";
import { chance, generator, pick, uniform } from "./seeds.ts";

export const TROUBLES = ["none", "killed", "erring", "swallowing", "cut off", "disk full"] as const;
export type Trouble = (typeof TROUBLES)[number];
/** In this order; kills take the least time, and there is more than one way to be killed. */
const ROUNDS: readonly Trouble[] = TROUBLES.flatMap((trouble): Trouble[] =>
  trouble === "killed" ? [] : [trouble, "killed"],
);

/** One host's death, of which a person is owed the beginning and the end. */
export interface Death {
  readonly host: number;
  readonly at: number;
  readonly until: number;
  readonly trouble: Trouble;
}

export interface DeliverySchedule {
  readonly faults: readonly TimedFault[];
  readonly deaths: readonly Death[];
}

/** The trouble is there before anyone sends. */
const BEFORE = 500;
/** The receiver answers 500, a node's channels are broken, or its disk is full for so long. */
const TROUBLE_FOR = 120_000;
/** Deaths of one round are this far apart at most: one message, or two. */
const APART = 4000;
/** From the death to the return: as long as telling can take, pauses after failures included. */
const STAY: Readonly<Record<Trouble, number>> = {
  none: 20_000,
  killed: 25_000,
  erring: 240_000,
  swallowing: 240_000,
  "cut off": 150_000,
  "disk full": 60_000,
};
/** After the return: until that is told. */
const REST = 45_000;

export function makeDeliverySchedule(seed: number, nodes: number, length: number): DeliverySchedule {
  const random = generator(seed, "deliveries");
  const faults: TimedFault[] = Array.from({ length: nodes }, (_, host) => ({
    at: uniform(random, 0, START_SPREAD),
    fault: { type: "power-on", host },
  }));
  const deaths: Death[] = [];
  const hosts = Array.from({ length: nodes }, (_, host) => host);
  // Most of them live, at any time.
  const victimsMax = Math.max(1, Math.floor((nodes - 1) / 2));
  let at = WARM_UP;
  for (let round = 0; ; round += 1) {
    const trouble = ROUNDS[round % ROUNDS.length] ?? "none";
    const end = at + STAY[trouble] + APART + REST;
    if (end > length - FINAL_CALM) return { faults, deaths };
    const victims = shuffled(random, hosts).slice(0, 1 + randomBelow(random, victimsMax));
    const until = at + APART + STAY[trouble];
    for (const host of victims) {
      const dies = at + uniform(random, 0, APART);
      deaths.push({ host, at: dies, until, trouble });
      faults.push({ at: dies, fault: { type: "power-off", host } });
      faults.push({ at: until + uniform(random, 0, APART), fault: { type: "power-on", host } });
    }
    const others = hosts.filter((host) => !victims.includes(host));
    for (const each of troubleFaults(random, trouble, at - BEFORE, until, others)) faults.push(each);
    at = end;
  }
}

function troubleFaults(
  random: Random,
  trouble: Trouble,
  from: number,
  back: number,
  others: readonly number[],
): TimedFault[] {
  const between = (begin: Fault, end: Fault): TimedFault[] => [
    { at: from, fault: begin },
    { at: from + TROUBLE_FOR, fault: end },
  ];
  switch (trouble) {
    case "none":
      return [];
    case "killed": {
      const again = chance(random, 0.5) ? pick(random, AMBUSH_POINTS) : undefined;
      // Whoever tells of the death, and in every other round whoever tells of the return as well.
      return [
        { at: from, fault: { type: "ambush", point: pick(random, AMBUSH_POINTS) } },
        { at: back - BEFORE, fault: { type: "ambush", point: again } },
        { at: back + REST, fault: { type: "ambush", point: undefined } },
      ];
    }
    case "erring":
    case "swallowing":
      return between({ type: "receiver", mood: trouble }, { type: "receiver", mood: "well" });
    case "cut off": {
      const host = pick(random, others);
      return between({ type: "route", host, up: false }, { type: "route", host, up: true });
    }
    case "disk full":
      return others.flatMap((host) =>
        between({ type: "disk", host, health: "failing" }, { type: "disk", host, health: "well" }),
      );
  }
}

function shuffled(random: Random, from: readonly number[]): number[] {
  const left = [...from];
  const drawn: number[] = [];
  while (left.length > 0) drawn.push(...left.splice(randomBelow(random, left.length), 1));
  return drawn;
}
