/**
 * Deaths told under trouble, counted: the sender killed between sending and receipt, a receiver that answers
 * 500, or takes the message and never answers, one node's channels broken, all disks full.
 * docs/simulation.md has the command for more of them.
 */
import { describe, expect, it } from "vitest";
import { CORE } from "./core.ts";
import { run } from "./run.ts";

const LOT_MS_MAX = 180_000;

describe("of the deaths of a lot, told under trouble", () => {
  it.each([
    { seed: 900, nodes: 3, hours: 0.8 },
    { seed: 901, nodes: 5, hours: 0.25 },
  ])(
    "none is lost and none told twice without a kill or a receiver that keeps silent: seed $seed",
    async ({ seed, nodes, hours }) => {
      const { deliveries, violations } = await run({
        seed,
        nodes,
        hours,
        faults: "deliveries",
        machine: CORE,
      });
      expect(violations).toEqual([]);
      expect(deliveries?.complaints).toEqual([]);
      expect(deliveries?.incidents).toBeGreaterThan(5);
      expect(deliveries?.kills).toBeGreaterThan(1);
      expect(deliveries).toMatchObject({ lost: 0, keyedDuplicates: 0 });
    },
    LOT_MS_MAX,
  );
});
