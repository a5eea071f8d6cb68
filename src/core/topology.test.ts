import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashParts } from "../kit/hash.ts";
import { arrange, FULL_MESH_MAX, neighboursOf, type Topology } from "./topology.ts";
import type { NodeId } from "./types.ts";

const MESH = "5eed5eed-0000-4000-8000-000000000000";
const everyone = (): boolean => true;

/** Ids as they are drawn: at random. */
const members = (size: number, seed: number): NodeId[] =>
  Array.from({ length: size }, (_, index) => hashParts(`topology ${seed}`, String(index)).slice(0, 32));

const pairsOf = (topology: Topology, ids: readonly NodeId[]): Set<string> =>
  new Set(
    ids.flatMap((id) => [...neighboursOf(topology, id, everyone)].map((other) => [id, other].sort().join())),
  );

/** Hops from one member to each other that is present, over members that are present. */
function distances(graph: ReadonlyMap<NodeId, ReadonlySet<NodeId>>, from: NodeId): Map<NodeId, number> {
  const found = new Map([[from, 0]]);
  const queue = [from];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const other of graph.get(next) ?? []) {
      if (found.has(other) || !graph.has(other)) continue;
      found.set(other, (found.get(next) ?? 0) + 1);
      queue.push(other);
    }
  }
  return found;
}

function graphOf(topology: Topology, ids: readonly NodeId[]): Map<NodeId, ReadonlySet<NodeId>> {
  const present = new Set(ids);
  return new Map(ids.map((id) => [id, neighboursOf(topology, id, (other) => present.has(other))]));
}

const size = fc.integer({ min: 1, max: 150 });
const seed = fc.nat(1_000_000);

describe("the topology", () => {
  it("has everyone watch everyone up to twelve nodes", () => {
    for (let count = 1; count <= FULL_MESH_MAX; count += 1) {
      const ids = members(count, count);
      const topology = arrange(MESH, ids);
      for (const id of ids) {
        const others = ids.filter((other) => other !== id).sort();
        expect([...neighboursOf(topology, id, everyone)].sort()).toEqual(others);
      }
    }
  });

  it("gives each node exactly ten others to watch above that, who watch it too", () => {
    fc.assert(
      fc.property(fc.integer({ min: FULL_MESH_MAX + 1, max: 150 }), seed, (count, from) => {
        const ids = members(count, from);
        const topology = arrange(MESH, ids);
        for (const id of ids) {
          const watched = neighboursOf(topology, id, everyone);
          expect(watched.size).toBe(10);
          expect(watched.has(id)).toBe(false);
          for (const other of watched) expect(neighboursOf(topology, other, everyone).has(id)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("is the same at every node, in whatever order the roster lists them", () => {
    fc.assert(
      fc.property(size, seed, (count, from) => {
        const ids = members(count, from);
        expect(arrange(MESH, [...ids].reverse())).toEqual(arrange(MESH, ids));
      }),
      { numRuns: 20 },
    );
  });

  it("stays connected when any one, or any two, are gone", () => {
    for (const count of [13, 20, 33]) {
      const ids = members(count, count);
      const topology = arrange(MESH, ids);
      for (let first = 0; first < count; first += 1) {
        for (let second = first; second < count; second += 1) {
          const left = ids.filter((_, index) => index !== first && index !== second);
          expect(distances(graphOf(topology, left), left[0] ?? "").size).toBe(left.length);
        }
      }
    }
  });

  it("stays connected when most are gone, and nobody is left unwatched by one who lives", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 13, max: 120 }),
        seed,
        fc.integer({ min: 1, max: 12 }),
        (count, from, alive) => {
          const ids = members(count, from);
          const topology = arrange(MESH, ids);
          const left = ids.slice(0, alive);
          const graph = graphOf(topology, left);
          expect(distances(graph, left[0] ?? "").size).toBe(alive);
          const watched = new Set(left.flatMap((id) => [...(graph.get(id) ?? [])]));
          for (const gone of ids.slice(alive)) expect(watched.has(gone)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("is small: news crosses a hundred nodes in three hops, a thousand in five", () => {
    for (const [count, hops] of [
      [33, 3],
      [100, 3],
      [1000, 5],
    ] as const) {
      const ids = members(count, 7);
      const graph = graphOf(arrange(MESH, ids), ids);
      const sources = count > 200 ? ids.slice(0, 20) : ids;
      expect(Math.max(...sources.flatMap((id) => [...distances(graph, id).values()]))).toBeLessThanOrEqual(
        hops,
      );
    }
  });

  it("changes few pairs when one member comes or goes", () => {
    const changed = (count: number): number => {
      const runs = 20;
      let sum = 0;
      for (let run = 0; run < runs; run += 1) {
        const ids = members(count, run);
        const newcomer = ids.at(-1) ?? "";
        const after = pairsOf(arrange(MESH, ids), ids);
        const rest = ids.slice(0, -1);
        const before = pairsOf(arrange(MESH, rest), rest);
        const apart = [...before].filter((pair) => !after.has(pair)).length;
        const together = [...after].filter((pair) => !before.has(pair) && !pair.includes(newcomer)).length;
        sum += apart + together;
      }
      return sum / runs;
    };
    // Five pairs make room for the newcomer in any case; the rest is what parting repeats moves.
    expect(changed(100)).toBeLessThan(9);
    expect(changed(33)).toBeLessThan(18);
    expect(changed(20)).toBeLessThan(30);
  });
});
