import { describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { nextWakeAt } from "./node.ts";

/** A node that hears b and c for a second, and from then on only c. */
function withSilentPeer(): LoneNode {
  const node = new LoneNode(["a", "b", "c"]);
  for (const peer of ["b", "c"]) node.connect(peer);
  node.pass(1000, ["b", "c"]);
  return node;
}

/** The next wake-up comes this much too late. */
function oversleep(node: LoneNode, lateMs: number): void {
  node.now = (nextWakeAt(node.state) ?? node.now) + lateMs;
  node.input({ type: "wake" });
}

const isSuspected = (node: LoneNode, peer: string): boolean =>
  node.state.peers.get(peer)?.condition.kind === "suspect";

describe("a node that is short of processor time", () => {
  it("gives the others longer than one that wakes in time", () => {
    const punctual = withSilentPeer();
    punctual.pass(450, ["c"]);
    expect(isSuspected(punctual, "b")).toBe(true);

    const late = withSilentPeer();
    oversleep(late, 150);
    late.pass(1450 - late.now, ["c"]);
    expect(isSuspected(late, "b")).toBe(false);
    late.pass(400, ["c"]);
    expect(isSuspected(late, "b")).toBe(true);
  });

  it("takes in all that has arrived before it doubts anyone", () => {
    // Both are silent until just before that would make a doubt; then their beats wait to be read, a little too long.
    const doubting = withSilentPeer();
    while (!isSuspected(doubting, "c")) doubting.pass(2);
    const almost = doubting.now - 1000 - 4;

    const inTurn = withSilentPeer();
    inTurn.pass(almost);
    inTurn.now += 8;
    inTurn.beat("b");
    expect(isSuspected(inTurn, "c")).toBe(true);

    const together = withSilentPeer();
    together.pass(almost);
    together.now += 8;
    together.gather(() => {
      together.beat("b");
      together.beat("c");
    });
    expect(isSuspected(together, "b") || isSuspected(together, "c")).toBe(false);
  });

  it("is as quick as before once it has woken in time for a while", () => {
    const node = withSilentPeer();
    oversleep(node, 150);
    node.pass(2500, ["b", "c"]);
    node.pass(700, ["c"]);
    expect(isSuspected(node, "b")).toBe(true);
  });
});

describe("questions about a subject in doubt", () => {
  const asks = (node: LoneNode, to: string): number =>
    node.effects.filter(
      (effect) =>
        effect.type === "send" &&
        effect.to === to &&
        effect.plane === "datagram" &&
        effect.envelope.message.t === "ask",
    ).length;

  it("are repeated less and less often: whoever is slow must not drown in them", () => {
    const node = new LoneNode(["a", "b", "c", "d"]);
    for (const peer of ["b", "c", "d"]) node.connect(peer);
    node.pass(1000, ["b", "c", "d"]);
    node.uplink = undefined;
    node.pass(640, ["c", "d"]);
    const before = asks(node, "c");
    node.pass(300, ["c", "d"]);
    expect(before).toBeGreaterThan(0);
    expect(asks(node, "c")).toBeLessThanOrEqual(8);
  });
});
