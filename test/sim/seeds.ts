import { sha256Hex } from "../../src/kit/hash.ts";
import { type Random, seededRandom } from "../../src/kit/random.ts";

/**
 * One seed makes every generator of a run, each with a name of its own: a core
 * that draws one number more does not change the faults that a kept seed stands for.
 */
export const generator = (seed: number, name: string): Random =>
  seededRandom(Number.parseInt(sha256Hex(`${seed}/${name}`).slice(0, 8), 16));

export const uniform = (random: Random, low: number, high: number): number =>
  low + random.next() * (high - low);

export function pick<T>(random: Random, from: readonly T[]): T {
  const chosen = from[Math.floor(random.next() * from.length)];
  if (chosen === undefined) throw new Error("nothing to pick from");
  return chosen;
}

export const chance = (random: Random, probability: number): boolean => random.next() < probability;
