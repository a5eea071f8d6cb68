import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { type Chain, makeChain, publicOf } from "../../test/contract/issued-chain.ts";
import { type ReadCrl, readCrls } from "../adapters/pki/crl-reading.ts";
import { type Issuer, issueIntermediate, issueRoot } from "../adapters/pki/issue.ts";
import { generateKey, spkiPin } from "../adapters/pki/keys.ts";
import { unwrap } from "../kit/result.ts";
import { days, isoTime, minutes, type WallTime, wallTime } from "../kit/time.ts";
import { CRL_CHARS_MAX, type Roster, type RosterCrl, type RosterRevocation } from "../wire/roster.ts";
import { CRL_ENTRIES_MAX, firstCrls, nextCrls, withVoided } from "./crl-desk.ts";
import { crlsReport } from "./crl-views.ts";
import type { Signer } from "./signer.ts";

const mesh = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
const node = "5c2e6b8e-1111-4c55-9f0e-0c7d1f3f9a11";
const now = wallTime(Date.UTC(2026, 10, 22, 3));
type Part = Pick<Roster, "roots" | "succession" | "revoked" | "crls">;

let chain: Chain;
let first: Part;
beforeAll(async () => {
  chain = await makeChain({ mesh, node }, now);
  const root = rootEntry(chain.root);
  first = {
    roots: [root],
    succession: [successor(chain.signer)],
    revoked: [],
    crls: firstCrls({ ...chain.root, pin: root.pin }, chain.signer, now),
  };
});

const rootEntry = ({ key, certificate }: Issuer): Roster["roots"][number] => ({
  pin: spkiPin(publicOf(key)),
  certificate,
});
const successor = (signer: Issuer): Roster["succession"][number] => ({ node, ...rootEntry(signer) });
const asSigner = (issuer: Issuer): Signer => ({ ...issuer, pin: spkiPin(publicOf(issuer.key)) });
const later = (length: number): WallTime => wallTime(now + length);
const next = (part: Part, at: WallTime = now, signer: Issuer = chain.signer): readonly RosterCrl[] =>
  nextCrls(part, asSigner(signer), at);
const listsIn = (crls: readonly RosterCrl[], at = 0): readonly ReadCrl[] =>
  unwrap(readCrls(crls[at]?.pem ?? ""));
const by = (crls: readonly RosterCrl[], { key }: Issuer, at = 0): readonly ReadCrl[] =>
  listsIn(crls, at).filter((list) => list.isSignedBy(publicOf(key)));
const revocation = (more: Partial<RosterRevocation> = {}): RosterRevocation => ({
  pin: "p".repeat(43),
  node,
  name: "pve2",
  at: isoTime(now),
  reason: "",
  serials: ["4a"],
  ...more,
});

test("a new mesh has an empty list of its signer and one of its root", () => {
  expect(listsIn(first.crls).map(({ entries }) => entries)).toEqual([[], []]);
  expect(by(first.crls, chain.signer)).toHaveLength(1);
  expect(by(first.crls, chain.root)).toHaveLength(1);
});

test("while nothing is due the lists stay the same to the letter", () => {
  expect(next(first)).toBe(first.crls);
  expect(next(first, later(days(14)))).toBe(first.crls);
});

test("half of its time over, a list is made anew with a higher number; the root's stays", () => {
  const crls = next(first, later(days(15)));
  const [before] = by(first.crls, chain.signer);
  const [after] = by(crls, chain.signer);
  expect(after?.number).toBeGreaterThan(before?.number ?? Number.NaN);
  expect(after?.nextUpdate).toBe(later(days(45)));
  expect(by(crls, chain.root)[0]?.pem).toBe(by(first.crls, chain.root)[0]?.pem);
});

test("a revocation is on the next list at once, each of its certificates with the reason", () => {
  const revoked = [
    revocation({ serials: ["4a", "4b"], suspected: true }),
    revocation({ name: "pve3", pin: "q".repeat(43), serials: ["4c"] }),
    revocation({ name: "pve4", pin: "r".repeat(43), serials: undefined }),
  ];
  const crls = next({ ...first, revoked }, later(1000));
  const [list] = by(crls, chain.signer);
  expect(list?.entries.map(({ serial, reason }) => `${serial} ${reason}`).sort()).toEqual([
    "4a keyCompromise",
    "4b keyCompromise",
    "4c cessationOfOperation",
  ]);
  expect(next({ ...first, revoked, crls }, later(minutes(1)))).toBe(crls);
  expect(
    crlsReport({ ...first, revoked, crls }).roots[0]?.lists[0]?.entries.map((each) => each.node),
  ).toEqual(expect.arrayContaining(["pve2", "pve3"]));
});

test("two lists within a second have different numbers, whatever the clock says", () => {
  const one = next({ ...first, revoked: [revocation()] });
  const two = next({ ...first, crls: one, revoked: [revocation(), revocation({ serials: ["4b"] })] });
  const early = next(
    { ...first, crls: two, revoked: [revocation({ serials: ["4a", "4b", "4c"] })] },
    wallTime(0),
  );
  const numbers = [first.crls, one, two, early].map((crls) => by(crls, chain.signer)[0]?.number ?? 0);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(4);
});

test("a list from a clock that was ahead is replaced when the clock is right again", () => {
  const ahead = next(first, later(days(400)));
  expect(next({ ...first, crls: ahead })).not.toBe(ahead);
});

test("what ran out long ago is left out, and a voided signer is on the root's list only", () => {
  const revoked = [
    revocation({ at: isoTime(later(-days(61))) }),
    revocation({ at: isoTime(later(-days(59))), serials: ["4d"] }),
    revocation({ kind: "signer", serials: ["4e"] }),
  ];
  const [list] = by(next({ ...first, revoked }), chain.signer);
  expect(list?.entries.map(({ serial }) => serial)).toEqual(["4d"]);
});

test("more revocations than a list holds leave the oldest out, and the roster can carry it", () => {
  const revoked = Array.from({ length: CRL_ENTRIES_MAX + 10 }, (_, at) =>
    revocation({ serials: [`4${at.toString(16).padStart(31, "0")}`] }),
  );
  const crls = next({ ...first, revoked });
  const serials = new Set(by(crls, chain.signer)[0]?.entries.map(({ serial }) => serial));
  expect(serials.size).toBe(CRL_ENTRIES_MAX);
  expect(serials.has(revoked[9]?.serials?.[0] ?? "")).toBe(false);
  expect(serials.has(revoked.at(-1)?.serials?.[0] ?? "")).toBe(true);
  expect(crls[0]?.pem.length).toBeLessThan(CRL_CHARS_MAX);
});

describe("with another signer", () => {
  let standby: Issuer;
  let part: Part;
  beforeAll(async () => {
    const key = generateKey();
    standby = { key, certificate: await issueIntermediate(mesh, publicOf(key), chain.root, now) };
    part = { ...first, succession: [...first.succession, successor(standby)] };
  });

  test("the list of the one before stays while it holds, since its certificates are still about", () => {
    const crls = next(part, later(days(20)), standby);
    expect(by(crls, standby)).toHaveLength(1);
    expect(by(crls, chain.signer)).toHaveLength(1);
    expect(by(crls, chain.root)).toHaveLength(1);
    const over = next({ ...part, crls }, later(days(36)), standby);
    expect(by(over, chain.signer)).toEqual([]);
  });

  test("a voided one's list goes, and the root's names it beside those voided before", () => {
    const root = { ...chain.root, pin: first.roots[0]?.pin ?? "" };
    const once = withVoided(part.crls, root, [standby.certificate], now);
    const twice = withVoided(once, root, [chain.signer.certificate], now);
    expect(by(twice, chain.root).map(({ entries }) => entries.length)).toEqual([2]);
    const crls = next({ ...part, succession: [successor(standby)], crls: twice }, now, standby);
    expect(by(crls, chain.signer)).toEqual([]);
    const [list] = by(crls, chain.root);
    expect(list?.entries.map(({ reason }) => reason)).toEqual(["cACompromise", "cACompromise"]);
    const serial = new X509Certificate(chain.signer.certificate).serialNumber.toLowerCase();
    expect(list?.entries.map((entry) => entry.serial)).toContain(serial);
    expect(list?.number).toBeGreaterThan(by(part.crls, chain.root)[0]?.number ?? Number.NaN);
  });

  test("of two lists by one key the later one stays", () => {
    const root = { ...chain.root, pin: first.roots[0]?.pin ?? "" };
    const voided = withVoided(part.crls, root, [standby.certificate], now);
    const pem = (part.crls[0]?.pem ?? "") + (voided[0]?.pem ?? "");
    const crls = next({ ...part, crls: [{ root: root.pin, pem }] }, later(days(20)));
    expect(by(crls, chain.root).map(({ entries }) => entries.length)).toEqual([1]);
    expect(by(crls, chain.signer)).toHaveLength(1);
  });
});

test("during a rotation each root has the signer's list, and its own", async () => {
  const key = generateKey();
  const newRoot = { key, certificate: await issueRoot(mesh, key, now) };
  const roots = [...first.roots, rootEntry(newRoot)];
  const crls = next({ ...first, roots }, now);
  expect(crls.map(({ root }) => root)).toEqual(roots.map(({ pin }) => pin));
  for (const at of [0, 1]) expect(by(crls, chain.signer, at)).toHaveLength(1);
  expect(by(crls, chain.root, 1)).toEqual([]);
  const after = next({ ...first, roots: roots.slice(1), crls });
  expect(after.map(({ root }) => root)).toEqual([roots[1]?.pin]);
});

test("lists that cannot be read are replaced", () => {
  const crls = next({ ...first, crls: [{ root: first.roots[0]?.pin ?? "", pem: "nonsense" }] });
  expect(by(crls, chain.signer)).toHaveLength(1);
  expect(crlsReport({ ...first, crls: [] }).roots).toMatchObject([{ lists: [], pem: "" }]);
});
