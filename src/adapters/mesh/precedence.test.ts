import { expect, it } from "vitest";
import type { NodeId } from "../../core/types.ts";
import type { Hello } from "../../wire/peer-hello.ts";
import type { Role } from "./datagram-box.ts";
import { type Contender, supersedes } from "./precedence.ts";

const LOW = "1111" as NodeId;
const HIGH = "9999" as NodeId;
const contender = (name: string, role: Role, hello: Partial<Hello> = {}): Contender => ({
  name,
  role,
  hello: { versions: { min: 1, max: 1 }, life: "a", udpPort: 1, ...hello },
});

it.each<[string, Contender, Contender, boolean]>([
  ["both dialled, the newer is the lower id's", contender("n", "client"), contender("c", "server"), true],
  ["both dialled, the current is the lower id's", contender("n", "server"), contender("c", "client"), false],
  ["the same side dialled again", contender("n", "server"), contender("c", "server"), true],
  ["the peer restarted", contender("n", "server", { life: "b" }), contender("c", "client"), true],
  [
    "the current one is over for the peer",
    contender("n", "server", { ended: "c" }),
    contender("c", "client"),
    true,
  ],
  [
    "an older one is over for the peer",
    contender("n", "server", { ended: "b" }),
    contender("c", "client"),
    false,
  ],
  [
    "this node gave the current one up when it dialled",
    { ...contender("n", "server"), saidEnded: "c" },
    contender("c", "client"),
    true,
  ],
])("%s", (_when, newer, current, stays) => {
  expect(supersedes(newer, current, LOW, HIGH)).toBe(stays);
});

it("of two dialled at once, both ends keep the same one, in whatever order they are greeted", () => {
  const dialledByLow = { atLow: contender("x", "client"), atHigh: contender("x", "server") };
  const dialledByHigh = { atLow: contender("y", "server"), atHigh: contender("y", "client") };
  expect(supersedes(dialledByLow.atLow, dialledByHigh.atLow, LOW, HIGH)).toBe(true);
  expect(supersedes(dialledByHigh.atLow, dialledByLow.atLow, LOW, HIGH)).toBe(false);
  expect(supersedes(dialledByLow.atHigh, dialledByHigh.atHigh, HIGH, LOW)).toBe(true);
  expect(supersedes(dialledByHigh.atHigh, dialledByLow.atHigh, HIGH, LOW)).toBe(false);
});
