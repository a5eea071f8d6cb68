import { createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { type Result, unwrap } from "../../kit/result.ts";
import { wallTime } from "../../kit/time.ts";
import {
  encodeSigned,
  type ParsedRoster,
  parseSigned,
  type Roster,
  type RosterHandover,
} from "../../wire/roster.ts";
import { issueIntermediate, issueLeaf, issueRoot } from "./issue.ts";
import { generateKey, signText, spkiPin } from "./keys.ts";
import {
  formerRoots,
  heldRoster,
  rootAbove,
  rosterFacts,
  signHandover,
  signOpening,
  signRoster,
  verifyFirstRoster,
} from "./roster-signature.ts";

const mesh = randomUUID();
const node = randomUUID();
const now = wallTime(Date.now());
const at = new Date(now).toISOString();

interface Signer {
  readonly key: KeyObject;
  readonly pin: string;
  readonly certificate: string;
}
let root: Signer;
let otherRoot: Signer;
let thirdRoot: Signer;
let signer: Signer;
/** Another key than `signer`, under the other root. */
let foreign: Signer;
let first: Roster;

async function newRoot(): Promise<Signer> {
  const key = generateKey();
  return { key, pin: spkiPin(createPublicKey(key)), certificate: await issueRoot(mesh, key, now) };
}
async function newSigner(authority: Signer, key: KeyObject = generateKey()): Promise<Signer> {
  const certificate = await issueIntermediate(node, createPublicKey(key), authority, now);
  return { key, pin: spkiPin(createPublicKey(key)), certificate };
}
const entry = ({ pin, certificate }: Signer): Roster["succession"][number] => ({ node, pin, certificate });
const listed = (...roots: readonly Signer[]): Roster["roots"] =>
  roots.map(({ pin, certificate }) => ({ pin, certificate }));
const opening = (by: Signer, who: Signer, generation = 1, term = 1): Roster["opening"] =>
  signOpening(by.key, mesh, { generation, term, signer: who.pin, voids: [] });
const handover = (from: Signer, to: Signer): RosterHandover =>
  unwrap(signHandover(from.key, mesh, to.certificate));

beforeAll(async () => {
  [root, otherRoot, thirdRoot] = [await newRoot(), await newRoot(), await newRoot()];
  [signer, foreign] = [await newSigner(root), await newSigner(otherRoot)];
  first = {
    schema: 1,
    mesh,
    generation: 1,
    term: 1,
    epoch: 1,
    previous: null,
    ancestors: [],
    issuedAt: at,
    keymaster: node,
    opening: opening(root, signer),
    roots: listed(root),
    handovers: [],
    succession: [entry(signer)],
    nodes: [{ id: node, name: "pve1", addresses: ["127.0.0.1:1"], pin: "1".repeat(43), added: at }],
    revoked: [],
    crls: [],
    config: { version: 0, text: "" },
  };
});

const signed = (changes: Partial<Roster> = {}, by: Signer = signer): ParsedRoster =>
  unwrap(signRoster({ ...first, ...changes }, by.key, by.pin));
/** A generation on, as the other root would begin it when it has taken over. */
const underOther = (changes: Partial<Roster> = {}): ParsedRoster => {
  const opened = { generation: 2, term: 2, opening: opening(otherRoot, foreign, 2, 2) };
  return signed({ ...opened, roots: listed(otherRoot), succession: [entry(foreign)], ...changes }, foreign);
};
const verify = (parsed: ParsedRoster, rootPin?: string): Result<ParsedRoster> =>
  verifyFirstRoster(parsed, mesh, rootPin);
const refused = (message: string): object => ({
  ok: false,
  error: { code: "roster-refused", message: expect.stringContaining(message) },
});
const ALL_TRUE = { signatureValid: true, rootsTrusted: true, successionProven: true, openingProven: true };
const NOTHING = { signatureValid: false, rootsTrusted: false, successionProven: false, openingProven: false };

test("a first roster holds under the root it was made with, known beforehand or not", () => {
  expect(verify(signed(), root.pin).ok).toBe(true);
  expect(verify(signed()).ok).toBe(true);
});

test("a first roster of another mesh, or under another root than the one pinned, is refused", () => {
  expect(verifyFirstRoster(signed(), randomUUID())).toMatchObject(refused("belongs to mesh"));
  expect(verify(signed(), otherRoot.pin)).toMatchObject(refused("signature"));
});

test("a root listed beside the pinned one vouches for nobody", () => {
  const offered = underOther({ roots: listed(root, otherRoot) });
  expect(verify(offered, root.pin)).toMatchObject(refused("signature"));
  expect(verify(offered).ok).toBe(true);
});

test("a certificate listed under the pinned root's hash does not become it", () => {
  const roots = [{ pin: root.pin, certificate: otherRoot.certificate }];
  const opened = signOpening(otherRoot.key, mesh, { generation: 1, term: 1, signer: foreign.pin, voids: [] });
  const change = { roots, succession: [entry(foreign)], opening: { ...opened, root: root.pin } };
  expect(verify(signed(change, foreign), root.pin).ok).toBe(false);
  expect(rosterFacts(signed({ roots }), first.roots)).toMatchObject(NOTHING);
});

test("a trusted root's key in another certificate is another root", async () => {
  const again = { ...root, certificate: await issueRoot(mesh, root.key, now) };
  expect(rosterFacts(signed({ roots: listed(again) }), first.roots)).toMatchObject(NOTHING);
});

test("a first roster whose signature, successors, opening or signer do not hold is refused", () => {
  const body = JSON.stringify({ ...first, epoch: 2 });
  const forged = encodeSigned({ body, signature: signText(generateKey(), body), signer: signer.pin });
  expect(verify(unwrap(parseSigned(forged)))).toMatchObject(refused("signature"));
  expect(verify(signed({ succession: [entry(signer), entry(foreign)] }))).toMatchObject(refused("successor"));
  const opened = { ...first.opening, generation: 2 };
  expect(verify(signed({ generation: 2, opening: opened }))).toMatchObject(
    refused("did not open generation 2"),
  );
});

test.each<[string, () => Partial<Roster["opening"]>]>([
  ["another term", () => ({ term: 1 })],
  ["a key it voided, left out", () => ({ voids: [] })],
  ["another key", () => ({ signer: foreign.pin })],
  ["another root's signature", () => ({ signature: opening(otherRoot, signer).signature })],
])("an opening is as the root signed it: not with %s", (_what, change) => {
  const voids = ["V".repeat(43)];
  const genuine = signOpening(root.key, mesh, { generation: 1, term: 2, signer: signer.pin, voids });
  const facts = (opened: Roster["opening"]) => rosterFacts(signed({ term: 3, opening: opened }), first.roots);
  expect(facts(genuine)).toMatchObject(ALL_TRUE);
  expect(facts({ ...genuine, ...change() })).toMatchObject({ ...ALL_TRUE, openingProven: false });
});

test("a key that the root voided can sign nothing of that generation", () => {
  const voided = signOpening(root.key, mesh, {
    generation: 2,
    term: 2,
    signer: foreign.pin,
    voids: [signer.pin],
  });
  expect(
    signRoster({ ...first, generation: 2, term: 9, opening: voided }, signer.key, signer.pin),
  ).toMatchObject(refused("signing key has been revoked"));
});

test("a successor's certificate must be for the key it is listed with", () => {
  const other = { ...signer, key: generateKey() };
  const swapped = { ...other, pin: spkiPin(createPublicKey(other.key)) };
  const opened = opening(root, swapped);
  expect(
    rosterFacts(signed({ succession: [entry(swapped)], opening: opened }, swapped), first.roots),
  ).toMatchObject({ signatureValid: false, successionProven: false });
});

test("a certificate that is not a CA's makes no successor, even when the root itself signed it", async () => {
  const key = generateKey();
  const certificate = await issueLeaf({ mesh, node }, createPublicKey(key), root, now);
  const leaf = { key, pin: spkiPin(createPublicKey(key)), certificate };
  const offered = signed({ succession: [entry(leaf)], opening: opening(root, leaf) }, leaf);
  expect(rosterFacts(offered, first.roots)).toMatchObject({ signatureValid: false, successionProven: false });
});

test("a root that the trusted one handed over to is trusted, over several steps and in any order", async () => {
  expect(rosterFacts(underOther({ handovers: [handover(root, otherRoot)] }), first.roots)).toMatchObject(
    ALL_TRUE,
  );
  const last = await newSigner(thirdRoot, signer.key);
  const steps = [handover(otherRoot, thirdRoot), handover(root, otherRoot)];
  const opened = { generation: 3, term: 3, opening: opening(thirdRoot, last, 3, 3) };
  const rotated = { ...opened, roots: listed(thirdRoot), succession: [entry(last)] };
  expect(rosterFacts(signed({ ...rotated, handovers: steps }, last), first.roots)).toMatchObject(ALL_TRUE);
  expect(rosterFacts(signed({ ...rotated, handovers: steps.toReversed() }, last), first.roots)).toMatchObject(
    ALL_TRUE,
  );
  expect(rosterFacts(signed({ ...rotated, handovers: steps.slice(0, 1) }, last), first.roots)).toMatchObject(
    NOTHING,
  );
});

test("while both roots are listed, a joiner that knows only the old one believes the new by the handover", () => {
  const both = { roots: listed(root, otherRoot), handovers: [handover(root, otherRoot)] };
  expect(verify(underOther(both), root.pin).ok).toBe(true);
  expect(verify(underOther(both), otherRoot.pin).ok).toBe(true);
  expect(verify(underOther({ ...both, handovers: [] }), root.pin)).toMatchObject(refused("signature"));
});

test("roots that were left are known by what they handed over to, over several steps and in any order", () => {
  const steps = [handover(root, otherRoot), handover(otherRoot, thirdRoot)];
  const held = { ...first, roots: listed(thirdRoot), handovers: steps };
  const listedThen = listed(root, otherRoot, thirdRoot);
  for (const handovers of [steps, steps.toReversed()])
    expect(formerRoots(listedThen, { ...held, handovers })).toEqual(listed(root, otherRoot));
  expect(formerRoots(listed(root), held)).toEqual(listed(root));
  expect(formerRoots(listed(root), { ...held, handovers: steps.slice(0, 1) })).toEqual([]);
  expect(formerRoots(listed(root), { ...held, handovers: steps.slice(1) })).toEqual([]);
  // What was handed over from there leads back to nowhere.
  expect(formerRoots(listed(thirdRoot), { ...held, roots: listed(root) })).toEqual([]);
  const forged = { ...handover(otherRoot, thirdRoot), from: root.pin };
  expect(formerRoots(listed(root), { ...held, handovers: [forged] })).toEqual([]);
  const elsewhere = unwrap(signHandover(root.key, randomUUID(), thirdRoot.certificate));
  expect(formerRoots(listed(root), { ...held, handovers: [elsewhere] })).toEqual([]);
  const named = [{ pin: root.pin, certificate: otherRoot.certificate }];
  expect(formerRoots(named, { ...held, handovers: [handover(root, thirdRoot)] })).toEqual([]);
});

test.each<[string, () => Partial<RosterHandover>]>([
  ["another key's signature", () => ({ signature: handover(otherRoot, otherRoot).signature })],
  ["the old root's signature about another root", () => ({ signature: handover(root, thirdRoot).signature })],
  ["another root's certificate", () => ({ certificate: thirdRoot.certificate })],
  [
    "the old root's signature in another mesh",
    () => ({
      signature: unwrap(signHandover(root.key, randomUUID(), otherRoot.certificate)).signature,
    }),
  ],
  ["a giver nobody trusts", () => handover(thirdRoot, otherRoot)],
  ["text instead of a certificate", () => ({ certificate: "PEM" })],
])("a handover with %s leads nowhere", (_what, change) => {
  const forged = { ...handover(root, otherRoot), ...change() };
  expect(rosterFacts(underOther({ handovers: [forged] }), first.roots)).toMatchObject(NOTHING);
});

test("a new root's own word for itself is no handover", async () => {
  expect(rosterFacts(underOther({ handovers: [handover(otherRoot, otherRoot)] }), first.roots)).toMatchObject(
    NOTHING,
  );
});

test("what only a root vouches for that the roster no longer lists is not proven", () => {
  const offered = signed({
    generation: 2,
    term: 2,
    opening: opening(otherRoot, signer, 2, 2),
    roots: listed(otherRoot),
    handovers: [handover(root, otherRoot)],
  });
  expect(rosterFacts(offered, first.roots)).toMatchObject({
    ...ALL_TRUE,
    signatureValid: false,
    successionProven: false,
  });
});

test("of the roster held, both what it revokes and what its opening voids is remembered", () => {
  const voids = ["V".repeat(43)];
  const opened = signOpening(root.key, mesh, { generation: 1, term: 1, signer: signer.pin, voids });
  const revoked = [{ pin: "W".repeat(43), node, name: "pve1", at, reason: "stolen" }];
  expect(heldRoster(signed({ opening: opened, revoked })).revoked).toEqual(["W".repeat(43), "V".repeat(43)]);
});

test("the root above a certificate is found by its signature", async () => {
  const again = await newSigner(otherRoot, signer.key);
  const roots = listed(root, otherRoot);
  expect(rootAbove(signer.certificate, roots)).toBe(root.pin);
  expect(rootAbove(again.certificate, roots)).toBe(otherRoot.pin);
  expect(rootAbove(again.certificate, listed(root))).toBeUndefined();
  expect(rootAbove("PEM", roots)).toBeUndefined();
});

test("nothing is signed that others would refuse to read", () => {
  expect(signRoster({ ...first, nodes: [] }, signer.key, signer.pin).ok).toBe(false);
});
