import { describe, expect, test } from "vitest";
import { type RotatingNode, type RotationFacts, rotationStep, wantsOtherRoot } from "./rotation.ts";

const OLD = "old-root";
const NEW = "new-root";

const node = (id: string, rest: Partial<RotatingNode> = {}): RotatingNode => ({
  id,
  present: true,
  generation: 2,
  root: OLD,
  showsAnother: false,
  ...rest,
});

const OFF = node("b", { present: false, generation: 1 });

const facts = (rest: Partial<RotationFacts> = {}): RotationFacts => ({
  phase: "announced",
  root: NEW,
  generation: 2,
  openedBy: NEW,
  signersBehind: [],
  waived: [],
  nodes: [node("a"), node("b")],
  ...rest,
});

const waits = (id: string, why: string): object => ({ step: "wait", for: [{ node: id, why }] });

describe("announced", () => {
  test.each<[name: string, facts: Partial<RotationFacts>, step: object]>([
    ["everyone holds it", {}, { step: "issue" }],
    [
      "one has said nothing yet",
      { nodes: [node("a"), node("b", { generation: undefined })] },
      waits("b", "roster"),
    ],
    [
      "one holds the roster before",
      { nodes: [node("a"), node("b", { generation: 1 })] },
      waits("b", "roster"),
    ],
    ["one holds a later one", { nodes: [node("a", { generation: 3 })] }, { step: "issue" }],
    ["one is away", { nodes: [node("a"), OFF] }, waits("b", "away")],
    ["one is away that has said it holds it", { nodes: [node("b", { present: false })] }, { step: "issue" }],
    ["the one away is waived", { nodes: [OFF], waived: ["b"] }, { step: "issue" }],
    ["somebody else is waived", { nodes: [OFF], waived: ["c"] }, waits("b", "away")],
    ["one is under the new root already", { nodes: [node("a", { root: NEW })] }, { step: "issue" }],
  ])("%s", (_, given, step) => {
    expect(rotationStep(facts(given))).toEqual(step);
  });
});

describe("issuing", () => {
  test.each<[name: string, nodes: RotatingNode[], waived: string[], step: object]>([
    [
      "everyone has a new certificate",
      [node("a", { root: NEW }), node("b", { root: NEW })],
      [],
      { step: "finish" },
    ],
    ["one has not", [node("a", { root: NEW }), node("b")], [], waits("b", "certificate")],
    ["of one nobody knows", [node("a", { root: undefined })], [], waits("a", "certificate")],
    ["one shows the one before", [node("a", { root: NEW, showsAnother: true })], [], waits("a", "shows-old")],
    ["one has it and is away", [node("a", { root: NEW, present: false })], [], { step: "finish" }],
    ["one is away without", [node("a", { present: false })], [], waits("a", "away")],
    ["one came back and does not know", [node("a", { generation: 1 })], [], waits("a", "roster")],
    ["the one without is waived", [node("a"), node("b", { root: NEW })], ["a"], { step: "finish" }],
  ])("%s", (_, nodes, waived, step) => {
    expect(rotationStep(facts({ phase: "issuing", nodes, waived }))).toEqual(step);
  });
});

describe("what waiting does not cure is said, and the old root is kept", () => {
  test("a term opened with the old root", () => {
    const step = { step: "blocked", by: { obstacle: "opened-by-another-root" } };
    expect(rotationStep(facts({ openedBy: OLD }))).toEqual(step);
    const done = [node("a", { root: NEW })];
    expect(rotationStep(facts({ phase: "issuing", nodes: done, openedBy: OLD }))).toEqual(step);
  });

  test("a signing key that only the old root has certified", () => {
    expect(rotationStep(facts({ signersBehind: ["b"] }))).toEqual({
      step: "blocked",
      by: { obstacle: "signer-behind", nodes: ["b"] },
    });
  });
});

/** A small mesh that loses and regains nodes while the decision drives it, with its facts made the way the daemon makes them. */
describe("over time", () => {
  interface Simulated {
    readonly id: string;
    on: boolean;
    holds: number;
    root: string;
  }

  /** `offAt`: which nodes are off in which round. `rounds`: until it was done, or 100. `early`: who was not ready for a step that was taken. */
  function rotate(
    ids: readonly string[],
    offAt: (id: string, round: number) => boolean,
    waived: readonly string[] = [],
  ): { readonly rounds: number; readonly nodes: readonly Simulated[]; readonly early: readonly string[] } {
    const nodes: Simulated[] = ids.map((id) => ({ id, on: true, holds: 1, root: OLD }));
    const early: string[] = [];
    let phase: RotationFacts["phase"] = "announced";
    for (let round = 1; round <= 100; round += 1) {
      for (const each of nodes) each.on = !offAt(each.id, round);
      // Whoever is on hears of the roster; under the second phase it asks for its certificate.
      for (const each of nodes.filter(({ on }) => on)) {
        if (each.holds === 2 && phase === "issuing") each.root = NEW;
        each.holds = 2;
      }
      const step = rotationStep(
        facts({
          phase,
          waived,
          nodes: nodes.map(({ id, on, holds, root }) => node(id, { present: on, generation: holds, root })),
        }),
      );
      if (step.step === "issue") {
        phase = "issuing";
        early.push(...nodes.filter(({ id, holds }) => holds < 2 && !waived.includes(id)).map(({ id }) => id));
      } else if (step.step === "finish") {
        early.push(
          ...nodes.filter(({ id, root }) => root !== NEW && !waived.includes(id)).map(({ id }) => id),
        );
        return { rounds: round, nodes, early };
      }
    }
    return { rounds: 100, nodes, early };
  }

  const ids = Array.from({ length: 10 }, (_, at) => `n${at}`);

  test("with everyone there it is over in two rounds", () => {
    expect(rotate(ids, () => false)).toMatchObject({ rounds: 2, early: [] });
  });

  test("whoever is off, and in whichever round: no step is taken before all know, and it ends", () => {
    for (const id of ids) {
      for (let from = 1; from <= 4; from += 1) {
        const { rounds, early } = rotate(
          ids,
          (each, round) => each === id && round >= from && round < from + 5,
        );
        expect(early).toEqual([]);
        expect(rounds).toBeLessThanOrEqual(from + 8);
      }
    }
  });

  test("half of the mesh by turns off: it ends once each has been there twice", () => {
    const { rounds, early } = rotate(
      ids,
      (id, round) => Number(id.slice(1)) % 2 === Math.floor(round / 3) % 2,
    );
    expect(early).toEqual([]);
    expect(rounds).toBeLessThan(100);
  });

  test("a node off throughout holds it up, unless it is waived: then it keeps what it has", () => {
    expect(rotate(ids, (id) => id === "n3").rounds).toBe(100);
    const { rounds, nodes, early } = rotate(ids, (id) => id === "n3", ["n3"]);
    expect([rounds, early]).toEqual([2, []]);
    expect(nodes.filter(({ root }) => root !== NEW).map(({ id }) => id)).toEqual(["n3"]);
  });
});

test.each([
  ["its own root is fine and nothing is under way", OLD, undefined, false],
  ["its root is gone", undefined, undefined, true],
  ["announced: it keeps its own", OLD, { phase: "announced", root: NEW } as const, false],
  ["issuing, under the old root", OLD, { phase: "issuing", root: NEW } as const, true],
  ["issuing, under the new root", NEW, { phase: "issuing", root: NEW } as const, false],
])("a certificate is replaced at once: %s", (_, own, rotation, wanted) => {
  expect(wantsOtherRoot(own, rotation)).toBe(wanted);
});
