import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareRanks,
  decideRoster,
  type HeldRoster,
  type RosterCandidate,
  type RosterRefusal,
} from "./roster.ts";

const held: HeldRoster = {
  mesh: "mesh",
  generation: 2,
  term: 5,
  opener: "keymaste",
  epoch: 7,
  hash: "h7",
  signer: "keymaster",
  revoked: ["thief"],
};

const link = (epoch: number, hash: string): RosterCandidate["ancestors"][number] => ({
  generation: 2,
  term: 5,
  opener: "keymaste",
  epoch,
  hash,
});

const next: RosterCandidate = {
  mesh: "mesh",
  ...link(8, "h8"),
  signer: "keymaster",
  signatureValid: true,
  rootsTrusted: true,
  successionProven: true,
  openingProven: true,
  previous: "h7",
  ancestors: [link(7, "h7")],
};

const by = (signer: string): Partial<RosterCandidate> => ({ signer, opener: signer.slice(0, 8) });
/** Two epochs were missed; the chain still shows ours. */
const leap: Partial<RosterCandidate> = {
  ...link(10, "h10"),
  previous: "h9",
  ancestors: [link(9, "h9"), link(8, "h8"), link(7, "h7")],
};
/** A standby took over, from a roster that was not ours. */
const takeover: Partial<RosterCandidate> = {
  ...by("standby"),
  term: 6,
  epoch: 1,
  hash: "t6",
  previous: "h6",
  ancestors: [],
};
/** The root key began a generation with a key nobody here knows. */
const rootOpened: Partial<RosterCandidate> = { ...takeover, ...by("brand-new"), generation: 3, hash: "g3" };
const decide = (
  change: Partial<RosterCandidate>,
  on: Partial<HeldRoster> = {},
): "adopt" | "same" | RosterRefusal => {
  const decision = decideRoster({ ...held, ...on }, { ...next, ...change });
  return decision.decision === "refuse" ? decision.reason : decision.decision;
};

test.each<[string, Partial<RosterCandidate>, "adopt" | "same" | RosterRefusal]>([
  ["the next epoch on ours", {}, "adopt"],
  ["the one we hold", { epoch: 7, hash: "h7", previous: "h6" }, "same"],
  [
    "the very text we hold, signed by a key of a later name",
    { ...by("zebra"), epoch: 7, hash: "h7" },
    "adopt",
  ],
  ["epochs later, ours among its ancestors", leap, "adopt"],
  ["a mesh of the same shape", { mesh: "other" }, "other-mesh"],
  ["a signature that does not fit", { signatureValid: false }, "bad-signature"],
  ["a revoked key, however high it counts", { ...by("thief"), term: 9, epoch: 1e9 }, "revoked-signer"],
  ["a revoked key in a later generation", { ...rootOpened, ...by("thief") }, "revoked-signer"],
  ["an earlier epoch", { epoch: 6, hash: "h6", previous: "h5" }, "older"],
  ["an earlier term with a later epoch", { term: 4, epoch: 99 }, "older"],
  ["an earlier generation with a later term and epoch", { generation: 1, term: 99, epoch: 99 }, "older"],
  ["our rank with other content", { epoch: 7, hash: "h7'" }, "fork"],
  ["the next epoch on something else", { previous: "h7'" }, "broken-chain"],
  [
    "the next epoch on something else that lists ours",
    { previous: "h7'", ancestors: leap.ancestors ?? [] },
    "broken-chain",
  ],
  ["epochs later, another at our place", { ...leap, ancestors: [link(7, "h7'")] }, "broken-chain"],
  ["epochs later, our hash at another place", { ...leap, ancestors: [link(8, "h7")] }, "broken-chain"],
  ["epochs later, with no chain down to ours", { ...leap, ancestors: [] }, "broken-chain"],
  ["another key whose name begins like the signer's", { signer: "keymaster2" }, "second-signer"],
  ["a later term by a standby", takeover, "adopt"],
  ["a term several takeovers later", { ...takeover, term: 9, epoch: 40 }, "adopt"],
  ["a second standby of the same term, named later", { ...takeover, term: 5, ...by("zebra") }, "adopt"],
  [
    "a second standby of the same term, named earlier",
    { ...takeover, term: 5, ...by("ant"), epoch: 9 },
    "older",
  ],
  ["a generation the root began", rootOpened, "adopt"],
  ["a generation the root began, with fewer terms", { ...rootOpened, term: 1 }, "adopt"],
  ["a generation that no trusted root began", { ...rootOpened, openingProven: false }, "outside-succession"],
  ["a term whose lineage no trusted root began", { ...takeover, openingProven: false }, "outside-succession"],
  ["a root we do not trust", { rootsTrusted: false }, "new-root"],
  ["a root we do not trust, in a later term", { ...takeover, rootsTrusted: false }, "new-root"],
  ["a root we do not trust, in a later generation", { ...rootOpened, rootsTrusted: false }, "new-root"],
  ["a successor nobody vouches for", { successionProven: false }, "unproven-successor"],
  [
    "a successor nobody vouches for, in a generation",
    { ...rootOpened, successionProven: false },
    "unproven-successor",
  ],
])("decides about %s", (_what, change, expected) => {
  expect(decide(change)).toBe(expected);
});

describe("a root-opened generation", () => {
  test("outranks a stolen keymaster a thousand epochs on, or at the highest term there is", () => {
    expect(decide(rootOpened, { epoch: 1007 })).toBe("adopt");
    expect(decide(rootOpened, { term: Number.MAX_SAFE_INTEGER, epoch: Number.MAX_SAFE_INTEGER })).toBe(
      "adopt",
    );
  });

  test("is not left again for what the stolen keymaster signs", () => {
    const now: Partial<HeldRoster> = {
      generation: 3,
      term: 6,
      opener: "brand-ne",
      signer: "brand-new",
      epoch: 1,
    };
    expect(decide({ epoch: 1008, hash: "h1008" }, now)).toBe("older");
    expect(decide({ generation: 3, term: 99 }, { ...now, revoked: ["keymaster"] })).toBe("revoked-signer");
  });

  test("that two promoted at once is one in the end, whichever came first", () => {
    const one: Partial<HeldRoster> = {
      generation: 3,
      term: 6,
      opener: "brand-ne",
      signer: "brand-new",
      epoch: 4,
    };
    expect(decide({ ...rootOpened, ...by("zebra-key") }, one)).toBe("adopt");
    expect(decide(rootOpened, { ...one, opener: "zebra-ke", signer: "zebra-key" })).toBe("older");
  });
});

/** All that partitions, takeovers and root keys can bring about when nobody signs twice: a tree of lineages. */
interface Signed extends RosterCandidate {
  readonly chain: readonly RosterCandidate["ancestors"][number][];
}
type Deed = readonly [on: number, kind: "epoch" | "standby" | "root", by: number];

const SIGNERS = ["ant", "bee", "cat", "dog", "emu"];

function history(deeds: readonly Deed[]): readonly Signed[] {
  const first: Signed = {
    ...next,
    ...by("ant"),
    generation: 1,
    term: 1,
    epoch: 1,
    hash: "first",
    previous: null,
    ancestors: [],
    chain: [],
  };
  const all: Signed[] = [first];
  for (const [place, kind, who] of deeds) {
    const on = all[place % all.length] ?? first;
    const signer = kind === "epoch" ? on.signer : (SIGNERS[who % SIGNERS.length] ?? "ant");
    const opened = { generation: on.generation + (kind === "root" ? 1 : 0), term: on.term + 1, epoch: 1 };
    const rank =
      kind === "epoch" ? { generation: on.generation, term: on.term, epoch: on.epoch + 1 } : opened;
    const made = { ...next, ...by(signer), ...rank, previous: on.hash };
    // One key signs one history: whoever has signed this rank already goes on from there.
    if (all.some((other) => compareRanks(other, made) === 0)) continue;
    const chain = [{ ...on }, ...on.chain];
    all.push({ ...made, hash: `h${all.length}`, ancestors: chain, chain });
  }
  return all;
}

const asHeld = (roster: Signed): HeldRoster => ({ ...roster, revoked: [] });

/** What a node ends with that is offered all of them, in this order, until nothing changes any more. */
function settle(rosters: readonly Signed[], order: readonly number[]): Signed | undefined {
  let current = rosters[0];
  for (let changed = true; changed; ) {
    changed = false;
    for (const place of order) {
      const offered = rosters[place % rosters.length];
      if (current === undefined || offered === undefined) continue;
      if (decideRoster(asHeld(current), offered).decision !== "adopt") continue;
      current = offered;
      changed = true;
    }
  }
  return current;
}

const deeds = fc.array(
  fc.tuple(
    fc.nat(40),
    fc.constantFrom("epoch" as const, "epoch" as const, "standby" as const, "root" as const),
    fc.nat(4),
  ),
  { maxLength: 40 },
);

test("any set of rosters, offered in any order, ends in the same one on every node", () => {
  fc.assert(
    fc.property(deeds, fc.infiniteStream(fc.nat(1000)), (what, chance) => {
      const rosters = history(what);
      const places = rosters.map((_, place) => place);
      const shuffled = places
        .map((place) => [chance.next().value, place] as const)
        .sort(([a], [b]) => a - b)
        .map(([, place]) => place);
      const ends = [places, places.toReversed(), shuffled].map((order) => settle(rosters, order)?.hash);
      expect(new Set(ends).size).toBe(1);
    }),
  );
});

test("ranks are one line: of two different ones exactly one is higher, and order carries over", () => {
  const rank = fc.record({
    generation: fc.integer({ min: 1, max: 3 }),
    term: fc.integer({ min: 1, max: 3 }),
    opener: fc.constantFrom("AAAAAAAA", "aaaaaaaa", "-_-_-_-_"),
    epoch: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(rank, rank, rank, (a, b, c) => {
      expect(Math.sign(compareRanks(a, b))).toBe(-Math.sign(compareRanks(b, a)) + 0);
      if (compareRanks(a, b) <= 0 && compareRanks(b, c) <= 0)
        expect(compareRanks(a, c)).toBeLessThanOrEqual(0);
      expect(compareRanks(a, b) === 0).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});
