import fc from "fast-check";
import { expect, test } from "vitest";
import { unwrap } from "../kit/result.ts";
import {
  encodeSigned,
  handoverText,
  openingText,
  parseSigned,
  type Roster,
  rankOf,
  rosterHash,
} from "./roster.ts";

const pin = (letter: string): string => letter.repeat(43);
const uuid = (digit: number): string => `0000000${digit}-0000-4000-8000-000000000000`;
const at = "2026-08-01T10:00:00.000Z";

const node = (digit: number): Roster["nodes"][number] => ({
  id: uuid(digit),
  name: `pve${digit}`,
  addresses: [`10.0.0.${digit}:7654`],
  pin: pin(String(digit)),
  added: at,
});

/** The root began with key F; S has opened a term since. */
const opening = (change: Partial<Roster["opening"]> = {}): Roster["opening"] => ({
  root: pin("R"),
  generation: 1,
  term: 1,
  signer: pin("F"),
  voids: [],
  signature: "s".repeat(86),
  ...change,
});
const revocation = (letter: string): Roster["revoked"][number] => ({
  pin: pin(letter),
  node: uuid(2),
  name: "pve2",
  at,
  reason: "stolen",
});
const handover: Roster["handovers"][number] = {
  from: pin("Q"),
  to: pin("R"),
  certificate: "PEM",
  signature: "s".repeat(86),
};
const rotation: Roster["rotation"] = { phase: "announced", root: pin("R"), since: at, waived: [uuid(2)] };
const recovery: Roster["recovery"] = {
  version: 1,
  mesh: uuid(0),
  rootCertificate: "PEM",
  salt: "s",
  nonce: "n",
  sealed: "x",
};

const roster: Roster = {
  schema: 1,
  mesh: uuid(0),
  generation: 1,
  term: 2,
  epoch: 1,
  previous: null,
  ancestors: [],
  issuedAt: at,
  keymaster: uuid(1),
  opening: opening(),
  roots: [{ pin: pin("R"), certificate: "PEM" }],
  handovers: [],
  succession: [{ node: uuid(1), pin: pin("S"), certificate: "PEM" }],
  nodes: [node(1), node(2)],
  revoked: [],
  crls: [],
  config: { version: 0, text: "" },
};

const encoded = (body: unknown): string =>
  encodeSigned({ body: JSON.stringify(body), signature: "s".repeat(86), signer: pin("S") });

test("what a rotation, a recovery file and a voided signer add is read as it was written", () => {
  const full: Roster = {
    ...roster,
    nodes: [node(1), { ...node(2), root: pin("R") }],
    opening: opening({ voids: [pin("V")] }),
    revoked: [{ ...revocation("V"), kind: "signer" }],
    crls: [{ root: pin("R"), pem: "-----BEGIN X509 CRL-----" }],
    handovers: [handover],
    rotation,
    recovery,
  };
  const parsed = unwrap(parseSigned(encoded(full)));
  expect(parsed.roster).toEqual(full);
  expect(rankOf(parsed)).toEqual({ generation: 1, term: 2, opener: "SSSSSSSS", epoch: 1 });
});

test("what the root signs differs in each thing it says", () => {
  const said = { generation: 1, term: 2, signer: pin("S"), voids: [pin("V")] };
  const texts = [
    openingText(uuid(0), said),
    openingText(uuid(1), said),
    openingText(uuid(0), { ...said, generation: 2 }),
    openingText(uuid(0), { ...said, term: 1 }),
    openingText(uuid(0), { ...said, signer: pin("V") }),
    openingText(uuid(0), { ...said, voids: [] }),
    handoverText(uuid(0), pin("V")),
    handoverText(uuid(1), pin("V")),
  ];
  expect(new Set(texts).size).toBe(texts.length);
});

test("the body is kept to the letter, fields of later releases included", () => {
  const text = encoded({ ...roster, later: { field: [1, 2] } });
  const parsed = unwrap(parseSigned(text));
  expect(parsed.encoded).toBe(text);
  expect(parsed.signed.body).toContain('"later":{"field":[1,2]}');
  expect(parsed.hash).toBe(rosterHash(parsed.signed.body));
  expect(parsed.roster).toEqual(roster);
});

test.each<[string, Record<string, unknown>, string]>([
  [
    "two nodes of one name",
    { nodes: [node(1), { ...node(2), name: "pve1" }] },
    "node name pve1 is in it twice",
  ],
  ["two nodes of one id", { nodes: [node(1), { ...node(2), id: uuid(1) }] }, "node id"],
  ["two nodes of one key", { nodes: [node(1), { ...node(2), pin: pin("1") }] }, "node key"],
  [
    "two nodes at one address",
    { nodes: [node(1), { ...node(2), addresses: node(1).addresses }] },
    "address 10.0.0.1:7654",
  ],
  ["a member whose key is revoked", { revoked: [revocation("2")] }, "node pve2 has a revoked key"],
  ["a signer whose key is revoked in it", { revoked: [revocation("S")] }, "signing key has been revoked"],
  [
    "a signer that the root has voided",
    { opening: opening({ voids: [pin("S")] }) },
    "signing key has been revoked",
  ],
  [
    "a successor that the root has voided",
    {
      opening: opening({ voids: [pin("V")] }),
      succession: [...roster.succession, { node: uuid(2), pin: pin("V"), certificate: "PEM" }],
    },
    "successor key VVV",
  ],
  ["a generation that is not its opening's", { generation: 2 }, "generation 2"],
  ["a term before the one the root opened", { opening: opening({ term: 3 }) }, "before its opening's 3"],
  ["a root-opened term under another key", { term: 1 }, "for another signing key"],
  ["an opening by a root it does not list", { opening: opening({ root: pin("O") }) }, "not among its roots"],
  [
    "a rotation to a root it does not list",
    { rotation: { ...rotation, root: pin("O") } },
    "not among its roots",
  ],
  ["a rotation in no known phase", { rotation: { ...rotation, phase: "half" } }, "rotation.phase"],
  ["another mesh's recovery file", { recovery: { ...recovery, mesh: uuid(7) } }, "another mesh"],
  ["a root twice", { roots: [...roster.roots, { pin: pin("R"), certificate: "other" }] }, "root key"],
  ["two handovers to one root", { handovers: [handover, { ...handover, from: pin("P") }] }, "handover to"],
  [
    "more handovers than 8",
    { handovers: Array.from({ length: 9 }, (_, i) => ({ ...handover, to: pin(String(i)) })) },
    "handovers",
  ],
  ["a CRL twice for one root", { crls: [1, 2].map(() => ({ root: pin("R"), pem: "" })) }, "root with a CRL"],
  ["a CRL of any length", { crls: [{ root: pin("R"), pem: "x".repeat(131_073) }] }, "crls.0.pem"],
  [
    "more voids than a mesh can ask for",
    { opening: opening({ voids: Array(257).fill(pin("V")) }) },
    "opening.voids",
  ],
  ["a revocation of no known kind", { revoked: [{ ...revocation("V"), kind: "root" }] }, "revoked.0.kind"],
  ["a previous that is not its first ancestor", { previous: "0".repeat(64) }, "previous"],
  ["an upper-case name", { nodes: [{ ...node(1), name: "PVE1" }] }, "nodes.0.name"],
  ["no node at all", { nodes: [] }, "nodes"],
  ["more nodes than a mesh may have", { nodes: Array.from({ length: 201 }, () => node(1)) }, "nodes"],
  ["term 0", { term: 0 }, "term"],
  ["a pin that is no hash", { roots: [{ pin: "short", certificate: "PEM" }] }, "roots.0.pin"],
])("refuses %s", (_what, change, message) => {
  const parsed = parseSigned(encoded({ ...roster, ...change }));
  expect(parsed).toMatchObject({ ok: false, error: { code: "roster-refused" } });
  expect(!parsed.ok && parsed.error.message).toContain(message);
});

test("refuses what is longer than 1 MiB before reading it", () => {
  const text = encoded({ ...roster, padding: "x".repeat(1_048_576) });
  expect(parseSigned(text)).toMatchObject({ ok: false, error: { code: "roster-refused" } });
});

test("a roster in a newer format says so", () => {
  expect(parseSigned(encoded({ ...roster, schema: 2 }))).toMatchObject({
    ok: false,
    error: { code: "version-unsupported" },
  });
});

test("no text makes the parser throw", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseSigned(text)));
  fc.assert(fc.property(fc.json(), (text) => void parseSigned(text)));
  fc.assert(fc.property(fc.jsonValue(), (body) => void parseSigned(encoded(body))));
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(roster)), fc.jsonValue(), (key, value) => {
      parseSigned(encoded({ ...roster, [key]: value }));
    }),
  );
});
