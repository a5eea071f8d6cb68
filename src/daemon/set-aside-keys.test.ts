/** What a keymaster that lost had changed about keys: void signing keys, a new recovery code, and rosters of a root that is gone. */

import { createPublicKey } from "node:crypto";
import { expect, test } from "vitest";
import { refusal, rig } from "../../test/e2e/join-rig.ts";
import {
  atWork,
  join_,
  joinedStandby,
  now,
  renewRecovery,
  rootOf,
  type Split,
  signedBy,
  split,
  stale,
} from "../../test/e2e/split-rig.ts";
import { createCsr } from "../adapters/pki/csr.ts";
import { issueIntermediate } from "../adapters/pki/issue.ts";
import { generateKey, spkiPin } from "../adapters/pki/keys.ts";
import { openRecovery } from "../adapters/pki/recovery.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import { ok, unwrap } from "../kit/result.ts";
import { isoTime } from "../kit/time.ts";
import type { Roster } from "../wire/roster.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import type { Keymaster } from "./keymaster.ts";
import { changeReport } from "./keymaster-views.ts";
import { prepareAnnouncement } from "./root-announce.ts";
import type { RootKey } from "./root-key.ts";
import { nextRoster } from "./roster-next.ts";
import type { SetAside } from "./set-aside.ts";
import { confirmed, dropped } from "./set-aside-changes.ts";
import { addStandby, promoteByRoot, promoteStandby, removeStandby } from "./takeover.ts";

const opens = async ({ recovery }: Roster, code: string): Promise<boolean> =>
  recovery !== undefined && (await openRecovery(recovery, code)).ok;
const rosterOf = ({ keeper }: Identity): Roster => keeper.current().roster;

async function only(keymaster: Keymaster): Promise<SetAside> {
  const [entry, ...others] = keymaster.setAside.list();
  if (entry === undefined || others.length > 0) throw new Error("not one is listed");
  return entry;
}

test("a standby promoted while it was cut off: what the other side voided and resealed is listed, and holds once confirmed", async () => {
  const { mesh, old, fresh, keymaster, voided, code } = await stale();
  expect(rosterOf(fresh).succession.map(({ pin }) => pin)).toContain(voided);
  expect(await keymaster.setAside.take(signedBy(old), now())).toEqual(ok("listed"));
  const { changes } = await only(keymaster);
  expect(changes.map((change) => changeReport(change, rosterOf(fresh)))).toMatchObject([
    { what: "signer-voided", node: "pve3", detail: expect.stringContaining("here it may sign") },
    { what: "resealed", node: null, detail: "here another code holds" },
  ]);
  let left: readonly object[] = [];
  unwrap(
    await keymaster.publish((held) => {
      const made = confirmed(held, changes, now());
      left = made.left;
      return ok(made.changes);
    }),
  );
  expect(left).toEqual([]);
  const after = rosterOf(fresh);
  expect(after.succession.map(({ pin }) => pin)).not.toContain(voided);
  expect(after.revoked).toContainEqual(
    expect.objectContaining({ pin: voided, kind: "signer", name: "pve3" }),
  );
  expect([await opens(after, code), await opens(after, mesh.mesh.recoveryCode)]).toEqual([true, false]);
  // The old keymaster goes by it.
  unwrap(await old.keeper.consider(fresh.keeper.current().encoded));
  expect(keymaster.setAside.list().flatMap((each) => each.changes)).toEqual([]);
});

test("dropped, neither holds; what was not changed on the losing side is not listed", async () => {
  const { root, old, fresh, keymaster, voided, code } = await stale();
  // The winner's own renewal is none of the loser's changes.
  const newest = await renewRecovery(keymaster, root, fresh.mesh);
  unwrap(await keymaster.setAside.take(signedBy(old), now()));
  const { changes } = await only(keymaster);
  unwrap(await keymaster.publish((held) => ok(dropped(held, changes, now()))));
  const after = rosterOf(fresh);
  expect(after.succession.map(({ pin }) => pin)).toContain(voided);
  expect([await opens(after, newest), await opens(after, code)]).toEqual([true, false]);
  const other = await split();
  await join_(other.mesh, "pve4", "127.0.0.4");
  await renewRecovery(other.keymaster, other.root, other.fresh.mesh);
  unwrap(await other.keymaster.setAside.take(signedBy(other.old), now()));
  expect((await only(other.keymaster)).changes.map(({ what }) => what)).toEqual(["admitted"]);
});

test("a node that may sign and was removed on the losing side is removed with its key; the key at work stays", async () => {
  const { mesh, old, fresh, keymaster } = await stale();
  unwrap(await mesh.keymaster.removeNode("pve3", "sold"));
  unwrap(await removeStandby(mesh.keymaster, "pve2", now()));
  unwrap(await keymaster.setAside.take(signedBy(old), now()));
  const { changes } = await only(keymaster);
  const { changes: made, left } = confirmed(rosterOf(fresh), changes, now());
  expect(made.nodes?.map(({ name }) => name)).toEqual(["pve1", "pve2"]);
  expect(made.succession?.map(({ node }) => node)).toEqual([fresh.id]);
  expect(left).toMatchObject([
    { change: { what: "signer-voided" }, why: expect.stringContaining("pve2 signs with that key now") },
  ]);
});

/** pve1 has let in pve4 and made it and pve3 standbys; pve2, cut off meanwhile, was promoted. */
async function standbysOfTheLoser() {
  const mesh = await rig();
  const root = await rootOf(mesh);
  const fresh = await joinedStandby(mesh, root, "pve2", "127.0.0.2");
  const third = unwrap(await loadIdentity(await join_(mesh, "pve3", "127.0.0.3")));
  unwrap(await fresh.keeper.consider(mesh.identity.keeper.current().encoded));
  const { key } = unwrap(await third.seat.pendingKey());
  unwrap(await addStandby(mesh.keymaster, third.id, createCsr(key), root, now()));
  unwrap(await third.keeper.consider(mesh.identity.keeper.current().encoded));
  unwrap(await third.seat.settle());
  const fourth = await joinedStandby(mesh, root, "pve4", "127.0.0.4");
  unwrap(await promoteStandby(fresh, now()));
  return { mesh, root, old: mesh.identity, fresh, third, fourth, keymaster: atWork(fresh) };
}

test("a standby that only the loser had added is listed, and may take over once that is confirmed", async () => {
  const { old, fresh, third, fourth, keymaster } = await standbysOfTheLoser();
  expect(await keymaster.setAside.take(signedBy(old), now())).toEqual(ok("listed"));
  const { changes } = await only(keymaster);
  expect(changes.map((change) => changeReport(change, rosterOf(fresh)))).toMatchObject([
    { what: "admitted", node: "pve4" },
    { what: "standby-added", node: "pve3", detail: "here it may not sign" },
    { what: "standby-added", node: "pve4" },
  ]);
  const made = confirmed(rosterOf(fresh), changes, now());
  expect(made.left).toEqual([]);
  unwrap(await keymaster.publish(() => ok(made.changes)));
  for (const node of [third, fourth]) {
    unwrap(await node.keeper.consider(fresh.keeper.current().encoded));
    expect(unwrap(node.seat.standby())?.pin).toBe(node.seat.office.signer?.pin);
  }
  expect(keymaster.setAside.list().flatMap((each) => each.changes)).toEqual([]);
});

test("dropped, its signing key is void: a root has certified it, and it could open a term", async () => {
  const { old, fresh, third, fourth, keymaster } = await standbysOfTheLoser();
  unwrap(await keymaster.setAside.take(signedBy(old), now()));
  const { changes } = await only(keymaster);
  unwrap(await keymaster.publish((held) => ok(dropped(held, changes, now()))));
  const pins = [third, fourth].map(({ seat }) => seat.office.signer?.pin);
  const { revoked, succession } = rosterOf(fresh);
  expect(revoked).toMatchObject([
    { kind: "signer", name: "pve1" },
    { name: "pve4" },
    { kind: "signer", name: "pve3", pin: pins[0], serials: [expect.any(String)] },
    { kind: "signer", name: "pve4", pin: pins[1] },
  ]);
  expect(succession.map(({ node }) => node)).toEqual([fresh.id]);
  unwrap(await third.keeper.consider(fresh.keeper.current().encoded));
  expect(await promoteStandby(third, now())).toMatchObject(refusal("not-standby"));
});

test("a keymaster that the root had made, and that lost, has its own key listed: left alone it could open a term", async () => {
  const all = await split();
  unwrap(await promoteByRoot(all.old, all.root, now()));
  unwrap(await promoteByRoot(all.fresh, all.root, now()));
  const lost = all.old.keeper.current();
  expect(await all.keymaster.setAside.take(lost.signed, now())).toEqual(ok("listed"));
  const { changes } = await only(all.keymaster);
  expect(changes).toMatchObject([{ what: "standby-added", name: "pve1" }]);
  unwrap(await all.keymaster.publish((held) => ok(dropped(held, changes, now()))));
  const revoked = { kind: "signer", name: "pve1", pin: lost.signed.signer };
  expect(rosterOf(all.fresh).revoked).toContainEqual(expect.objectContaining(revoked));
});

test("one that no root of the mesh has signed for is not made one that signs", async () => {
  const { old, fresh, third, keymaster } = await standbysOfTheLoser();
  unwrap(await keymaster.setAside.take(signedBy(old), now()));
  const { changes } = await only(keymaster);
  const before = rosterOf(fresh);
  const anyone = { key: generateKey(), certificate: before.roots[0]?.certificate ?? "" };
  const pin = third.seat.office.signer?.pin ?? "";
  const key = createPublicKey(third.seat.office.signer?.key ?? anyone.key);
  const certificate = await issueIntermediate(third.id, key, anyone, now());
  const unproven = changes.map((change) =>
    change.what === "standby-added" ? { ...change, successor: { node: third.id, pin, certificate } } : change,
  );
  const { left, changes: made } = confirmed(before, unproven, now());
  expect(left.map(({ why }) => why)).toEqual([
    expect.stringContaining("no certificate by a root of this mesh"),
    expect.stringContaining("no certificate by a root of this mesh"),
  ]);
  expect(made.succession).toEqual(before.succession);
});

/** The new keymaster's mesh goes over to another root, which takes no time here; gives its key. */
async function rotated({ fresh, keymaster }: Split, old: RootKey): Promise<RootKey> {
  const { announcement } = unwrap(await prepareAnnouncement(rosterOf(fresh), old, [], now()));
  const { signer } = keymaster;
  if (signer === undefined) throw new Error(`${fresh.name} has no key`);
  const { key, root: pin, changes } = announcement;
  unwrap(await keymaster.openTerm({ by: "root", key, signer: signer.pin }, () => ok(changes), signer));
  const over = ({ roots }: Roster) => roots.filter((root) => root.pin === pin);
  unwrap(await keymaster.publish((roster) => ok({ rotation: undefined, roots: over(roster) })));
  return { key, pin, certificate: rosterOf(fresh).roots[0]?.certificate ?? "" };
}

test("a roster of a root that the mesh has left since is listed, over two changes too", async () => {
  const all = await split();
  await join_(all.mesh, "pve4", "127.0.0.4");
  await renewRecovery(all.mesh.keymaster, all.root, all.old.mesh);
  const next = await rotated(all, all.root);
  expect(await all.keymaster.setAside.take(signedBy(all.old), now())).toEqual(ok("listed"));
  // Its new code is of a root that has been replaced: there is nothing to confirm of it.
  expect((await only(all.keymaster)).changes.map(({ what }) => what)).toEqual(["admitted"]);
  await rotated(all, next);
  unwrap(await all.mesh.keymaster.readdressNode("pve3", ["127.0.0.33"]));
  expect(await all.keymaster.setAside.take(signedBy(all.old), now())).toEqual(ok("listed"));
});

test("by a root that was left, a key that the mesh has never known signs nothing", async () => {
  const all = await split();
  const { root } = all;
  await rotated(all, root);
  const key = generateKey();
  const certificate = await issueIntermediate(all.old.id, createPublicKey(key), root, now());
  const pin = spkiPin(createPublicKey(key));
  const current = all.old.keeper.current();
  const succession = [{ node: all.old.id, pin, certificate }];
  const text = { version: 9, text: "policy:\n  clock:\n    grace: 2m\n" };
  const forged = { ...nextRoster(current, { succession, config: text }, isoTime(now())), term: 2 };
  const { signed } = unwrap(signRoster(forged, key, pin));
  expect(await all.keymaster.setAside.take(signed, now())).toMatchObject(
    refusal("roster-refused", "not signed by a key of this mesh"),
  );
});
