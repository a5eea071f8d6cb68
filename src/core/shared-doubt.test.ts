import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode, MESH } from "../../test/contract/lone-node.ts";
import { resolutionOf } from "../../test/contract/sample-incidents.ts";
import { PROBE_SOON, SILENT_PERIODS } from "./limits.ts";
import type { Answer, Ask } from "./messages.ts";
import { arrange, neighboursOf } from "./topology.ts";
import type { NodeId } from "./types.ts";

const PERIOD = 200;
const ENOUGH = SILENT_PERIODS * PERIOD;

const doubt = (subject: NodeId): Ask => ({ t: "ask", subject, incarnation: 1, suspected: 0 });

const hearsAgain: Answer = {
  t: "answer",
  subject: "s",
  state: "unknown",
  incarnation: 1,
  path: "datagram",
  probe: "none",
};

const answersTo = (node: LoneNode, to: NodeId): Answer[] =>
  node.effects.flatMap((effect) =>
    effect.type === "send" && effect.to === to && effect.envelope.message.t === "answer"
      ? [effect.envelope.message]
      : [],
  );

const OTHERS = ["b", "c", "d"];

/** The gaps between s's beats deviate from its period by 80 ms; it beats for the last time at the end. */
function jittery(lost = 0): LoneNode {
  const a = new LoneNode(["a", ...OTHERS, "s"]);
  for (const peer of [...OTHERS, "s"]) a.connect(peer);
  let seq = 0;
  for (let beats = 0; beats < 20; beats += 1) {
    a.pass(beats % 2 === 0 ? PERIOD - 80 : PERIOD + 80, OTHERS);
    seq += 1 + lost;
    a.beat("s", { seq });
  }
  return a;
}

const allDoubt = (a: LoneNode, who: readonly NodeId[] = OTHERS, incarnation = 1): void => {
  for (const node of who) a.say(node, { ...doubt("s"), incarnation });
};

describe("a silence that the jitter of its path may explain", () => {
  it("is given more than three periods", () => {
    const a = jittery();
    a.pass(ENOUGH + 40, OTHERS);
    expect(a.verdict("s")).toBe("alive");
  });

  it("is a doubt after three periods where most observers have one: it is not this path alone", () => {
    const a = jittery();
    a.pass(ENOUGH - 300, OTHERS);
    allDoubt(a);
    a.pass(290, OTHERS);
    expect(a.verdict("s")).toBe("alive");
    a.pass(20, OTHERS);
    expect(a.verdict("s")).toBe("suspect");
  });

  it("is one at once where it has lasted longer", () => {
    const a = jittery();
    a.pass(ENOUGH + 40, OTHERS);
    allDoubt(a);
    expect(a.verdict("s")).toBe("suspect");
  });

  it.each<[string, (a: LoneNode) => void]>([
    ["half of the observers doubt it, this one included", (a) => allDoubt(a, ["b"])],
    ["they doubt an earlier life", (a) => allDoubt(a, OTHERS, 0)],
    [
      "one of them has taken its doubt back",
      (a) => {
        allDoubt(a, ["b"]);
        a.say("b", hearsAgain);
        allDoubt(a, ["c"]);
      },
    ],
  ])("keeps its time where only %s", (_, say) => {
    const a = jittery();
    a.pass(ENOUGH + 40, OTHERS);
    say(a);
    expect(a.verdict("s")).toBe("alive");
  });

  it("keeps it where they were most, and have taken it back", () => {
    const a = jittery();
    a.pass(ENOUGH - 100, OTHERS);
    allDoubt(a);
    for (const node of OTHERS) a.say(node, hearsAgain);
    a.pass(140, OTHERS);
    expect(a.verdict("s")).toBe("alive");
  });

  it("keeps it where the peer was heard since: their doubt was another one", () => {
    const a = jittery();
    allDoubt(a);
    a.pass(PERIOD, OTHERS);
    a.beat("s", { seq: 100 });
    a.pass(ENOUGH + 40, OTHERS);
    expect(a.verdict("s")).toBe("alive");
  });

  it("keeps it where the others have doubted the peer while it was heard here: they have broken links", () => {
    const a = jittery();
    a.pass(100, OTHERS);
    allDoubt(a);
    a.pass(10, OTHERS);
    a.beat("s", { seq: 100 });
    for (let round = 0; round < 6; round += 1) {
      a.pass(100, OTHERS);
      allDoubt(a);
    }
    a.pass(ENOUGH - 560, OTHERS);
    allDoubt(a);
    expect(a.verdict("s")).toBe("alive");
  });

  it("keeps it on a path that loses packets: there the silences of several may be chance", () => {
    const a = jittery(1);
    a.pass(ENOUGH + 40, OTHERS);
    allDoubt(a);
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

  it("answer one who may not have kept the question: it has said since that it hears the peer", () => {
    inDoubt();
    a.say("b", hearsAgain);
    a.say("b", doubt("s"));
    expect(answersTo(a, "b")).toMatchObject([{ subject: "s", state: "silent" }]);
  });

  it("keep what they were asked before they doubted: nobody's answer is waited for", () => {
    a.pass(ENOUGH - 10, ["b"]);
    a.say("b", doubt("s"));
    inDoubt();
    a.pass(70, ["b"]);
    expect(a.verdict("s")).toBe("host-down");
  });

  it("tell one another that the kernel lives, once it has answered: the other's probes may have got lost", () => {
    inDoubt();
    a.say("b", doubt("s"));
    a.probe = () => "accepted";
    a.pass(PROBE_SOON + 5, ["b"]);
    expect(answersTo(a, "b")).toMatchObject([{ subject: "s", state: "silent", probe: "accepted" }]);
  });

  it("take back what they answered, though they had not asked themselves", () => {
    a = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) a.connect(peer);
    a.pass(1000, ["b", "s"]);
    a.pass(ENOUGH - 190);
    expect(a.verdict("s")).toBe("suspect");
    a.effects.length = 0;
    a.say("b", doubt("s"));
    a.beat("s", { seq: 100 });
    expect(answersTo(a, "b").map(({ state }) => state)).toEqual(["silent", "unknown"]);
  });

  it("begin anew where it is another doubt: what was said at the last death is over", () => {
    inDoubt();
    a.say("b", doubt("s"));
    a.pass(1000, ["b"]);
    expect(a.verdict("s")).toBe("host-down");
    const [death] = a.incidents("down");
    if (death === undefined) throw new Error("no incident");
    a.say("b", { t: "ledger", records: [resolutionOf(death, a.now)] });
    a.effects.length = 0;
    for (let at = 0; at < 10_000 && a.verdict("s") !== "suspect"; at += 10) a.pass(10, ["b"]);
    const { condition } = a.state.peers.get("s") ?? {};
    expect(condition?.kind === "suspect" && condition.inquiry.testimonies.size).toBe(0);
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
