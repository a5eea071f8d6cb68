import { expect, test } from "vitest";
import { decideRoster, type HeldRoster, type RosterCandidate, type RosterRefusal } from "./roster.ts";

const held: HeldRoster = {
  mesh: "mesh",
  term: 3,
  epoch: 7,
  hash: "h7",
  signer: "keymaster",
  succession: ["keymaster", "standby"],
  revoked: ["thief"],
  roots: ["root"],
};

const next: RosterCandidate = {
  mesh: "mesh",
  term: 3,
  epoch: 8,
  hash: "h8",
  signer: "keymaster",
  signatureValid: true,
  rootProof: true,
  successionProven: true,
  previous: "h7",
  ancestors: [{ term: 3, epoch: 7, hash: "h7" }],
  roots: ["root"],
};

/** Two epochs were missed; the chain still shows ours. */
const leap: Partial<RosterCandidate> = {
  epoch: 10,
  hash: "h10",
  previous: "h9",
  ancestors: [
    { term: 3, epoch: 9, hash: "h9" },
    { term: 3, epoch: 8, hash: "h8" },
    { term: 3, epoch: 7, hash: "h7" },
  ],
};
const takeover: Partial<RosterCandidate> = { term: 4, epoch: 1, hash: "t4", previous: "h6", ancestors: [] };

test.each<[string, Partial<RosterCandidate>, "adopt" | "same" | RosterRefusal]>([
  ["the next epoch on ours", {}, "adopt"],
  ["the one we hold", { epoch: 7, hash: "h7", previous: "h6" }, "same"],
  ["epochs later, ours among its ancestors", leap, "adopt"],
  ["a mesh of the same shape", { mesh: "other" }, "other-mesh"],
  ["a signature that does not fit", { signatureValid: false }, "bad-signature"],
  ["a revoked key, however entitled", { signer: "thief", term: 9, rootProof: true }, "revoked-signer"],
  ["an earlier epoch", { epoch: 6, hash: "h6", previous: "h5" }, "older"],
  ["an earlier term with a later epoch", { term: 2, epoch: 99 }, "older"],
  ["our rank with other content", { epoch: 7, hash: "h7'" }, "fork"],
  ["the next epoch on something else", { previous: "h7'" }, "broken-chain"],
  [
    "the next epoch on something else that lists ours",
    { previous: "h7'", ancestors: leap.ancestors ?? [] },
    "broken-chain",
  ],
  [
    "epochs later, another at our place",
    { ...leap, ancestors: [{ term: 3, epoch: 7, hash: "h7'" }] },
    "broken-chain",
  ],
  [
    "epochs later, our hash at another place",
    { ...leap, ancestors: [{ term: 3, epoch: 8, hash: "h7" }] },
    "broken-chain",
  ],
  ["epochs later, with no chain down to ours", { ...leap, ancestors: [] }, "broken-chain"],
  ["a second signer within the term", { signer: "standby" }, "second-signer"],
  ["a later term, opened by the root with a key new to us", { ...takeover, signer: "new" }, "adopt"],
  ["a later term, opened by our standby", { ...takeover, signer: "standby", rootProof: false }, "adopt"],
  [
    "a later term by a key outside the succession",
    { ...takeover, signer: "new", rootProof: false },
    "outside-succession",
  ],
  ["a root we do not trust", { roots: ["root", "another"] }, "new-root"],
  ["a root we do not trust, in a later term", { ...takeover, roots: ["another"] }, "new-root"],
  ["a successor nobody vouches for", { successionProven: false }, "unproven-successor"],
])("decides about %s", (_what, change, expected) => {
  const decision = decideRoster(held, { ...next, ...change });
  expect(decision.decision === "refuse" ? decision.reason : decision.decision).toBe(expected);
});
