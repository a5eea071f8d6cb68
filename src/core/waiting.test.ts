/** A node that no roster holds: a keymaster that has lost had let it in. */
import { expect, test } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";

const MEMBERS = ["a", "b", "s"];

/** It goes by another roster from now on, with these members. */
function goesBy(node: LoneNode, names: readonly string[], epoch: number): void {
  const all = node.state.roster.members;
  node.input({
    type: "roster",
    roster: { ...node.state.roster, epoch, members: all.filter(({ id }) => names.includes(id)) },
  });
}

test("it holds nobody for dead, says nothing, and watches again once a roster holds it", () => {
  const node = new LoneNode(MEMBERS);
  node.connect("b");
  node.connect("s");
  node.pass(1000, ["b", "s"]);
  const whole = node.state.roster;
  goesBy(node, ["b", "s"], 2);
  node.pass(60_000, []);
  expect(node.told()).toEqual([]);
  expect(node.state.isolated?.detail).toContain("waits to be confirmed");
  for (const peer of node.state.peers.values()) expect(peer.condition.kind).not.toBe("down");
  // An uplink that is there does not end it.
  node.input({ type: "uplink", uplink: { up: true, detail: "the gateway answers" } });
  expect(node.state.isolated).toBeDefined();
  node.input({ type: "roster", roster: { ...whole, epoch: 3 } });
  expect(node.state.isolated).toBeUndefined();
  node.pass(1000, ["b", "s"]);
  expect(node.told()).toEqual([]);
});
