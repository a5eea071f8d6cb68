import fc from "fast-check";
import { expect, test } from "vitest";
import { unwrap } from "../kit/result.ts";
import { encodeSigned, parseSigned, type Roster, rosterHash } from "./roster.ts";

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

const roster: Roster = {
  schema: 1,
  mesh: uuid(0),
  term: 1,
  epoch: 1,
  previous: null,
  ancestors: [],
  issuedAt: at,
  keymaster: uuid(1),
  termProof: { by: "standby" },
  roots: [{ pin: pin("R"), certificate: "PEM" }],
  succession: [{ node: uuid(1), pin: pin("S"), certificate: "PEM" }],
  nodes: [node(1), node(2)],
  revoked: [],
  config: { version: 0, text: "" },
};

const encoded = (body: unknown): string =>
  encodeSigned({ body: JSON.stringify(body), signature: "s".repeat(86), signer: pin("S") });

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
  [
    "a member whose key is revoked",
    { revoked: [{ pin: pin("2"), node: uuid(2), name: "pve2", at, reason: "stolen" }] },
    "node pve2 has a revoked key",
  ],
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
