/** What a keymaster that lost had changed about keys: void signing keys, a new recovery code, and rosters of a root that is gone. */

import { createPublicKey } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
} from "../../test/e2e/split-rig.ts";
import { issueIntermediate } from "../adapters/pki/issue.ts";
import { generateKey, spkiPin } from "../adapters/pki/keys.ts";
import { openRecovery } from "../adapters/pki/recovery.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { ok, unwrap } from "../kit/result.ts";
import { isoTime } from "../kit/time.ts";
import type { Roster } from "../wire/roster.ts";
import type { Identity } from "./identity.ts";
import type { Keymaster } from "./keymaster.ts";
import { changeReport } from "./keymaster-views.ts";
import { keepRecoveryCopy } from "./recovery-copy.ts";
import { prepareAnnouncement } from "./root-announce.ts";
import type { RootKey } from "./root-key.ts";
import { nextRoster } from "./roster-next.ts";
import type { SetAside } from "./set-aside.ts";
import { confirmed, dropped } from "./set-aside-changes.ts";
import { promoteStandby, removeStandby } from "./takeover.ts";

const opens = async ({ recovery }: Roster, code: string): Promise<boolean> =>
  recovery !== undefined && (await openRecovery(recovery, code)).ok;
const rosterOf = ({ keeper }: Identity): Roster => keeper.current().roster;

/** pve1 has voided pve3's signing key and renewed the code; pve2, cut off meanwhile, was promoted. */
async function stale(): Promise<Split & { readonly voided: string; readonly code: string }> {
  const mesh = await rig();
  const root = await rootOf(mesh);
  const fresh = await joinedStandby(mesh, root, "pve2", "127.0.0.2");
  const third = await joinedStandby(mesh, root, "pve3", "127.0.0.3");
  unwrap(await fresh.keeper.consider(mesh.identity.keeper.current().encoded));
  unwrap(await removeStandby(mesh.keymaster, "pve3", now()));
  const code = await renewRecovery(mesh.keymaster, root, mesh.identity.mesh);
  unwrap(await promoteStandby(fresh, now()));
  const voided = third.seat.office.signer?.pin ?? "";
  return { mesh, root, old: mesh.identity, fresh, keymaster: atWork(fresh), voided, code };
}

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

/** The host of the recovery file hears of the other keymaster; what lies there of sealed keys. */
async function filesAfter(
  { old, fresh }: Split,
  log: string[],
): Promise<{ readonly sealed: string; readonly lost: readonly string[] }> {
  const copy = keepRecoveryCopy(new StateFolder(old.stateDir), old.keeper, (line) => log.push(line));
  await copy.path();
  unwrap(await old.keeper.consider(fresh.keeper.current().encoded));
  await copy.path();
  const names = (await readdir(old.stateDir)).filter((name) => name.startsWith("recovery.lost-"));
  return {
    sealed: await readFile(join(old.stateDir, "recovery.balefire"), "utf8"),
    lost: await Promise.all(names.map((name) => readFile(join(old.stateDir, name), "utf8"))),
  };
}

test("a recovery file whose code may be the only one a person holds is kept until it counts again", async () => {
  const all = await stale();
  const { recovery } = rosterOf(all.old);
  const log: string[] = [];
  const { sealed, lost } = await filesAfter(all, log);
  expect(sealed).toContain(rosterOf(all.fresh).recovery?.sealed);
  expect(lost).toHaveLength(1);
  expect(lost[0]).toContain(recovery?.sealed);
  expect(log).toEqual([expect.stringContaining("recovery.lost-")]);
  unwrap(await all.keymaster.publish(() => ok({ recovery })));
  const after = await filesAfter(all, log);
  expect(after.sealed).toContain(recovery?.sealed);
  expect(after.lost).toEqual([]);
});

test("so it is when the daemon died before it had looked at the file, and when the copy cannot be written", async () => {
  const all = await stale();
  const file = join(all.old.stateDir, "recovery.balefire");
  const copy = keepRecoveryCopy(new StateFolder(all.old.stateDir), all.old.keeper, () => {});
  await copy.path();
  const renewed = await readFile(file, "utf8");
  unwrap(await all.old.keeper.consider(all.fresh.keeper.current().encoded));
  await copy.path();
  // As a death between the two would have left it.
  const [name = ""] = (await readdir(all.old.stateDir)).filter((each) => each.startsWith("recovery.lost-"));
  await writeFile(file, renewed);
  const again = { ...all.old.keeper, current: () => all.old.keeper.current(), onChange: () => () => {} };
  const { displaced } = all.old.keeper;
  const log: string[] = [];
  await rm(join(all.old.stateDir, name));
  await mkdir(join(all.old.stateDir, `${name}.tmp`));
  const restarted = keepRecoveryCopy(new StateFolder(all.old.stateDir), { ...again, displaced }, (line) =>
    log.push(line),
  );
  await restarted.path();
  expect(await readFile(file, "utf8")).toBe(renewed);
  expect(log.join()).toContain("the recovery file is not the roster's");
  await rm(join(all.old.stateDir, `${name}.tmp`), { recursive: true });
  await restarted.path();
  expect(await readFile(join(all.old.stateDir, name), "utf8")).toBe(renewed);
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
