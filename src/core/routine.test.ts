import { expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { nextWakeAt } from "./node.ts";

/** Three nodes that hear one another, and nothing under way. */
function calm(): LoneNode {
  const node = new LoneNode(["a", "b", "c"]);
  for (const peer of ["b", "c"]) node.connect(peer);
  node.pass(1050, ["b", "c"]);
  return node;
}

it("a beat that changes nothing leaves the other deadlines alone", () => {
  const node = calm();
  const before = nextWakeAt(node.state);
  node.now += 10;
  node.beat("b");
  expect(nextWakeAt(node.state)).toBe(before);
});

it("a peer whose own pace is faster is missed after its own silence, though it beats among others", () => {
  const node = calm();
  const before = nextWakeAt(node.state);
  node.now += 10;
  node.beat("b", { period: 20 });
  expect(nextWakeAt(node.state)).toBeLessThan(before ?? 0);
});

it("a beat that tells this node that it was held for dead is acted upon at once", () => {
  const node = calm();
  node.now += 10;
  node.beat("b", { view: "host-down" });
  expect(node.state.incarnation).toBe(2);
  const beats = node.effects.flatMap((effect) =>
    effect.type === "send" && effect.envelope.message.t === "beat" ? [effect.envelope.message] : [],
  );
  expect(beats.at(-1)?.incarnation).toBe(2);
});
