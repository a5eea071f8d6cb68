/** Who signs, with real keys and state folders: every way to become keymaster, in every order, and killed at every step. */
import { mkdir, readdir, readFile, rename, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Rig, rig, temporaryFolder } from "../../test/e2e/join-rig.ts";
import { parseCertificates } from "../adapters/pki/certificates.ts";
import { readCrls } from "../adapters/pki/crl-reading.ts";
import { createCsr } from "../adapters/pki/csr.ts";
import { generateKey } from "../adapters/pki/keys.ts";
import { generateRecoveryCode } from "../adapters/pki/recovery-code.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import { compareRanks } from "../core/roster.ts";
import { ok, unwrap } from "../kit/result.ts";
import { isoTime, type WallTime, wallTime } from "../kit/time.ts";
import { type ParsedRoster, rankOf } from "../wire/roster.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { joinMesh } from "./join.ts";
import type { Keymaster } from "./keymaster.ts";
import { openRootKey, type RootKey, WRONG_CODE_PAUSE } from "./root-key.ts";
import { nextRoster } from "./roster-next.ts";
import { addStandby, promoteByRoot, promoteStandby, removeStandby, takeOver } from "./takeover.ts";

const refusal = (code: string, message = ""): object => ({
  ok: false,
  error: { code, message: expect.stringContaining(message) },
});
const now = (): WallTime => wallTime(Date.now());

/** A mesh whose first node signs, and others that have joined. */
interface Trio {
  readonly mesh: Rig;
  readonly a: Identity;
  readonly b: Identity;
  readonly c: Identity;
}

async function trio(): Promise<Trio> {
  const mesh = await rig();
  const join_ = async (name: string, last: number): Promise<string> => {
    const stateDir = join(await temporaryFolder(), name);
    unwrap(await joinMesh({ stateDir, token: await mesh.token(name), addresses: [`127.0.0.${last}`] }));
    return stateDir;
  };
  const [first, second] = [await join_("pve2", 2), await join_("pve3", 3)];
  const b = unwrap(await loadIdentity(first));
  const c = unwrap(await loadIdentity(second));
  const all = { mesh, a: mesh.identity, b, c };
  await share(all, mesh.identity);
  return all;
}

/** Everyone hears of what this one goes by; gives who took it. */
async function share({ a, b, c }: Trio, from: Identity): Promise<boolean[]> {
  const { encoded } = from.keeper.current();
  const taken: boolean[] = [];
  for (const each of [a, b, c]) {
    taken.push((await each.keeper.consider(encoded)).ok);
    unwrap(await each.seat.settle());
  }
  return taken;
}

const rootOf = async ({ mesh: { mesh, identity } }: Trio): Promise<RootKey> =>
  unwrap(await openRootKey({ roster: identity.keeper.current().roster, code: mesh.recoveryCode }));

async function makeStandby(all: Trio, signing: Identity, node: Identity): Promise<void> {
  const { key } = unwrap(await node.seat.pendingKey());
  const keymaster = atWork(signing);
  unwrap(await addStandby(keymaster, node.id, createCsr(key), await rootOf(all), now()));
  await share(all, signing);
}

function atWork({ seat, name }: Identity): Keymaster {
  return seat.current() ?? never(`${name} does not sign`);
}

function never(what: string): never {
  throw new Error(what);
}

const signers = ({ a, b, c }: Trio): string[] =>
  [a, b, c].filter(({ seat }) => seat.current() !== undefined).map(({ name }) => name);
const reload = async ({ stateDir }: Identity): Promise<Identity> => unwrap(await loadIdentity(stateDir));
const current = ({ keeper }: Identity): ParsedRoster => keeper.current();

test("a standby's key is made where it stays; the roster has its certificate, and it signs nothing meanwhile", async () => {
  const all = await trio();
  await makeStandby(all, all.a, all.b);
  expect(signers(all)).toEqual(["pve1"]);
  const { succession } = current(all.c).roster;
  expect(succession.map(({ node }) => node)).toEqual([all.a.id, all.b.id]);
  const again = await reload(all.b);
  expect(unwrap(again.seat.standby())?.pin).toBe(succession[1]?.pin);
  const pem = await readFile(join(all.b.stateDir, "signer.key"), "utf8");
  for (const folder of [all.a.stateDir, all.c.stateDir])
    for (const file of await readdir(folder))
      expect(await readFile(join(folder, file), "latin1")).not.toContain(pem.split("\n")[1]);
});

test("a standby takes over: the old key is void, its term is not signed on, its tokens admit nobody", async () => {
  const all = await trio();
  await makeStandby(all, all.a, all.b);
  const token = await all.mesh.token("pve9");
  unwrap(await promoteStandby(all.b, now()));
  expect(await share(all, all.b)).toEqual([true, true, true]);
  expect(signers(all)).toEqual(["pve2"]);
  const { roster } = current(all.a);
  expect(roster).toMatchObject({ generation: 1, term: 2, epoch: 1, keymaster: all.b.id });
  expect(roster.revoked).toMatchObject([{ node: all.a.id, name: "pve1", kind: "signer" }]);
  expect(roster.succession.map(({ node }) => node)).toEqual([all.b.id]);
  expect(await all.a.seat.office.createToken("pve8", 60_000)).toMatchObject(refusal("not-keymaster"));
  expect(await all.a.seat.office.applyConfig("channels: []\n")).toMatchObject(refusal("not-keymaster"));
  expect(await promoteStandby(all.a, now())).toMatchObject(refusal("not-standby"));
  expect(await promoteStandby(all.b, now())).toMatchObject(refusal("usage", "keymaster already"));
  const host = { stateDir: join(await temporaryFolder(), "late"), token, addresses: ["127.0.0.9"] };
  expect((await joinMesh(host)).ok).toBe(false);
  expect(all.a.seat.office.listTokens().find(({ name }) => name === "pve9")?.state).toBe("revoked");
});

test("a plain node becomes keymaster by the root's word, with a key of its own, and lists the void one for other tools", async () => {
  const all = await trio();
  expect(await promoteStandby(all.c, now())).toMatchObject(refusal("not-standby"));
  const voided = parseCertificates(await readFile(join(all.a.stateDir, "signer.crt"), "utf8"));
  unwrap(await promoteByRoot(all.c, await rootOf(all), now()));
  expect(await share(all, all.c)).toEqual([true, true, true]);
  expect(signers(all)).toEqual(["pve3"]);
  const { roster, signed } = current(all.b);
  expect(roster).toMatchObject({ generation: 2, term: 2, opening: { signer: signed.signer } });
  expect(roster.opening.voids).toEqual([roster.revoked[0]?.pin]);
  const lists = unwrap(readCrls(roster.crls[0]?.pem ?? ""));
  const serial = unwrap(voided)[0]?.serialNumber.toLowerCase();
  expect(lists.flatMap(({ entries }) => entries.map((entry) => entry.serial))).toContain(serial);
  expect(atWork(await reload(all.c)).signer?.pin).toBe(signed.signer);
  expect((await readdir(all.c.stateDir)).filter((name) => name.startsWith("pending"))).toEqual([]);
});

test("the keymaster itself can be given a new key, so that a copy of the old one is worth nothing", async () => {
  const all = await trio();
  const before = current(all.a).signed.signer;
  unwrap(await promoteByRoot(all.a, await rootOf(all), now()));
  expect(await share(all, all.a)).toEqual([true, true, true]);
  expect(current(all.b).signed.signer).not.toBe(before);
  expect(current(all.b).roster.opening.voids).toEqual([before]);
  expect(signers(all)).toEqual(["pve1"]);
});

test("a stolen keymaster that counts a thousand epochs on loses against the root's term, and opens none of its own", async () => {
  const all = await trio();
  const thief = atWork(all.a);
  await makeStandby(all, all.a, all.b);
  const root = await rootOf(all);
  const { key, pin } = thief.signer ?? never("nothing was stolen");
  const counted = { ...nextRoster(current(all.a), {}, isoTime(now())), epoch: 1000 };
  const stolen = unwrap(signRoster(counted, key, pin));
  for (const each of [all.a, all.b]) unwrap(await each.keeper.consider(stolen.encoded));
  unwrap(await promoteByRoot(all.c, root, now()));
  unwrap(await all.b.keeper.consider(current(all.c).encoded));
  expect(await all.b.keeper.consider(stolen.encoded)).toMatchObject(refusal("roster-refused", "revoked"));
  unwrap(await thief.openTerm({ by: "standby" }, () => ok({}), { key, pin, certificate: "" }));
  expect(await all.b.keeper.consider(current(all.a).encoded)).toMatchObject(refusal("roster-refused"));
  unwrap(await all.a.keeper.consider(current(all.c).encoded));
  expect(signers(all)).toEqual(["pve3"]);
});

test.each([
  ["standby", "standby"],
  ["standby", "root"],
  ["root", "standby"],
  ["root", "root"],
] as const)(
  "two who take over at once, %s and %s: in whatever order it is heard, one wins everywhere",
  async (first, second) => {
    const all = await trio();
    await makeStandby(all, all.a, all.b);
    await makeStandby(all, all.a, all.c);
    const root = await rootOf(all);
    const promote = (node: Identity, right: "standby" | "root") =>
      right === "root" ? promoteByRoot(node, root, now()) : promoteStandby(node, now());
    unwrap(await promote(all.b, first));
    unwrap(await promote(all.c, second));
    const rosters = [current(all.b), current(all.c)];
    const [winner] = [...rosters].sort((x, y) => compareRanks(rankOf(y), rankOf(x)));
    for (const order of [rosters, [...rosters].reverse()]) {
      for (const each of [all.a, all.b, all.c])
        for (const { encoded } of order) await each.keeper.consider(encoded);
    }
    for (const each of [all.a, all.b, all.c]) expect(current(each).hash).toBe(winner?.hash);
    expect(signers(all)).toEqual([winner?.roster.keymaster === all.b.id ? "pve2" : "pve3"]);
    // Whoever lost knows what it went by, so that nothing is lost unseen.
    const loser = winner?.roster.keymaster === all.b.id ? all.c : all.b;
    expect(loser.keeper.displaced.list()).toHaveLength(1);
  },
);

test("a hand-over leaves both in the succession and voids nothing", async () => {
  const all = await trio();
  await makeStandby(all, all.a, all.b);
  unwrap(await takeOver(all.b));
  expect(await share(all, all.b)).toEqual([true, true, true]);
  expect(signers(all)).toEqual(["pve2"]);
  expect(current(all.c).roster.revoked).toEqual([]);
  unwrap(await takeOver(all.a));
  await share(all, all.a);
  expect(signers(all)).toEqual(["pve1"]);
  expect(all.a.keeper.displaced.list()).toEqual([]);
});

test("a standby that is one no more cannot take over, nor can a node that was removed with its signing key", async () => {
  const all = await trio();
  await makeStandby(all, all.a, all.b);
  await makeStandby(all, all.a, all.c);
  unwrap(await removeStandby(atWork(all.a), "pve2", now()));
  expect(await removeStandby(atWork(all.a), "pve2", now())).toMatchObject(refusal("not-standby"));
  expect(await removeStandby(atWork(all.a), "pve1", now())).toMatchObject(refusal("usage"));
  unwrap(await promoteStandby(all.b, now()));
  expect(await all.a.keeper.consider(current(all.b).encoded)).toMatchObject(refusal("roster-refused"));
  unwrap(await atWork(all.a).removeNode("pve3", "stolen", true));
  unwrap(await promoteStandby(all.c, now()));
  expect(await all.a.keeper.consider(current(all.c).encoded)).toMatchObject(refusal("roster-refused"));
  expect(current(all.a).roster.succession.map(({ node }) => node)).toEqual([all.a.id]);
});

test("a request for another key than a node's own new one is refused, and nothing is certified twice", async () => {
  const all = await trio();
  const root = await rootOf(all);
  const add = (csr: string) => addStandby(atWork(all.a), all.b.id, csr, root, now());
  expect(await add("-----BEGIN CERTIFICATE REQUEST-----\n")).toMatchObject(refusal("certificate-invalid"));
  expect(await add(all.b.certificate.request())).toMatchObject(refusal("certificate-invalid", "known"));
  unwrap(await add(createCsr(generateKey())));
  expect(await add(createCsr(generateKey()))).toMatchObject(refusal("certificate-invalid", "known"));
});

test("codes that are wrong, of another mesh, or of a root that is gone open nothing, and cost time", async () => {
  const all = await trio();
  const { roster } = current(all.a);
  const begun = performance.now();
  const wrong = generateRecoveryCode();
  const refused = await openRootKey({ roster, code: wrong });
  expect(refused).toMatchObject(refusal("recovery-invalid", "does not open"));
  expect(JSON.stringify(refused)).not.toContain(wrong);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(WRONG_CODE_PAUSE);
  const { recovery, ...without } = roster;
  const { recoveryCode: code } = all.mesh.mesh;
  expect(await openRootKey({ roster: without, code })).toMatchObject(
    refusal("recovery-invalid", "no recovery file"),
  );
  expect(await openRootKey({ roster: without, code, recovery })).toMatchObject({ ok: true });
  const other = (await trio()).mesh;
  const foreign = other.identity.keeper.current().roster.recovery;
  const question = { roster, code: other.mesh.recoveryCode, recovery: foreign };
  expect(await openRootKey(question)).toMatchObject(refusal("recovery-invalid", "another mesh"));
  const gone = { ...roster, roots: other.identity.keeper.current().roster.roots };
  expect(await openRootKey({ roster: gone, code })).toMatchObject(
    refusal("recovery-invalid", "no longer trusts"),
  );
});

test("a signing key that cannot be read now is not replaced by another: it is read when it can be", async () => {
  const all = await trio();
  const { pin } = unwrap(await all.b.seat.pendingKey());
  const file = join(all.b.stateDir, "pending-signer.json");
  await rename(file, `${file}.away`);
  await mkdir(file, { mode: 0o700 });
  expect(await all.b.seat.pendingKey()).toMatchObject(refusal("internal", "cannot read"));
  await rmdir(file);
  await rename(`${file}.away`, file);
  expect(unwrap(await all.b.seat.pendingKey()).pin).toBe(pin);
  // A standby that could not read its key at the start has it after the next roster.
  await makeStandby(all, all.a, all.b);
  const used = join(all.b.stateDir, "signer.key");
  await rename(used, `${used}.away`);
  await mkdir(used, { mode: 0o700 });
  const again = await reload(all.b);
  expect(again.seat.standby()).toMatchObject(refusal("internal", "cannot read"));
  await rmdir(used);
  await rename(`${used}.away`, used);
  unwrap(await again.seat.settle());
  expect(unwrap(again.seat.standby())?.pin).toBe(pin);
});

test("what is left of a key that waits does not keep the one in use from signing", async () => {
  const all = await trio();
  await writeFile(join(all.a.stateDir, "pending-signer.json"), '{"schema": 1, "key": "-----BEG', {
    mode: 0o600,
  });
  const again = await reload(all.a);
  unwrap(await again.seat.settle());
  expect(again.seat.current()).toBeDefined();
});
