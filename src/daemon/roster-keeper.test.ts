import { createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { cp, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../test/e2e/join-rig.ts";
import { issueIntermediate, issueLeaf, issueRoot } from "../adapters/pki/issue.ts";
import { generateKey, parsePrivateKey, signText, spkiPin } from "../adapters/pki/keys.ts";
import { openRecovery, type RootAuthority } from "../adapters/pki/recovery.ts";
import { signHandover, signOpening } from "../adapters/pki/roster-signature.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import type { Address, NodeId } from "../core/types.ts";
import { unwrap } from "../kit/result.ts";
import { wallTime } from "../kit/time.ts";
import { encodeSigned, type ParsedRoster, type Roster } from "../wire/roster.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { initMesh } from "./init.ts";
import { OwnCertificate } from "./own-certificate.ts";
import { RosterKeeper } from "./roster-keeper.ts";
import { nextRoster } from "./roster-next.ts";
import { openTerm, type TermChanges, withoutSigner } from "./roster-open.ts";
import { RECOVERY_STATE_FILE, SIGNER_KEY_FILE } from "./state-files.ts";

interface SigningKey {
  readonly key: KeyObject;
  readonly pin: string;
}
const now = wallTime(Date.now());
const at = new Date(now).toISOString();

/** Made once: scrypt takes its time. Each test works on a copy. */
const template = mkdtempSync(join(tmpdir(), "balefire-keeper-"));
let stateDir: string;
let identity: Identity;
let keeper: RosterKeeper;
let signer: SigningKey;
let root: RootAuthority;

beforeAll(async () => {
  const made = unwrap(await initMesh({ stateDir: template, name: "pve1", addresses: ["127.0.0.1"] }));
  const key = unwrap(parsePrivateKey(await readFile(join(template, SIGNER_KEY_FILE), "utf8"), "signer.key"));
  signer = { key, pin: spkiPin(createPublicKey(key)) };
  const file = unwrap(await new StateFolder(template).readJson(RECOVERY_STATE_FILE));
  if (file === undefined) throw new Error("init made no recovery file");
  root = unwrap(await openRecovery(file, made.recoveryCode));
});
afterAll(() => rmSync(template, { recursive: true, force: true }));

beforeEach(async () => {
  stateDir = join(await temporaryFolder(), "state");
  await cp(template, stateDir, { recursive: true });
  identity = unwrap(await loadIdentity(stateDir));
  keeper = identity.keeper;
});

const signed = (roster: Roster, by: SigningKey): string => {
  const body = JSON.stringify(roster);
  return encodeSigned({ body, signature: signText(by.key, body), signer: by.pin });
};
const next = (changes: Partial<Roster> = {}): Roster => ({
  ...nextRoster(keeper.current(), {}, at),
  ...changes,
});
/** A term begun by a standby, or by the root for a key. */
const standbyTerm = (changes: TermChanges = {}): Roster =>
  openTerm(keeper.current(), { by: "standby" }, changes, at);
const rootTerm = (by: SigningKey, changes: TermChanges = {}, on: ParsedRoster = keeper.current()): Roster =>
  openTerm(on, { by: "root", key: root.key, signer: by.pin }, changes, at);
const newKey = (): SigningKey => {
  const key = generateKey();
  return { key, pin: spkiPin(createPublicKey(key)) };
};

/** A key with a root's certificate, as a standby's or a newly promoted keymaster's would be. */
async function successor(
  authority: { key: KeyObject; certificate: string } = root,
  known?: SigningKey,
): Promise<SigningKey & { entry: Roster["succession"][number] }> {
  const made = known ?? newKey();
  const certificate = await issueIntermediate(identity.id, createPublicKey(made.key), authority, now);
  return { ...made, entry: { node: identity.id, pin: made.pin, certificate } };
}

async function expectRefusal(encoded: string, reason: string): Promise<void> {
  const before = keeper.current();
  const disk = await readFile(join(stateDir, "roster.json"), "utf8");
  expect(await keeper.consider(encoded)).toMatchObject({
    ok: false,
    error: { code: "roster-refused", message: expect.stringContaining(reason) },
  });
  expect(keeper.current()).toBe(before);
  expect(await readFile(join(stateDir, "roster.json"), "utf8")).toBe(disk);
}

test("the next roster of the keymaster is on disk before anybody is told", async () => {
  const encoded = signed(next(), signer);
  let onDisk = "";
  keeper.onChange((current) => {
    onDisk = current.encoded;
  });
  expect(await keeper.consider(encoded)).toEqual({ ok: true, value: "adopted" });
  expect(onDisk).toBe(encoded);
  expect(unwrap(await loadIdentity(stateDir)).keeper.current().encoded).toBe(encoded);
  expect(await keeper.consider(encoded)).toEqual({ ok: true, value: "same" });
  expect(keeper.view()).toMatchObject({
    generation: 1,
    term: 1,
    opener: signer.pin.slice(0, 8),
    epoch: 2,
    keymaster: identity.id,
    signed: encoded,
  });
});

test("a listener is told which roster was displaced, when what replaces it does not build on it", async () => {
  const told: (string | undefined)[] = [];
  keeper.onChange((_current, displaced) => told.push(displaced?.hash));
  const standby = await successor();
  const { succession } = keeper.current().roster;
  unwrap(await keeper.consider(signed(next({ succession: [...succession, standby.entry] }), signer)));
  const takeover = signed(standbyTerm(), standby);
  unwrap(await keeper.consider(signed(next({ config: { version: 1, text: "x" } }), signer)));
  const lost = keeper.current();
  unwrap(await keeper.consider(takeover));
  unwrap(await keeper.consider(signed(next(), standby)));
  expect(told).toEqual([undefined, undefined, lost.hash, undefined]);
});

test("a listener that left is told nothing", async () => {
  let told = 0;
  const leave = keeper.onChange(() => {
    told += 1;
  });
  leave();
  await keeper.consider(signed(next(), signer));
  expect(told).toBe(0);
});

test("two rosters offered at once are taken one after the other", async () => {
  const first = next();
  const rivals = [signed(first, signer), signed({ ...first, config: { version: 1, text: "x" } }, signer)];
  const results = await Promise.all(rivals.map((encoded) => keeper.consider(encoded)));
  expect(results.map((result) => (result.ok ? result.value : result.error.message.slice(0, 21)))).toEqual([
    "adopted",
    "roster refused (fork)",
  ]);
});

test("a roster that cannot be written is not gone by", async () => {
  await symlink("/proc/none/none", join(stateDir, "roster.json.tmp"));
  const before = keeper.current();
  expect(await keeper.consider(signed(next(), signer))).toMatchObject({ ok: false });
  expect(keeper.current()).toBe(before);
});

test("a roster that cannot be written still cuts off whom it has removed, and lets in nobody new", async () => {
  const entry = (name: string, host: string): Roster["nodes"][number] => ({
    id: randomUUID() as NodeId,
    name,
    addresses: [`${host}:7654` as Address],
    pin: newKey().pin,
    added: at,
  });
  const [stays, goes] = [entry("stays", "127.0.0.7"), entry("goes", "127.0.0.8")];
  const comes = entry("comes", "127.0.0.9");
  const self = keeper.current().roster.nodes;
  unwrap(await keeper.consider(signed(next({ nodes: [...self, stays, goes] }), signer)));
  const letIn: string[][] = [];
  const note = ({ roster }: ParsedRoster): void => {
    letIn.push(keeper.trustView(identity.id, roster.nodes).peers.map(({ name }) => name));
  };
  keeper.beforeChange(note);
  await symlink("/proc/none/none", join(stateDir, "roster.json.tmp"));
  expect(await keeper.consider(signed(next({ nodes: [...self, stays, comes] }), signer))).toMatchObject({
    ok: false,
  });
  await expectRefusal(signed(next({ nodes: self }), newKey()), "");
  // One of its own is nobody's while it is not written.
  expect(await keeper.consider(signed(next({ nodes: self }), signer), "own")).toMatchObject({ ok: false });
  expect(letIn).toEqual([["stays"]]);
});

test("a node that missed epochs follows the chain to the latest", async () => {
  const second = nextRoster(keeper.current(), {}, at);
  const away = unwrap(await loadIdentity(stateDir)).keeper;
  for (let epoch = 2; epoch <= 5; epoch += 1) unwrap(await keeper.consider(signed(next(), signer)));
  expect(second.epoch).toBe(2);
  expect(await away.consider(keeper.current().encoded)).toEqual({ ok: true, value: "adopted" });
});

test("a roster of lower rank is refused", async () => {
  const first = keeper.current().encoded;
  unwrap(await keeper.consider(signed(next(), signer)));
  await expectRefusal(first, "older");
});

test("a roster with a broken chain is refused", async () => {
  const other = "0".repeat(64);
  const { ancestors: mine } = next();
  const ancestors = mine.map((link) => ({ ...link, hash: other }));
  await expectRefusal(signed(next({ previous: other, ancestors }), signer), "broken-chain");
  const leap = { epoch: 5, previous: other, ancestors: ancestors.map((link) => ({ ...link, epoch: 4 })) };
  await expectRefusal(signed(next(leap), signer), "broken-chain");
});

test("a second roster of the same rank is refused as a fork", async () => {
  const roster = keeper.current().roster;
  await expectRefusal(signed({ ...roster, config: { version: 9, text: "x" } }, signer), "fork");
});

test("a roster changed after it was signed is refused", async () => {
  const genuine = JSON.parse(signed(next(), signer)) as { body: string; signature: string; signer: string };
  const body = genuine.body.replace('"name":"pve1"', '"name":"evil"');
  expect(body).not.toBe(genuine.body);
  await expectRefusal(encodeSigned({ ...genuine, body }), "bad-signature");
});

test("a roster signed by a key that merely claims to be the keymaster's is refused", async () => {
  await expectRefusal(signed(next(), { key: newKey().key, pin: signer.pin }), "bad-signature");
});

test("a roster signed by a key that is in no succession is refused", async () => {
  await expectRefusal(signed(standbyTerm(), newKey()), "bad-signature");
  await expectRefusal(signed(next(), newKey()), "for another signing key");
});

test("a key that writes itself into the succession, certified by its own root, is refused", async () => {
  const ownRoot = { key: generateKey(), certificate: "" };
  ownRoot.certificate = await issueRoot(identity.mesh, ownRoot.key, now);
  const thief = await successor(ownRoot);
  await expectRefusal(signed(standbyTerm({ succession: [thief.entry] }), thief), "bad-signature");
  const { roots, succession } = keeper.current().roster;
  const rootPin = spkiPin(createPublicKey(ownRoot.key));
  const withRoot = { roots: [...roots, { pin: rootPin, certificate: ownRoot.certificate }] };
  await expectRefusal(
    signed(standbyTerm({ ...withRoot, succession: [thief.entry] }), thief),
    "bad-signature",
  );
  await expectRefusal(signed(next(withRoot), signer), "new-root");
  await expectRefusal(
    signed(next({ succession: [...succession, thief.entry] }), signer),
    "unproven-successor",
  );
});

test("a trusted root's key in another certificate is another root", async () => {
  const { roots, succession } = keeper.current().roster;
  const again = { pin: newKey().pin, certificate: await issueRoot(identity.mesh, root.key, now) };
  expect(roots[0]?.certificate).not.toBe(again.certificate);
  await expectRefusal(signed(next({ roots: [...roots, again] }), signer), "new-root");
  const instead = roots.map(({ pin }) => ({ pin, certificate: again.certificate }));
  await expectRefusal(signed(next({ roots: instead, succession }), signer), "bad-signature");
});

test("a node's own certificate does not make it a signer", async () => {
  const member = newKey();
  const issuer = { key: signer.key, certificate: keeper.current().roster.succession[0]?.certificate ?? "" };
  const names = { mesh: identity.mesh, node: identity.id };
  const certificate = await issueLeaf(names, createPublicKey(member.key), issuer, now);
  const succession = [{ node: identity.id, pin: member.pin, certificate }];
  await expectRefusal(signed(standbyTerm({ succession }), member), "bad-signature");
});

test("a signer below a signer is none", async () => {
  const certificate = await issueRoot(identity.mesh, signer.key, now);
  const below = await successor({ key: signer.key, certificate });
  await expectRefusal(signed(standbyTerm({ succession: [below.entry] }), below), "bad-signature");
});

test("a roster of another mesh is refused", async () => {
  await expectRefusal(signed(next({ mesh: randomUUID(), recovery: undefined }), signer), "other-mesh");
});

test("a roster whose signer is not its keymaster is refused", async () => {
  await expectRefusal(signed(next({ keymaster: randomUUID() }), signer), "bad-signature");
});

test("a generation is begun by a trusted root's signature over just that, and by nothing else", async () => {
  const chosen = await successor();
  const genuine = rootTerm(chosen, { succession: [chosen.entry] });
  const { generation, term, voids } = genuine.opening;
  const terms = { generation, term, signer: chosen.pin, voids };
  const opened = (opening: Roster["opening"], changes: Partial<Roster> = {}): string =>
    signed({ ...genuine, ...changes, opening }, chosen);
  const claimed = (key: KeyObject, mesh: string, said = terms): Roster["opening"] => ({
    ...genuine.opening,
    signature: signOpening(key, mesh, said).signature,
  });
  const { mesh } = identity;
  await expectRefusal(opened(claimed(root.key, randomUUID())), "outside-succession");
  await expectRefusal(opened(claimed(signer.key, mesh)), "outside-succession");
  await expectRefusal(
    opened(claimed(root.key, mesh, { ...terms, signer: signer.pin })),
    "outside-succession",
  );
  await expectRefusal(opened(claimed(root.key, mesh, { ...terms, generation: 3 })), "outside-succession");
  await expectRefusal(opened(claimed(root.key, mesh, { ...terms, term: 3 })), "outside-succession");
  await expectRefusal(
    opened(claimed(root.key, mesh, { ...terms, voids: [signer.pin] })),
    "outside-succession",
  );
  const unknown = newKey();
  const byUnknown = signOpening(unknown.key, mesh, terms);
  await expectRefusal(opened(byUnknown), "not among its roots");
  expect(await keeper.consider(signed(genuine, chosen))).toEqual({ ok: true, value: "adopted" });
});

test("a standby opens a term; the keymaster before it is older from then on", async () => {
  const standby = await successor();
  const { succession } = keeper.current().roster;
  const away = unwrap(await loadIdentity(stateDir)).keeper;
  unwrap(await keeper.consider(signed(next({ succession: [...succession, standby.entry] }), signer)));
  const late = signed(next(), signer);
  expect(await keeper.consider(signed(standbyTerm(), standby))).toEqual({ ok: true, value: "adopted" });
  expect(keeper.view()).toMatchObject({ generation: 1, term: 2, epoch: 1, opener: standby.pin.slice(0, 8) });
  await expectRefusal(late, "older");
  unwrap(await keeper.consider(signed(next(), standby)));
  // Who missed the roster that named the standby follows as well: the root has signed for it.
  expect(await away.consider(keeper.current().encoded)).toEqual({ ok: true, value: "adopted" });
});

test("two standbys in one term: the same one wins, whichever was heard first", async () => {
  const standbys = [await successor(), await successor()];
  const succession = [...keeper.current().roster.succession, ...standbys.map(({ entry }) => entry)];
  unwrap(await keeper.consider(signed(next({ succession }), signer)));
  const takeovers = standbys.map((standby) =>
    signed(standbyTerm({ config: { version: 1, text: "" } }), standby),
  );
  const best = standbys.map(({ pin }) => pin).reduce((a, b) => (a.slice(0, 8) > b.slice(0, 8) ? a : b));
  for (const order of [takeovers, takeovers.toReversed()]) {
    const folder = join(await temporaryFolder(), "state");
    await cp(stateDir, folder, { recursive: true });
    const other = unwrap(await loadIdentity(folder)).keeper;
    for (const encoded of order) await other.consider(encoded);
    expect(other.current().signed.signer).toBe(best);
  }
});

test("a stolen keymaster a thousand epochs on loses against the root, and cannot follow it there", async () => {
  const before = keeper.current();
  const stolen = next({ epoch: 1001, config: { version: 9, text: "evil" } });
  unwrap(await keeper.consider(signed(stolen, signer)));
  const away = unwrap(await loadIdentity(stateDir)).keeper;
  const chosen = await successor();
  const [old] = before.roster.succession;
  if (old === undefined) throw new Error("nobody signs");
  const without = withoutSigner(before.roster, old, { why: "stolen", at });
  const changes = { revoked: without.revoked, succession: [chosen.entry] };
  const healed = rootTerm(chosen, changes, before);
  expect(healed.opening.voids).toEqual([signer.pin]);
  expect(await keeper.consider(signed(healed, chosen))).toEqual({ ok: true, value: "adopted" });
  await expectRefusal(signed(next({ epoch: 5000 }), signer), "signing key has been revoked");
  // Nor does it catch those that have not heard: with the root's opening its key is void on its face.
  const lured = { ...stolen, generation: 2, term: 99, opening: healed.opening };
  expect(await away.consider(signed(lured, signer))).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining("signing key has been revoked") },
  });
  expect(await away.consider(keeper.current().encoded)).toEqual({ ok: true, value: "adopted" });
});

test("a revoked signer is not believed, even in a later term that the root once opened for it", async () => {
  const standby = await successor();
  const { succession } = keeper.current().roster;
  unwrap(await keeper.consider(signed(next({ succession: [...succession, standby.entry] }), signer)));
  const opened = rootTerm(standby);
  const changes = withoutSigner(keeper.current().roster, standby.entry, { why: "stolen", at });
  unwrap(await keeper.consider(signed(next(changes), signer)));
  await expectRefusal(signed(opened, standby), "revoked-signer");
});

test("a root that was handed over to is followed by who missed it all, across a restart", async () => {
  const newRoot = { key: generateKey(), certificate: "" };
  newRoot.certificate = await issueRoot(identity.mesh, newRoot.key, now);
  const heir = await successor(newRoot);
  const handovers = [unwrap(signHandover(root.key, identity.mesh, newRoot.certificate))];
  const roots = [{ pin: spkiPin(createPublicKey(newRoot.key)), certificate: newRoot.certificate }];
  const rotated = (changes: TermChanges): string => {
    const right = { by: "root", key: newRoot.key, signer: heir.pin } as const;
    return signed(
      openTerm(keeper.current(), right, { roots, succession: [heir.entry], ...changes }, at),
      heir,
    );
  };
  await expectRefusal(rotated({}), "bad-signature");
  const forged = { ...handovers[0], signature: signText(newRoot.key, "balefire-handover/1") };
  await expectRefusal(rotated({ handovers: [forged as Roster["handovers"][number]] }), "bad-signature");
  expect(await keeper.consider(rotated({ handovers }))).toEqual({ ok: true, value: "adopted" });
  const reread = unwrap(await RosterKeeper.load(new StateFolder(stateDir), identity.mesh));
  expect(reread.current().hash).toBe(keeper.current().hash);
});

test("with its signer certified anew by a new root, the node's own certificate is still its own", async () => {
  const newRoot = { key: generateKey(), certificate: "" };
  newRoot.certificate = await issueRoot(identity.mesh, newRoot.key, now);
  const again = await successor(newRoot, signer);
  const changes = {
    roots: [{ pin: spkiPin(createPublicKey(newRoot.key)), certificate: newRoot.certificate }],
    handovers: [unwrap(signHandover(root.key, identity.mesh, newRoot.certificate))],
    succession: [again.entry],
  };
  const right = { by: "root", key: newRoot.key, signer: signer.pin } as const;
  unwrap(await keeper.consider(signed(openTerm(keeper.current(), right, changes, at), signer)));
  expect((await OwnCertificate.load(new StateFolder(stateDir), identity, keeper)).ok).toBe(true);
  expect(keeper.trustView(identity.id).issuers).toEqual([again.entry.certificate]);
  const other = await successor(newRoot);
  const without = { ...changes, succession: [other.entry] };
  const byOther = { by: "root", key: newRoot.key, signer: other.pin } as const;
  unwrap(await keeper.consider(signed(openTerm(keeper.current(), byOther, without, at), other)));
  expect((await OwnCertificate.load(new StateFolder(stateDir), identity, keeper)).ok).toBe(false);
});

test("once another node signs, the old keymaster makes no more rosters", async () => {
  const promoted = await successor();
  unwrap(await keeper.consider(signed(rootTerm(promoted, { succession: [promoted.entry] }), promoted)));
  expect(await identity.seat.office.applyConfig("channels: []\n")).toMatchObject({
    ok: false,
    error: { code: "not-keymaster" },
  });
  expect(unwrap(await loadIdentity(stateDir)).seat.current()).toBeUndefined();
});
