import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode, MESH } from "../../test/contract/lone-node.ts";
import { SILENT_PERIODS } from "./limits.ts";
import type { Answer, Ask } from "./messages.ts";
import { arrange, neighboursOf } from "./topology.ts";
import type { NodeId } from "./types.ts";

const PERIOD = 200;
const ENOUGH = SILENT_PERIODS * PERIOD;

const doubt = (subject: NodeId): Ask => ({ t: "ask", subject, incarnation: 1, suspected: 0 });

const answersTo = (node: LoneNode, to: NodeId): Answer[] =>
  node.effects.flatMap((effect) =>
    effect.type === "send" && effect.to === to && effect.envelope.message.t === "answer"
      ? [effect.envelope.message]
      : [],
  );

/** The gaps between s's beats deviate from its period by 80 ms; it beats for the last time at the end. */
function jittery(lost = 0): LoneNode {
  const a = new LoneNode(["a", "b", "s"]);
  for (const peer of ["b", "s"]) a.connect(peer);
  let seq = 0;
  for (let beats = 0; beats < 20; beats += 1) {
    a.pass(beats % 2 === 0 ? PERIOD - 80 : PERIOD + 80, ["b"]);
    seq += 1 + lost;
    a.beat("s", { seq });
  }
  return a;
}

describe("a silence that the jitter of its path may explain", () => {
  it("is given more than three periods", () => {
    const a = jittery();
    a.pass(ENOUGH + 40, ["b"]);
    expect(a.verdict("s")).toBe("alive");
  });

  it("is a doubt after three periods where another observer has one: it is not this path alone", () => {
    const a = jittery();
    a.pass(ENOUGH - 300, ["b"]);
    a.say("b", doubt("s"));
    a.pass(290, ["b"]);
    expect(a.verdict("s")).toBe("alive");
    a.pass(20, ["b"]);
    expect(a.verdict("s")).toBe("suspect");
  });

  it("is one at once where it has lasted longer", () => {
    const a = jittery();
    a.pass(ENOUGH + 40, ["b"]);
    a.say("b", doubt("s"));
    expect(a.verdict("s")).toBe("suspect");
  });

  it("is none where the peer was heard since: the other's doubt was another one", () => {
    const a = jittery();
    a.say("b", doubt("s"));
    a.pass(PERIOD, ["b"]);
    a.beat("s", { seq: 100 });
    a.pass(ENOUGH + 40, ["b"]);
    expect(a.verdict("s")).toBe("alive");
  });

  it("keeps its time on a path that loses packets: there the silences of two may be chance", () => {
    const a = jittery(1);
    a.pass(ENOUGH + 40, ["b"]);
    a.say("b", doubt("s"));
    expect(a.verdict("s")).toBe("alive");
  });

  it("keeps it where the other doubts an earlier life", () => {
    const a = jittery();
    a.pass(ENOUGH + 40, ["b"]);
    a.say("b", { ...doubt("s"), incarnation: 0 });
    expect(a.verdict("s")).toBe("alive");
  });
});

describe("two who doubt the same peer and ask one another", () => {
  let a: LoneNode;
  beforeEach(() => {
    a = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) a.connect(peer);
    a.pass(1000, ["b", "s"]);
  });

  /** a has asked b. */
  const inDoubt = (): void => {
    for (let at = 0; at < 1000 && a.verdict("s") !== "suspect"; at += 10) a.pass(10, ["b"]);
    a.effects.length = 0;
  };

  it("need no answers: their questions say it all", () => {
    inDoubt();
    a.say("b", doubt("s"));
    expect(answersTo(a, "b")).toEqual([]);
  });

  it("answer one who asks again: it may have missed the question", () => {
    inDoubt();
    a.say("b", doubt("s"));
    a.say("b", doubt("s"));
    expect(answersTo(a, "b")).toMatchObject([{ subject: "s", state: "silent" }]);
  });

  it("answer at once what the question did not say: that the kernel lives", () => {
    a.probe = () => "accepted";
    inDoubt();
    a.say("b", doubt("s"));
    expect(answersTo(a, "b")).toMatchObject([{ subject: "s", state: "silent", probe: "accepted" }]);
  });
});

it("packets lost minutes ago on the way to one that is not watched delay no verdict", () => {
  const ids = Array.from({ length: 20 }, (_, index) => `n${index}`);
  const around = (node: NodeId): NodeId[] => [...neighboursOf(arrange(MESH, ids), node, () => true)];
  const watched = around("n0");
  const node = new LoneNode(ids);
  for (const peer of ids.slice(1)) {
    node.connect(peer);
    node.beat(peer, watched.includes(peer) ? {} : { quiet: true });
    if (!watched.includes(peer)) for (const seq of [4, 7, 10, 13]) node.beat(peer, { seq, quiet: true });
  }
  node.pass(1000, watched);
  const [victim = "", ...living] = watched;
  for (let at = 0; at < 1000 && node.verdict(victim) !== "suspect"; at += 10) node.pass(10, living);
  for (const observer of around(victim)) if (observer !== "n0") node.say(observer, doubt(victim));
  node.pass(100, living);
  expect(node.verdict(victim)).toBe("host-down");
});
