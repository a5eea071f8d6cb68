/** What a keymaster that lost had signed: what is listed of it, and what confirming and dropping make of it. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Rig, rig, temporaryFolder } from "../../test/e2e/join-rig.ts";
import { generateKey } from "../adapters/pki/keys.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import { ok, unwrap } from "../kit/result.ts";
import { isoTime, type WallTime, wallTime } from "../kit/time.ts";
import type { SignedRoster } from "../wire/roster.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { joinMesh } from "./join.ts";
import type { Keymaster } from "./keymaster.ts";
import { openRootKey } from "./root-key.ts";
import { nextRoster } from "./roster-next.ts";
import { confirmed, dropped } from "./set-aside-changes.ts";
import { promoteByRoot } from "./takeover.ts";

const refusal = (code: string, message = ""): object => ({
  ok: false,
  error: { code, message: expect.stringContaining(message) },
});
const now = (): WallTime => wallTime(Date.now());
const TEXT = "policy:\n  clock:\n    grace: 2m\n";

/** The old keymaster, and the new one, of whom the old one has not heard. */
interface Split {
  readonly mesh: Rig;
  readonly old: Identity;
  readonly fresh: Identity;
  readonly keymaster: Keymaster;
}

async function join_(mesh: Rig, name: string, address: string): Promise<string> {
  const stateDir = join(await temporaryFolder(), name);
  unwrap(await joinMesh({ stateDir, token: await mesh.token(name), addresses: [address] }));
  return stateDir;
}

async function split(): Promise<Split> {
  const mesh = await rig();
  const stateDir = await join_(mesh, "pve2", "127.0.0.2");
  await join_(mesh, "pve3", "127.0.0.3");
  const fresh = unwrap(await loadIdentity(stateDir));
  const { roster, encoded } = mesh.identity.keeper.current();
  unwrap(await fresh.keeper.consider(encoded));
  const root = unwrap(await openRootKey({ roster, code: mesh.mesh.recoveryCode }));
  unwrap(await promoteByRoot(fresh, root, now()));
  const keymaster = fresh.seat.current();
  if (keymaster === undefined) throw new Error("nobody signs");
  return { mesh, old: mesh.identity, fresh, keymaster };
}

const signedBy = ({ keeper }: Identity): SignedRoster => keeper.current().signed;
const listed = ({ keymaster }: Split): string[] =>
  keymaster.setAside.list().flatMap(({ changes }) => changes.map(({ what }) => what));

test("what it admitted, removed, moved and configured is listed; what it left as it was is not", async () => {
  const all = await split();
  expect(await all.keymaster.setAside.take(signedBy(all.old), now())).toEqual(ok("nothing-new"));
  await join_(all.mesh, "pve4", "127.0.0.4");
  unwrap(await all.mesh.keymaster.removeNode("pve3", "sold"));
  unwrap(await all.mesh.keymaster.readdressNode("pve2", ["127.0.0.22"]));
  unwrap(await all.mesh.keymaster.applyConfig(TEXT));
  // The winner's own changes are not the loser's.
  unwrap(await all.keymaster.applyConfig("policy:\n  clock:\n    grace: 9m\n"));
  unwrap(await all.keymaster.readdressNode("pve1", ["127.0.0.11"]));
  expect(await all.keymaster.setAside.take(signedBy(all.old), now())).toEqual(ok("listed"));
  expect(listed(all)).toEqual(["admitted", "removed", "readdressed", "configured"]);
  const [entry] = all.keymaster.setAside.list();
  expect(entry?.changes).toMatchObject([
    { node: { name: "pve4" } },
    { node: { name: "pve3" }, revocation: { reason: "sold" } },
    { node: { name: "pve2" }, addresses: ["127.0.0.22:7654"] },
    { text: TEXT },
  ]);
  const again = unwrap(await loadIdentity(all.fresh.stateDir));
  expect(again.seat.office.setAside.list()).toHaveLength(1);
});

test("confirmed, all of it holds; it is listed no more, nor is anything earlier of that signer", async () => {
  const all = await split();
  const early = signedBy(all.old);
  await join_(all.mesh, "pve4", "127.0.0.4");
  const middle = signedBy(all.old);
  unwrap(await all.mesh.keymaster.removeNode("pve3", "sold"));
  unwrap(await all.mesh.keymaster.applyConfig(TEXT));
  const last = signedBy(all.old);
  const { setAside } = all.keymaster;
  for (const each of [middle, last, early]) unwrap(await setAside.take(each, now()));
  const [entry] = setAside.list();
  if (entry === undefined) throw new Error("nothing is listed");
  expect(await setAside.find("ffffffff")).toMatchObject(refusal("set-aside-unknown"));
  expect(unwrap(setAside.find(entry.id)).changes).toHaveLength(3);
  unwrap(await all.keymaster.publish((held) => ok(confirmed(held, entry.changes, now()).changes)));
  unwrap(await setAside.settle(entry));
  const { nodes, config, revoked } = all.fresh.keeper.current().roster;
  expect(nodes.map(({ name }) => name)).toEqual(["pve1", "pve2", "pve4"]);
  expect(config.text).toBe(TEXT);
  expect(revoked.map(({ name, kind }) => [name, kind])).toContainEqual(["pve3", undefined]);
  for (const each of [middle, last]) expect(await setAside.take(each, now())).toEqual(ok("nothing-new"));
  expect(setAside.list()).toEqual([]);
});

test("dropped, whom it had let in is told so, and may not come back with that key", async () => {
  const all = await split();
  const stranger = await join_(all.mesh, "pve4", "127.0.0.4");
  unwrap(await all.keymaster.setAside.take(signedBy(all.old), now()));
  const [entry] = all.keymaster.setAside.list();
  unwrap(await all.keymaster.publish((held) => ok(dropped(held, entry?.changes ?? [], now()))));
  expect(listed(all)).toEqual([]);
  const node = unwrap(await loadIdentity(stranger));
  unwrap(await node.keeper.consider(all.fresh.keeper.current().encoded));
  expect(await loadIdentity(stranger)).toMatchObject(refusal("node-removed", "not confirmed"));
});

test("what the roster in force cannot take is left, with why, and the rest holds", async () => {
  const all = await split();
  await join_(all.mesh, "pve4", "127.0.0.4");
  await join_(all.mesh, "pve5", "127.0.0.5");
  unwrap(await all.keymaster.readdressNode("pve3", ["127.0.0.4"]));
  unwrap(await all.keymaster.setAside.take(signedBy(all.old), now()));
  const [entry] = all.keymaster.setAside.list();
  const made = confirmed(all.fresh.keeper.current().roster, entry?.changes ?? [], now());
  expect(made.left).toMatchObject([
    { change: { node: { name: "pve4" } }, why: expect.stringContaining("pve3 has it") },
  ]);
  expect(made.changes.nodes?.map(({ name }) => name)).toContain("pve5");
});

test("only what a key of this mesh has signed, and what has lost, is taken", async () => {
  const all = await split();
  const { setAside } = all.keymaster;
  await join_(all.mesh, "pve4", "127.0.0.4");
  const lost = signedBy(all.old);
  expect(await setAside.take({ ...lost, body: lost.body.replace("pve4", "pve7") }, now())).toMatchObject(
    refusal("roster-refused", "not signed by a key of this mesh"),
  );
  const other = await rig();
  expect(await setAside.take(signedBy(other.identity), now())).toMatchObject(refusal("roster-refused"));
  const forged = nextRoster(all.old.keeper.current(), {}, isoTime(now()));
  const { signer } = lost;
  const byAnyone = signRoster(forged, generateKey(), signer);
  expect(await setAside.take(unwrap(byAnyone).signed, now())).toMatchObject(refusal("roster-refused"));
  // To the old keymaster, which has not heard, the new roster has not lost: it is to be adopted.
  const taken = await all.mesh.keymaster.setAside.take(signedBy(all.fresh), now());
  expect(taken).toMatchObject(refusal("roster-refused", "has not lost"));
  expect(setAside.list()).toEqual([]);
});

test("the one who steps down keeps what it went by, over a restart too, until it is handed in", async () => {
  const all = await split();
  await join_(all.mesh, "pve4", "127.0.0.4");
  const lost = signedBy(all.old);
  unwrap(await all.old.keeper.consider(all.fresh.keeper.current().encoded));
  expect(all.old.seat.current()).toBeUndefined();
  const again = unwrap(await loadIdentity(all.mesh.stateDir));
  expect(again.keeper.displaced.list()).toEqual([lost]);
  unwrap(await again.keeper.displaced.forget(again.keeper.current().hash));
  expect(again.keeper.displaced.list()).toHaveLength(1);
});
