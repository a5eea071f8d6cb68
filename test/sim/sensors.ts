/** Sensors of simulated hosts: they wander, now and then a host runs hot, a fan stops, a sensor comes and goes. */
import type { Reading } from "../../src/core/thermal/reading.ts";
import { type Random, randomBelow } from "../../src/kit/random.ts";
import { wallTime } from "../../src/kit/time.ts";
import type { Host } from "./host.ts";
import { chance, generator, uniform } from "./seeds.ts";
import type { Timeline } from "./timeline.ts";

/** Between two passes over a host's sensors. */
export const SENSE_EVERY = 10_000;
const CORES_MAX = 6;
const HEAT_WAVE = 0.02;
const FAN_STOPS = 0.01;
const CARD_MOVES = 0.01;

interface Weather {
  readonly cores: number;
  cpu: number;
  rpm: number;
  hot: boolean;
  hasCard: boolean;
}

/** `tame`: what goes wrong is over with the next pass, so that nobody need be told. `wild`: it goes on. */
export type SensorMood = "tame" | "wild";

export function senseAll(mood: SensorMood, seed: number, hosts: readonly Host[], timeline: Timeline): void {
  for (const host of hosts) {
    const random = generator(seed, `sensors ${host.index}`);
    const weather: Weather = {
      cores: 1 + randomBelow(random, CORES_MAX),
      cpu: 45,
      rpm: 1200,
      hot: false,
      hasCard: chance(random, 0.5),
    };
    const sense = (): void => {
      if (mood === "tame") recover(weather);
      pass(weather, random);
      if (host.present) host.give({ type: "readings", readings: readingsOf(weather, host.wall) });
      timeline.in(SENSE_EVERY, sense);
    };
    timeline.in(uniform(random, 0, SENSE_EVERY), sense);
  }
}

function recover(weather: Weather): void {
  if (weather.rpm === 0) weather.rpm = 1200;
  if (weather.hot) weather.cpu = 60;
  weather.hot = false;
  weather.hasCard = true;
}

function pass(weather: Weather, random: Random): void {
  if (chance(random, HEAT_WAVE)) weather.hot = !weather.hot;
  if (chance(random, FAN_STOPS)) weather.rpm = weather.rpm === 0 ? 1200 : 0;
  if (chance(random, CARD_MOVES)) weather.hasCard = !weather.hasCard;
  const aim = weather.hot ? 97 : 50;
  const pace = weather.hot ? 0.95 : 0.3;
  weather.cpu = Math.round(weather.cpu + pace * (aim - weather.cpu) + uniform(random, -2, 2));
}

function readingsOf({ cores, cpu, rpm, hasCard }: Weather, wall: number): Reading[] {
  const common = {
    validity: "ok",
    limits: {},
    alarm: false,
    at: wallTime(Math.floor(wall)),
    spot: false,
  } as const;
  const celsius = { ...common, unit: "celsius", driver: "coretemp" } as const;
  const core = (index: number): Reading => ({
    ...celsius,
    id: `platform/coretemp.0/temp${index + 1}`,
    kind: index === 0 ? "cpu-package" : "cpu-core",
    name: index === 0 ? "CPU" : `CPU core ${index - 1}`,
    label: index === 0 ? "Package id 0" : `Core ${index - 1}`,
    value: cpu - index,
  });
  const card: Reading = {
    ...celsius,
    id: "pci-1/temp1",
    kind: "gpu",
    name: "GPU",
    driver: "amdgpu",
    label: "edge",
    value: 40,
  };
  const fan: Reading = {
    ...common,
    id: "isa/fan1",
    kind: "fan",
    name: "CPU_FAN",
    unit: "rpm",
    driver: "nct6798",
    label: "CPU_FAN",
    value: rpm,
  };
  return [...Array.from({ length: cores + 1 }, (_, index) => core(index)), fan, ...(hasCard ? [card] : [])];
}
