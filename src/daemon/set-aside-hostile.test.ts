/** Rosters that lost, signed by somebody who has a keymaster's key and means harm: what they cannot do. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { atWork, join_, now, type Split, signedBy, split } from "../../test/e2e/split-rig.ts";
import { certificateFacts, parseCertificate } from "../adapters/pki/certificates.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { ok, unwrap } from "../kit/result.ts";
import type { Roster, RosterNode, SignedRoster } from "../wire/roster.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { LOST_ROSTERS_PER_SIGNER_MAX } from "./lost-rosters.ts";
import type { SetAside } from "./set-aside.ts";
import { confirmed, dropped } from "./set-aside-changes.ts";
import { SET_ASIDE_FILE } from "./state-files.ts";
import { promoteByRoot } from "./takeover.ts";

const TEXT = "policy:\n  clock:\n    grace: 2m\n";
const ID = "5c2e6b8e-1111-4c55-9f0e-0c7d1f3f9a1";
const TOO_MUCH = { ok: false, error: { code: "limit-reached", retry: true } };

/** What this node's signing key signs of whatever is asked of it. */
function forged(by: Identity, changes: Partial<Roster>): SignedRoster {
  const signer = unwrap(by.seat.standby());
  if (signer === undefined) throw new Error(`${by.name} has no signing key`);
  const { roster } = by.keeper.current();
  return unwrap(signRoster({ ...roster, ...changes }, signer.key, signer.pin)).signed;
}

const nodeOf = ({ keeper }: Identity, name: string): RosterNode => {
  const node = keeper.current().roster.nodes.find((each) => each.name === name);
  if (node === undefined) throw new Error(`there is no ${name}`);
  return node;
};

async function only({ keymaster }: Split, signed: SignedRoster): Promise<SetAside> {
  expect(await keymaster.setAside.take(signed, now())).toEqual(ok("listed"));
  const [entry, ...others] = keymaster.setAside.list();
  if (entry === undefined || others.length > 0) throw new Error("not one is listed");
  return entry;
}

test("keys of the mesh that it lists under other names, or as void, stay what they are, whether confirmed or dropped", async () => {
  const all = await split();
  const { keymaster, fresh } = all;
  const held = fresh.keeper.current();
  const [pve1, pve2, pve3] = ["pve1", "pve2", "pve3"].map((name) => nodeOf(fresh, name));
  if (pve1 === undefined || pve2 === undefined || pve3 === undefined) throw new Error("three nodes");
  const stranger = (letter: string, pin: string): RosterNode => ({
    ...pve3,
    id: `${ID}${letter}`,
    name: `x${letter}`,
    addresses: [`127.0.0.6${letter}:7654`],
    pin,
  });
  const entry = await only(
    all,
    forged(all.old, {
      nodes: [
        pve1,
        stranger("3", pve3.pin),
        stranger("4", held.signed.signer),
        stranger("5", "S".repeat(43)),
      ],
      revoked: [
        { pin: pve2.pin, node: pve2.id, name: "pve2", at: pve1.added, reason: "", kind: "signer" },
        { pin: "V".repeat(43), node: ID.concat("6"), name: "x6", at: pve1.added, reason: "", kind: "signer" },
      ],
      config: { version: Number.MAX_SAFE_INTEGER, text: TEXT },
    }),
  );
  expect(entry.changes).toMatchObject([
    { what: "signer-voided", revocation: { name: "pve2" } },
    { what: "signer-voided", revocation: { name: "x6" } },
    { what: "admitted", node: { name: "x5" } },
    { what: "configured" },
  ]);
  unwrap(await keymaster.publish((roster) => ok(dropped(roster, entry.changes, now()))));
  const after = fresh.keeper.current().roster;
  expect(after.nodes).toEqual(held.roster.nodes);
  const news = after.revoked.slice(held.roster.revoked.length);
  expect(news.map(({ name }) => name)).toEqual(["x5"]);
  // The number of pve3's own certificate is in none of the lists for other tools.
  expect(news[0]?.serials).toBeUndefined();
  const { changes, left } = confirmed(after, entry.changes, now());
  expect(left).toMatchObject([
    { change: { revocation: { name: "pve2" } }, why: expect.stringContaining("known by it as a member") },
    { change: { node: { name: "x5" } } },
  ]);
  const published = unwrap(await keymaster.publish(() => ok(changes))).roster;
  expect(published.config).toEqual({ version: held.roster.config.version + 1, text: TEXT });
  expect(published.nodes).toEqual(held.roster.nodes);
  expect(published.revoked.map(({ name }) => name)).toContain("x6");
});

test("a key that came to the mesh otherwise meanwhile is not revoked by dropping", async () => {
  const all = await split();
  await join_(all.mesh, "pve4", "127.0.0.4");
  const entry = await only(all, signedBy(all.old));
  const pve4 = nodeOf(all.old, "pve4");
  unwrap(await all.keymaster.publish(({ nodes }) => ok({ nodes: [...nodes, { ...pve4, id: `${ID}4` }] })));
  unwrap(await all.keymaster.publish((roster) => ok(dropped(roster, entry.changes, now()))));
  const { nodes, revoked } = all.fresh.keeper.current().roster;
  expect(nodes.map(({ name }) => name)).toContain("pve4");
  expect(revoked.map(({ name }) => name)).not.toContain("pve4");
});

test("serial numbers of others, and addresses that are none, are not taken over", async () => {
  const all = await split();
  const { fresh } = all;
  const [pve1, pve2, pve3] = ["pve1", "pve2", "pve3"].map((name) => nodeOf(fresh, name));
  if (pve1 === undefined || pve2 === undefined || pve3 === undefined) throw new Error("three nodes");
  const issuer = unwrap(parseCertificate(atWork(fresh).signer?.certificate ?? ""));
  const serials = [
    pve2.certificateSerial ?? "",
    certificateFacts(issuer).serial,
    "4a",
    pve3.certificateSerial ?? "",
  ];
  const entry = await only(
    all,
    forged(all.old, {
      nodes: [pve1, { ...pve2, addresses: ["999.0.0.2:7654"] }],
      revoked: [{ pin: pve3.pin, node: pve3.id, name: "pve3", at: pve3.added, reason: "sold", serials }],
    }),
  );
  const { changes, left } = confirmed(fresh.keeper.current().roster, entry.changes, now());
  expect(changes.revoked?.find(({ pin }) => pin === pve3.pin)?.serials).toEqual([
    "4a",
    pve3.certificateSerial,
  ]);
  expect(left).toMatchObject([
    { change: { what: "readdressed" }, why: expect.stringContaining("999.0.0.2") },
  ]);
});

test("one signer cannot fill the list: what others have lost still finds its place", async () => {
  const all = await split();
  const { root } = all;
  const reign = (term: number, size: number): SignedRoster =>
    forged(all.old, {
      term,
      previous: null,
      ancestors: [],
      config: { version: 1, text: `# ${term} ${"x".repeat(size)}\n` },
    });
  const reigns = Array.from({ length: LOST_ROSTERS_PER_SIGNER_MAX + 1 }, (_, at) => reign(at + 2, 10));
  const last = reigns.pop();
  if (last === undefined) throw new Error("nothing was signed");
  unwrap(await promoteByRoot(all.old, root, now()));
  unwrap(await atWork(all.old).applyConfig(TEXT));
  const honest = signedBy(all.old);
  for (let terms = 0; terms < 2; terms += 1) unwrap(await promoteByRoot(all.fresh, root, now()));
  const { setAside } = atWork(all.fresh);
  for (const each of reigns) expect(await setAside.take(each, now())).toEqual(ok("listed"));
  expect(await setAside.take(last, now())).toMatchObject(TOO_MUCH);
  expect(await setAside.take(honest, now())).toEqual(ok("listed"));
  const [first] = setAside.list();
  if (first !== undefined) unwrap(await setAside.settle(first));
  expect(await setAside.take(last, now())).toEqual(ok("listed"));
  expect(setAside.list()).toHaveLength(LOST_ROSTERS_PER_SIGNER_MAX + 1);
});

test("what was decided about is not listed again, though many came since, after a restart, and from an earlier version's file", async () => {
  const all = await split();
  const early = forged(all.old, { config: { version: 1, text: `${TEXT}# early\n` } });
  unwrap(await all.mesh.keymaster.applyConfig(TEXT));
  const lost = signedBy(all.old);
  const entry = await only(all, lost);
  unwrap(await all.keymaster.setAside.settle(entry));
  const others: SignedRoster[] = [];
  for (let reigns = 0; reigns < 8; reigns += 1) {
    unwrap(await promoteByRoot(all.old, all.root, now()));
    unwrap(await atWork(all.old).applyConfig(`${TEXT}# ${reigns}\n`));
    others.push(signedBy(all.old));
  }
  for (let terms = 0; terms < 9; terms += 1) unwrap(await promoteByRoot(all.fresh, all.root, now()));
  const { setAside } = atWork(all.fresh);
  for (const each of others) expect(await setAside.take(each, now())).toEqual(ok("listed"));
  const { setAside: again } = atWork(unwrap(await loadIdentity(all.fresh.stateDir)));
  for (const book of [setAside, again])
    for (const each of [lost, early]) expect(await book.take(each, now())).toEqual(ok("nothing-new"));
  const rosters = [{ at: now(), signed: lost, settled: true }];
  unwrap(await new StateFolder(join(all.fresh.stateDir)).writeJson(SET_ASIDE_FILE, { rosters }));
  const { setAside: upgraded } = atWork(unwrap(await loadIdentity(all.fresh.stateDir)));
  expect(upgraded.list()).toEqual([]);
  expect(await upgraded.take(early, now())).toEqual(ok("nothing-new"));
});
