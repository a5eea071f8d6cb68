import { createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { issueIntermediate, issueRoot } from "../adapters/pki/issue.ts";
import { generateKey, spkiPin } from "../adapters/pki/keys.ts";
import { signOpening, signRoster, verifyFirstRoster } from "../adapters/pki/roster-signature.ts";
import { outranks } from "../core/roster.ts";
import { unwrap } from "../kit/result.ts";
import { wallTime } from "../kit/time.ts";
import {
  OPENING_VOIDS_MAX,
  type ParsedRoster,
  ROSTER_ANCESTORS_MAX,
  ROSTER_REVOKED_MAX,
  type Roster,
  type RosterRevocation,
  rankOf,
} from "../wire/roster.ts";
import { nextRoster, withRevoked } from "./roster-next.ts";
import { openTerm, withoutSigner } from "./roster-open.ts";

const mesh = randomUUID();
const [first, second] = [randomUUID(), randomUUID()];
const now = wallTime(Date.now());
const at = new Date(now).toISOString();
const rootKey = generateKey();

interface Signer {
  readonly key: KeyObject;
  readonly entry: Roster["succession"][number];
}
let keymaster: Signer;
let standby: Signer;
let current: ParsedRoster;

beforeAll(async () => {
  const certificate = await issueRoot(mesh, rootKey, now);
  const newSigner = async (node: string): Promise<Signer> => {
    const key = generateKey();
    const issued = await issueIntermediate(node, createPublicKey(key), { key: rootKey, certificate }, now);
    return { key, entry: { node, pin: spkiPin(createPublicKey(key)), certificate: issued } };
  };
  [keymaster, standby] = [await newSigner(first), await newSigner(second)];
  const opened = { generation: 1, term: 1, signer: keymaster.entry.pin, voids: [] };
  const roster: Roster = {
    schema: 1,
    mesh,
    generation: 1,
    term: 1,
    epoch: 1,
    previous: null,
    ancestors: [],
    issuedAt: at,
    keymaster: first,
    opening: signOpening(rootKey, mesh, opened),
    roots: [{ pin: spkiPin(createPublicKey(rootKey)), certificate }],
    handovers: [],
    succession: [keymaster.entry, standby.entry],
    nodes: [
      { id: first, name: "pve1", addresses: ["127.0.0.1:1"], pin: "1".repeat(43), added: at },
      { id: second, name: "pve2", addresses: ["127.0.0.2:1"], pin: "2".repeat(43), added: at },
    ],
    revoked: [],
    crls: [],
    config: { version: 3, text: "channels: []\n" },
  };
  current = sign(nextRoster(sign(roster, keymaster), {}, at), keymaster);
});

const sign = (roster: Roster, { key, entry }: Signer): ParsedRoster =>
  unwrap(signRoster(roster, key, entry.pin));
const byRoot = ({ entry }: Signer) => ({ by: "root", key: rootKey, signer: entry.pin }) as const;
const revocation = (pin: number, kind?: "signer"): RosterRevocation => ({
  pin: String(pin).padStart(43, "0"),
  node: first,
  name: "pve9",
  at,
  reason: "",
  ...(kind === undefined ? {} : { kind }),
});

test("a standby's term keeps what the roster held, and builds on it", () => {
  const opened = sign(openTerm(current, { by: "standby" }, { keymaster: second }, at), standby);
  expect(opened.roster).toMatchObject({
    generation: 1,
    term: 2,
    epoch: 1,
    keymaster: second,
    previous: current.hash,
    ancestors: [{ ...rankOf(current), hash: current.hash }, { epoch: 1 }],
    opening: current.roster.opening,
    nodes: current.roster.nodes,
    config: current.roster.config,
  });
  expect(verifyFirstRoster(opened, mesh).ok).toBe(true);
});

test("a root's term begins a generation with the key it names, and voids the one left out", () => {
  const without = withoutSigner(current.roster, keymaster.entry, { why: "pve1 burnt", at, suspected: true });
  const opened = openTerm(current, byRoot(standby), { ...without, keymaster: second }, at);
  expect(opened).toMatchObject({
    generation: 2,
    term: 2,
    epoch: 1,
    succession: [standby.entry],
    revoked: [
      {
        pin: keymaster.entry.pin,
        node: first,
        name: "pve1",
        reason: "pve1 burnt",
        suspected: true,
        kind: "signer",
      },
    ],
    opening: { generation: 2, term: 2, signer: standby.entry.pin, voids: [keymaster.entry.pin] },
  });
  expect(opened.revoked[0]?.serials?.[0]).toMatch(/^[0-9a-f]{32}$/);
  const signed = sign(opened, standby);
  expect(verifyFirstRoster(signed, mesh).ok).toBe(true);
  const later = openTerm(signed, byRoot(standby), { revoked: [] }, at);
  expect(later.opening.voids).toEqual([keymaster.entry.pin]);
});

test("a term's chain is as long as a roster may name, whoever signed it", () => {
  let roster = current;
  for (let taken = 0; taken < ROSTER_ANCESTORS_MAX + 2; taken += 1)
    roster = { ...roster, roster: openTerm(roster, { by: "standby" }, {}, at), hash: "0".repeat(64) };
  expect(roster.roster.ancestors).toHaveLength(ROSTER_ANCESTORS_MAX);
});

test("after a stolen key has counted to the end of all numbers, the root still opens a term", () => {
  const last = { ...current.roster, term: Number.MAX_SAFE_INTEGER };
  const stolen = sign(last, keymaster);
  expect(signRoster(openTerm(stolen, { by: "standby" }, {}, at), standby.key, standby.entry.pin).ok).toBe(
    false,
  );
  const opened = sign(openTerm(stolen, byRoot(standby), { keymaster: second }, at), standby);
  expect(opened.roster.term).toBe(1);
  expect(outranks(rankOf(opened), rankOf(stolen))).toBe(true);
});

test("of more voided keys than an opening may name the latest count", () => {
  const revoked = Array.from({ length: OPENING_VOIDS_MAX + 5 }, (_, pin) => revocation(pin, "signer"));
  const { voids } = openTerm(current, byRoot(standby), { revoked }, at).opening;
  expect(voids).toHaveLength(OPENING_VOIDS_MAX);
  expect(voids.at(-1)).toBe(revoked.at(-1)?.pin);
});

test("the oldest revoked keys of nodes are forgotten, never a signer's while one of those is left", () => {
  const signer = revocation(0, "signer");
  const nodes = Array.from({ length: ROSTER_REVOKED_MAX - 1 }, (_, place) => revocation(place + 1));
  const full = [signer, ...nodes];
  expect(withRevoked(full.slice(0, -1), revocation(5000))).toHaveLength(ROSTER_REVOKED_MAX);
  const after = withRevoked(full, revocation(5000), revocation(5001, "signer"));
  expect(after).toHaveLength(ROSTER_REVOKED_MAX);
  expect(after.slice(0, 2)).toEqual([signer, nodes[2]]);
  const signers = Array.from({ length: ROSTER_REVOKED_MAX }, (_, pin) => revocation(pin, "signer"));
  expect(withRevoked(signers, revocation(5000, "signer")).slice(0, 1)).toEqual([revocation(1, "signer")]);
});

test("a key that is revoked again is in the list once, as said last", () => {
  const again = { ...revocation(1, "signer"), reason: "and stolen" };
  expect(withRevoked([revocation(1), revocation(2)], again)).toEqual([revocation(2), again]);
});
