import { createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { type Result, unwrap } from "../../kit/result.ts";
import { wallTime } from "../../kit/time.ts";
import { encodeSigned, type ParsedRoster, parseSigned, type Roster } from "../../wire/roster.ts";
import { issueIntermediate, issueLeaf, issueRoot } from "./issue.ts";
import { generateKey, signText, spkiPin } from "./keys.ts";
import { heldRoster, rosterFacts, signRoster, signTermProof, verifyFirstRoster } from "./roster-signature.ts";

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
let signer: Signer;
let first: Roster;

async function newRoot(): Promise<Signer> {
  const key = generateKey();
  return { key, pin: spkiPin(createPublicKey(key)), certificate: await issueRoot(mesh, key, now) };
}
async function newSigner(authority: Signer): Promise<Signer> {
  const key = generateKey();
  const certificate = await issueIntermediate(node, createPublicKey(key), authority, now);
  return { key, pin: spkiPin(createPublicKey(key)), certificate };
}
const entry = ({ pin, certificate }: Signer): Roster["succession"][number] => ({ node, pin, certificate });

beforeAll(async () => {
  root = await newRoot();
  otherRoot = await newRoot();
  signer = await newSigner(root);
  first = {
    schema: 1,
    mesh,
    term: 1,
    epoch: 1,
    previous: null,
    ancestors: [],
    issuedAt: at,
    keymaster: node,
    termProof: { by: "root", root: root.pin, signature: signTermProof(root.key, mesh, 1, signer.pin) },
    roots: [{ pin: root.pin, certificate: root.certificate }],
    succession: [entry(signer)],
    nodes: [{ id: node, name: "pve1", addresses: ["127.0.0.1:1"], pin: "1".repeat(43), added: at }],
    revoked: [],
    config: { version: 0, text: "" },
  };
});

const signed = (changes: Partial<Roster> = {}, by: Signer = signer): ParsedRoster =>
  unwrap(signRoster({ ...first, ...changes }, by.key, by.pin));
const verify = (parsed: ParsedRoster, rootPin?: string): Result<ParsedRoster> =>
  verifyFirstRoster(parsed, mesh, rootPin);
const refused = (message: string): object => ({
  ok: false,
  error: { code: "roster-refused", message: expect.stringContaining(message) },
});

test("a first roster holds under the root it was made with, known beforehand or not", () => {
  expect(verify(signed(), root.pin).ok).toBe(true);
  expect(verify(signed()).ok).toBe(true);
});

test("a first roster of another mesh, or under another root than the one pinned, is refused", () => {
  expect(verifyFirstRoster(signed(), randomUUID())).toMatchObject(refused("belongs to mesh"));
  expect(verify(signed(), otherRoot.pin)).toMatchObject(refused("signature"));
});

test("a root listed beside the pinned one vouches for nobody", async () => {
  const foreign = await newSigner(otherRoot);
  const roots = [root, otherRoot].map(({ pin, certificate }) => ({ pin, certificate }));
  const proof = signTermProof(otherRoot.key, mesh, 1, foreign.pin);
  const termProof = { by: "root", root: otherRoot.pin, signature: proof } as const;
  const offered = signed({ roots, succession: [entry(foreign)], termProof }, foreign);
  expect(verify(offered, root.pin)).toMatchObject(refused("signature"));
  expect(verify(offered).ok).toBe(true);
});

test("a certificate listed under the pinned root's hash does not become it", async () => {
  const foreign = await newSigner(otherRoot);
  const roots = [{ pin: root.pin, certificate: otherRoot.certificate }];
  const proof = signTermProof(otherRoot.key, mesh, 1, foreign.pin);
  const termProof = { by: "root", root: root.pin, signature: proof } as const;
  expect(verify(signed({ roots, succession: [entry(foreign)], termProof }, foreign), root.pin).ok).toBe(
    false,
  );
  expect(heldRoster(signed({ roots })).roots).not.toEqual(heldRoster(signed()).roots);
});

test("a first roster whose signature, successors, term or signer do not hold is refused", async () => {
  const body = JSON.stringify({ ...first, epoch: 2 });
  const forged = encodeSigned({ body, signature: signText(generateKey(), body), signer: signer.pin });
  expect(verify(unwrap(parseSigned(forged)))).toMatchObject(refused("signature"));
  const foreign = await newSigner(otherRoot);
  expect(verify(signed({ succession: [entry(signer), entry(foreign)] }))).toMatchObject(refused("successor"));
  expect(verify(signed({ term: 2 }))).toMatchObject(refused("did not open term 2"));
  const revoked = [{ pin: signer.pin, node, name: "pve1", at, reason: "stolen" }];
  expect(verify(signed({ revoked }))).toMatchObject(refused("revoked"));
});

test("a successor's certificate must be for the key it is listed with", () => {
  const other = { ...signer, key: generateKey() };
  const swapped = { ...other, pin: spkiPin(createPublicKey(other.key)) };
  expect(rosterFacts(signed({ succession: [entry(swapped)] }, swapped), first.roots)).toMatchObject({
    signatureValid: false,
    successionProven: false,
  });
});

test("a certificate that is not a CA's makes no successor, even when the root itself signed it", async () => {
  const key = generateKey();
  const certificate = await issueLeaf({ mesh, node }, createPublicKey(key), root, now);
  const leaf = { key, pin: spkiPin(createPublicKey(key)), certificate };
  expect(rosterFacts(signed({ succession: [entry(leaf)] }, leaf), first.roots)).toMatchObject({
    signatureValid: false,
    successionProven: false,
  });
});

test("nothing is signed that others would refuse to read", () => {
  expect(signRoster({ ...first, nodes: [] }, signer.key, signer.pin).ok).toBe(false);
});
