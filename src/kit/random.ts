/**
 * Randomness for decisions (jitter, simulation), never for secrets: keys, token
 * secrets and serials come from the operating system's source, in adapters.
 */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** sfc32 (Chris Doty-Humphrey, PractRand): a small generator that is the same on every machine for a seed. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162 ^ (seed >>> 7);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let warmup = 0; warmup < 16; warmup += 1) next();
  return { next };
}

/** A whole number in [0, limit). */
export const randomBelow = (random: Random, limit: number): number => Math.floor(random.next() * limit);
