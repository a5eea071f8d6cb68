/** What a keymaster that lost had signed: what is listed of it, and what confirming and dropping make of it. */
import { readFileSync } from "node:fs";
import { readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { refusal, rig } from "../../test/e2e/join-rig.ts";
import { atWork, join_, now, type Split, signedBy, split } from "../../test/e2e/split-rig.ts";
import { generateKey } from "../adapters/pki/keys.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import { failure, ok, unwrap } from "../kit/result.ts";
import { isoTime } from "../kit/time.ts";
import type { SignedRoster } from "../wire/roster.ts";
import { loadIdentity } from "./identity.ts";
import { nextRoster } from "./roster-next.ts";
import { confirmed, dropped } from "./set-aside-changes.ts";
import type { TermEdit } from "./signing-desk.ts";
import { promoteByRoot } from "./takeover.ts";

const TEXT = "policy:\n  clock:\n    grace: 2m\n";

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

test("of more than one reign of a signer all is listed, and each is decided about by itself", async () => {
  const all = await split();
  const { root } = all;
  await join_(all.mesh, "pve4", "127.0.0.4");
  const first = signedBy(all.old);
  // It opens a term with the same key.
  const signer = unwrap(all.old.seat.standby());
  if (signer === undefined) throw new Error("pve1 has no signing key");
  unwrap(await all.mesh.keymaster.openTerm({ by: "standby" }, () => ok({}), signer));
  unwrap(await all.mesh.keymaster.readdressNode("pve3", ["127.0.0.33"]));
  const { signed, roster } = all.old.keeper.current();
  // As if the term had not built on what came before it.
  const apart = { ...roster, ancestors: roster.ancestors.slice(0, 1), nodes: roster.nodes.slice(0, 3) };
  const second = unwrap(signRoster(apart, signer.key, signed.signer)).signed;
  unwrap(await promoteByRoot(all.fresh, root, now()));
  const { setAside } = atWork(all.fresh);
  for (const each of [first, second]) expect(await setAside.take(each, now())).toEqual(ok("listed"));
  const [one, two] = setAside.list();
  expect([one, two].map((each) => each?.changes.map(({ what }) => what))).toEqual([
    ["admitted"],
    ["readdressed"],
  ]);
  if (two !== undefined) unwrap(await setAside.settle(two));
  expect(setAside.list().map(({ id }) => id)).toEqual([one?.id]);
});

test("what nobody has decided about gives way to nothing: what comes too much is to be handed in again", async () => {
  const all = await split();
  const { root } = all;
  const lost: SignedRoster[] = [];
  for (let reigns = 0; reigns < 9; reigns += 1) {
    unwrap(await promoteByRoot(all.old, root, now()));
    unwrap(await atWork(all.old).applyConfig(`${TEXT}# ${reigns}\n`));
    lost.push(signedBy(all.old));
  }
  for (let terms = 0; terms < 10; terms += 1) unwrap(await promoteByRoot(all.fresh, root, now()));
  const { setAside } = atWork(all.fresh);
  const last = lost.pop();
  if (last === undefined) throw new Error("nothing was lost");
  for (const each of lost) expect(await setAside.take(each, now())).toEqual(ok("listed"));
  expect(await setAside.take(last, now())).toMatchObject({
    ok: false,
    error: { code: "limit-reached", retry: true },
  });
  const [oldest] = setAside.list();
  expect(oldest?.lost.signed).toEqual(lost[0]);
  if (oldest !== undefined) unwrap(await setAside.settle(oldest));
  expect(await setAside.take(last, now())).toEqual(ok("listed"));
  expect(setAside.list().map((each) => each.lost.signed)).toEqual([...lost.slice(1), last]);
});

test("a term that is refused, by what it is to change or by the disk, leaves the roster noted that the present one builds on", async () => {
  const all = await split();
  const path = join(all.fresh.stateDir, "term-base.json");
  const before = await readFile(path, "utf8");
  const signer = unwrap(all.fresh.seat.standby());
  if (signer === undefined) throw new Error("pve2 has no signing key");
  unwrap(await all.keymaster.readdressNode("pve1", ["127.0.0.11"]));
  const open = (edit: TermEdit) => all.keymaster.openTerm({ by: "standby" }, edit, signer);
  let seen = "";
  const refused = await open(() => {
    seen = readFileSync(path, "utf8");
    return failure("usage", "not now");
  });
  expect(refused).toMatchObject(refusal("usage"));
  expect([seen, await readFile(path, "utf8")]).toEqual([before, before]);
  const blocked = join(all.fresh.stateDir, "roster.json.tmp");
  await symlink("/proc/none/none", blocked);
  expect(await open(() => ok({}))).toMatchObject({ ok: false });
  expect(await readFile(path, "utf8")).toBe(before);
  await rm(blocked);
  unwrap(await open(() => ok({})));
  expect(await readFile(path, "utf8")).not.toBe(before);
});
