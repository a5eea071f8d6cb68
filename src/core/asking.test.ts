import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import type { NodeId } from "./types.ts";

const OTHERS = ["b", "c", "d"];

const whoIsAsked = (node: LoneNode, subject: NodeId): NodeId[] => {
  const asked = node.effects.flatMap((effect) =>
    effect.type === "send" &&
    effect.envelope.message.t === "ask" &&
    effect.envelope.message.subject === subject &&
    effect.to !== subject
      ? [effect.to]
      : [],
  );
  return [...new Set(asked)].sort();
};

describe("whom an observer asks about a silent peer", () => {
  let a: LoneNode;
  beforeEach(() => {
    a = new LoneNode(["a", ...OTHERS]);
    for (const peer of OTHERS) a.connect(peer);
    a.pass(1000, OTHERS);
    a.effects.length = 0;
  });

  it("the other observers, at once", () => {
    a.pass(650, ["b", "c"]);
    expect(a.verdict("d")).toBe("suspect");
    expect(whoIsAsked(a, "d")).toEqual(["b", "c"]);
  });

  /** d was last heard at 800 ms, and b and c at 1060: a doubts d from 1400 on, and them from 1660 on. */
  const hearsNobody = (): void => {
    a.pass(60);
    a.pass(10, ["b", "c"]);
    a.pass(400);
    expect(a.verdict("d")).toBe("suspect");
  };

  it("nobody but the peer itself while it hears nobody at all: their answers would not arrive", () => {
    hearsNobody();
    expect(whoIsAsked(a, "d")).toEqual([]);
  });

  it("them after all once it hears one of them again", () => {
    hearsNobody();
    a.pass(100, ["b"]);
    expect(whoIsAsked(a, "d")).toEqual(["b", "c"]);
  });

  it("and later even though it hears nobody: they may hear it", () => {
    hearsNobody();
    a.pass(140);
    expect(whoIsAsked(a, "d")).toEqual(["b", "c"]);
  });
});
