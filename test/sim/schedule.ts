/** Makes a schedule of faults from a seed: episodes that begin and end, in calm, busy and stormy stretches. */
import type { Random } from "../../src/kit/random.ts";
import { randomBelow } from "../../src/kit/random.ts";
import type { Fault, TimedFault } from "./faults.ts";
import type { ReceiverMood } from "./receiver.ts";
import { chance, generator, pick, uniform } from "./seeds.ts";

export type EpisodeMode = "all" | "loss" | "none";
/** `deliveries`: deaths told under trouble (schedule-deliveries.ts). */
export type FaultMode = EpisodeMode | "deliveries";

export interface ScheduleOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly mode: EpisodeMode;
  /** Networks that every host is in. Default: one. */
  readonly networks?: number;
  /** Virtual milliseconds. */
  readonly length: number;
}

/** Every host starts within this; nothing else happens before. */
export const START_SPREAD = 2000;
export const WARM_UP = 20_000;
/** At the end everything is repaired and this much calm follows. */
export const FINAL_CALM = 75_000;
const HOUR = 3_600_000;
/** A hung daemon is told of after about 20 s; shorter pauses are nobody's business. */
const HARMLESS_PAUSE_MAX = 12_000;

/** Seconds between the beginnings of two episodes. */
const STRETCHES = {
  calm: { gap: [60, 300], length: [120, 600] },
  busy: { gap: [15, 90], length: [120, 900] },
  storm: { gap: [0.2, 12], length: [20, 120] },
} as const;

/** What begins an episode, what ends it, and how long it lasts in milliseconds. */
interface Episode {
  readonly begin: readonly Fault[];
  readonly end: readonly Fault[];
  readonly length: number;
}

type EpisodeMaker = (random: Random, nodes: number) => Episode;

const seconds = (random: Random, low: number, high: number): number => 1000 * uniform(random, low, high);

const power: EpisodeMaker = (random, nodes) => {
  const host = randomBelow(random, nodes);
  return {
    begin: [{ type: "power-off", host }],
    end: [{ type: "power-on", host }],
    length: seconds(random, 5, 180),
  };
};

const kill: EpisodeMaker = (random, nodes) => {
  const host = randomBelow(random, nodes);
  const length = chance(random, 0.5) ? seconds(random, 0.1, 5) : seconds(random, 5, 90);
  return { begin: [{ type: "kill", host }], end: [{ type: "start", host }], length };
};

const stop: EpisodeMaker = (random, nodes) => {
  const host = randomBelow(random, nodes);
  return {
    begin: [{ type: "stop", host }],
    end: [{ type: "start", host }],
    length: seconds(random, 0.5, 120),
  };
};

const pause =
  (longest: number): EpisodeMaker =>
  (random, nodes) => {
    const host = randomBelow(random, nodes);
    return {
      begin: [{ type: "pause", host }],
      end: [{ type: "resume", host }],
      length: uniform(random, 300, longest),
    };
  };

const cut: EpisodeMaker = (random, nodes) => {
  const host = randomBelow(random, nodes);
  return {
    begin: [{ type: "link", host, up: false }],
    end: [{ type: "link", host, up: true }],
    length: seconds(random, 0.3, 120),
  };
};

/** A bad cable: down and up several times. */
const flap: EpisodeMaker = (random, nodes) => {
  const host = randomBelow(random, nodes);
  const path = (up: boolean): Fault => ({ type: "link", host, up });
  return { begin: [path(false)], end: [path(true)], length: seconds(random, 0.2, 2) };
};

function twoOf(random: Random, nodes: number): [number, number] {
  const from = randomBelow(random, nodes);
  return [from, (from + 1 + randomBelow(random, nodes - 1)) % nodes];
}

const oneWay: EpisodeMaker = (random, nodes) => {
  const [from, to] = twoOf(random, nodes);
  return {
    begin: [{ type: "path", from, to, up: false }],
    end: [{ type: "path", from, to, up: true }],
    length: seconds(random, 1, 120),
  };
};

/** Deaf or mute: one direction of all its paths. */
const oneWayForAll: EpisodeMaker = (random, nodes) => {
  const host = randomBelow(random, nodes);
  const deaf = chance(random, 0.5);
  const others = Array.from({ length: nodes }, (_, index) => index).filter((index) => index !== host);
  const all = (up: boolean): Fault[] =>
    others.map((other) =>
      deaf ? { type: "path", from: other, to: host, up } : { type: "path", from: host, to: other, up },
    );
  return { begin: all(false), end: all(true), length: seconds(random, 1, 60) };
};

const pairCut: EpisodeMaker = (random, nodes) => {
  const [a, b] = twoOf(random, nodes);
  const both = (up: boolean): Fault[] => [
    { type: "path", from: a, to: b, up },
    { type: "path", from: b, to: a, up },
  ];
  return { begin: both(false), end: both(true), length: seconds(random, 1, 120) };
};

const partition: EpisodeMaker = (random, nodes) => {
  const side = Array.from({ length: nodes }, () => randomBelow(random, 2));
  const group = (which: number): number[] => side.flatMap((s, host) => (s === which ? [host] : []));
  return {
    begin: [{ type: "partition", groups: [group(0), group(1)] }],
    end: [{ type: "heal" }],
    length: seconds(random, 1, 120),
  };
};

const loss: EpisodeMaker = (random, nodes) => {
  const everywhere = chance(random, 0.6);
  const where = everywhere ? {} : { hosts: [randomBelow(random, nodes)] };
  const begin: Fault = {
    type: "quality",
    ...where,
    loss: uniform(random, 0.02, 0.3),
    jitter: chance(random, 0.3) ? uniform(random, 1, 40) : 0.2,
  };
  const end: Fault = { type: "quality", ...where, loss: 0, jitter: 0.2 };
  return { begin: [begin], end: [end], length: seconds(random, 5, 120) };
};

const wallStep: EpisodeMaker = (random, nodes) => ({
  begin: [{ type: "wall-step", host: randomBelow(random, nodes), by: uniform(random, -HOUR, HOUR) }],
  end: [],
  length: 0,
});

const disk: EpisodeMaker = (random, nodes) => {
  const host = randomBelow(random, nodes);
  const health = pick(random, ["slow", "failing"] as const);
  return {
    begin: [{ type: "disk", host, health }],
    end: [{ type: "disk", host, health: "well" }],
    length: seconds(random, 5, 90),
  };
};

const receiver: EpisodeMaker = (random) => {
  const mood: ReceiverMood = pick(random, ["refusing", "erring", "swallowing"] as const);
  return {
    begin: [{ type: "receiver", mood }],
    end: [{ type: "receiver", mood: "well" }],
    length: seconds(random, 1, 150),
  };
};

const route: EpisodeMaker = (random, nodes) => {
  const host = randomBelow(random, nodes);
  return {
    begin: [{ type: "route", host, up: false }],
    end: [{ type: "route", host, up: true }],
    length: seconds(random, 10, 180),
  };
};

/** All but one die within two seconds: the last survivor must tell. */
const massDeath: EpisodeMaker = (random, nodes) => {
  const survivor = randomBelow(random, nodes);
  const others = Array.from({ length: nodes }, (_, index) => index).filter((index) => index !== survivor);
  return {
    begin: others.map((host) => ({ type: "power-off", host })),
    end: others.map((host) => ({ type: "power-on", host })),
    length: seconds(random, 20, 180),
  };
};

/** Where there are several networks: one of them as a whole, or one host's cable in it. */
const lostNetwork =
  (networks: number): EpisodeMaker =>
  (random, nodes) => {
    const network = randomBelow(random, networks);
    const host = chance(random, 0.5) ? randomBelow(random, nodes) : undefined;
    const state = (up: boolean): Fault =>
      host === undefined ? { type: "network", network, up } : { type: "link", host, network, up };
    return { begin: [state(false)], end: [state(true)], length: seconds(random, 1, 120) };
  };
const LOST_NETWORK_SHARE = 30;

/** Each with its share. */
const EPISODES: Readonly<Record<Exclude<EpisodeMode, "none">, readonly (readonly [EpisodeMaker, number])[]>> =
  {
    all: [
      [power, 14],
      [kill, 12],
      [stop, 6],
      [pause(30_000), 10],
      [cut, 14],
      [flap, 5],
      [oneWay, 6],
      [oneWayForAll, 3],
      [pairCut, 6],
      [partition, 6],
      [loss, 8],
      [wallStep, 5],
      [disk, 4],
      [receiver, 6],
      [route, 4],
      [massDeath, 4],
    ],
    loss: [
      [pause(HARMLESS_PAUSE_MAX), 10],
      [loss, 20],
      [wallStep, 5],
    ],
  };

function pickEpisode(random: Random, mode: Exclude<EpisodeMode, "none">, networks: number): EpisodeMaker {
  const lost = [lostNetwork(networks), LOST_NETWORK_SHARE] as const;
  const shares = networks > 1 && mode === "all" ? [...EPISODES[mode], lost] : EPISODES[mode];
  const total = shares.reduce((sum, [, share]) => sum + share, 0);
  let left = random.next() * total;
  for (const [maker, share] of shares) {
    left -= share;
    if (left < 0) return maker;
  }
  return power;
}

export function makeSchedule(options: ScheduleOptions): TimedFault[] {
  const { seed, nodes, mode, length, networks = 1 } = options;
  const random = generator(seed, "schedule");
  const faults: TimedFault[] = Array.from({ length: nodes }, (_, host) => ({
    at: uniform(random, 0, START_SPREAD),
    fault: { type: "power-on", host },
  }));
  const end = length - FINAL_CALM;
  if (mode !== "none") {
    for (let at = WARM_UP; at < end; ) at = addStretch(faults, random, options, at, end);
    for (const fault of repairs(nodes, mode, networks)) faults.push({ at: end, fault });
  }
  return faults;
}

/** Fills one stretch; returns where it ends. */
function addStretch(
  faults: TimedFault[],
  random: Random,
  options: ScheduleOptions,
  from: number,
  end: number,
): number {
  if (options.mode === "none") return end;
  const { gap, length } = STRETCHES[pick<keyof typeof STRETCHES>(random, ["calm", "busy", "busy", "storm"])];
  const nextGap = (): number => seconds(random, gap[0], gap[1]);
  const until = Math.min(end, from + seconds(random, length[0], length[1]));
  let at = from + nextGap();
  while (at < until) {
    const episode = pickEpisode(random, options.mode, options.networks ?? 1)(random, options.nodes);
    // What begins together does not begin in the same instant.
    const spread = chance(random, 0.5) ? 0 : 2000;
    const add = (time: number, fault: Fault): void => {
      if (time < end) faults.push({ at: time, fault });
    };
    for (const fault of episode.begin) add(at + random.next() * spread, fault);
    const over = at + spread + episode.length;
    for (const fault of episode.end) add(over + random.next() * spread, fault);
    at += nextGap();
  }
  return until;
}

const networkUp = (network: number): Fault => ({ type: "network", network, up: true });

function repairs(nodes: number, mode: EpisodeMode, networks: number): Fault[] {
  const hosts = Array.from({ length: nodes }, (_, host) => host);
  const quality: Fault = { type: "quality", loss: 0, jitter: 0.2 };
  const awake: Fault[] = hosts.map((host) => ({ type: "resume", host }));
  if (mode === "loss") return [quality, ...awake];
  return [
    quality,
    { type: "heal" },
    ...(networks > 1 ? Array.from({ length: networks }, (_, network) => networkUp(network)) : []),
    { type: "receiver", mood: "well" },
    ...hosts.flatMap((from) =>
      hosts.filter((to) => to !== from).map((to): Fault => ({ type: "path", from, to, up: true })),
    ),
    ...hosts.flatMap((host): Fault[] => [
      { type: "link", host, up: true },
      { type: "route", host, up: true },
      { type: "disk", host, health: "well" },
      { type: "resume", host },
      { type: "power-on", host },
      { type: "start", host },
    ]),
  ];
}
