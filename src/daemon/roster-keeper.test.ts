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
import { signTermProof } from "../adapters/pki/roster-signature.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { unwrap } from "../kit/result.ts";
import { wallTime } from "../kit/time.ts";
import { encodeSigned, type Roster } from "../wire/roster.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { initMesh } from "./init.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { nextRoster } from "./roster-next.ts";
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
const newKey = (): SigningKey => {
  const key = generateKey();
  return { key, pin: spkiPin(createPublicKey(key)) };
};

/** A key with a root's certificate, as a standby's or a newly promoted keymaster's would be. */
async function successor(
  authority: { key: KeyObject; certificate: string } = root,
): Promise<SigningKey & { entry: Roster["succession"][number] }> {
  const made = newKey();
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
  expect(keeper.view()).toMatchObject({ term: 1, epoch: 2, keymaster: identity.id, signed: encoded });
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
  const ancestors = [{ term: 1, epoch: 1, hash: other }];
  await expectRefusal(signed(next({ previous: other, ancestors }), signer), "broken-chain");
  const leap = { epoch: 5, previous: other, ancestors: [{ term: 1, epoch: 4, hash: other }] };
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
  await expectRefusal(signed(next(), newKey()), "bad-signature");
});

test("a key that writes itself into the succession, certified by its own root, is refused", async () => {
  const ownRoot = { key: generateKey(), certificate: "" };
  ownRoot.certificate = await issueRoot(identity.mesh, ownRoot.key, now);
  const thief = await successor(ownRoot);
  await expectRefusal(signed(next({ term: 2, succession: [thief.entry] }), thief), "bad-signature");
  const { roots, succession } = keeper.current().roster;
  const rootPin = spkiPin(createPublicKey(ownRoot.key));
  const withRoot = { roots: [...roots, { pin: rootPin, certificate: ownRoot.certificate }] };
  await expectRefusal(
    signed(next({ ...withRoot, term: 2, succession: [thief.entry] }), thief),
    "bad-signature",
  );
  await expectRefusal(signed(next(withRoot), signer), "new-root");
  await expectRefusal(
    signed(next({ succession: [...succession, thief.entry] }), signer),
    "unproven-successor",
  );
});

test("a trusted root's key in another certificate is another root", async () => {
  const again = await issueRoot(identity.mesh, root.key, now);
  const roots = keeper.current().roster.roots.map(({ pin }) => ({ pin, certificate: again }));
  await expectRefusal(signed(next({ roots }), signer), "new-root");
});

test("a node's own certificate does not make it a signer", async () => {
  const member = newKey();
  const issuer = { key: signer.key, certificate: keeper.current().roster.succession[0]?.certificate ?? "" };
  const names = { mesh: identity.mesh, node: identity.id };
  const certificate = await issueLeaf(names, createPublicKey(member.key), issuer, now);
  const succession = [{ node: identity.id, pin: member.pin, certificate }];
  await expectRefusal(signed(next({ term: 2, succession }), member), "bad-signature");
});

test("a signer below a signer is none", async () => {
  const issuer = { key: signer.key, certificate: keeper.current().roster.succession[0]?.certificate ?? "" };
  const below = await successor(issuer);
  await expectRefusal(signed(next({ term: 2, succession: [below.entry] }), below), "bad-signature");
});

test("a roster of another mesh is refused", async () => {
  await expectRefusal(signed(next({ mesh: randomUUID() }), signer), "other-mesh");
});

test("a roster whose signer is not its keymaster is refused", async () => {
  await expectRefusal(signed(next({ keymaster: randomUUID() }), signer), "bad-signature");
});

test("a key outside the succession opens no term, with or without a proof made for something else", async () => {
  const outsider = await successor();
  const opened = next({ term: 2, succession: [outsider.entry] });
  await expectRefusal(signed({ ...opened, termProof: { by: "standby" } }, outsider), "outside-succession");
  const proof = (mesh: string, term: number, pin: string, key = root.key): Roster => ({
    ...opened,
    termProof: {
      by: "root",
      root: opened.roots[0]?.pin ?? "",
      signature: signTermProof(key, mesh, term, pin),
    },
  });
  await expectRefusal(signed(proof(identity.mesh, 3, outsider.pin), outsider), "outside-succession");
  await expectRefusal(signed(proof(identity.mesh, 2, signer.pin), outsider), "outside-succession");
  await expectRefusal(signed(proof(randomUUID(), 2, outsider.pin), outsider), "outside-succession");
  await expectRefusal(
    signed(proof(identity.mesh, 2, outsider.pin, signer.key), outsider),
    "outside-succession",
  );
  const unknown = newKey();
  const signature = signTermProof(unknown.key, identity.mesh, 2, outsider.pin);
  const byUnknown = { ...opened, termProof: { by: "root", root: unknown.pin, signature } } as const;
  await expectRefusal(signed(byUnknown, outsider), "outside-succession");
  const genuine = signed(proof(identity.mesh, 2, outsider.pin), outsider);
  expect(await keeper.consider(genuine)).toEqual({ ok: true, value: "adopted" });
});

test("a standby of the current succession opens a term; within the term nobody else may sign", async () => {
  const standby = await successor();
  const { succession } = keeper.current().roster;
  unwrap(await keeper.consider(signed(next({ succession: [...succession, standby.entry] }), signer)));
  await expectRefusal(signed(next(), standby), "second-signer");
  const takeover = next({ term: 2, termProof: { by: "standby" } });
  expect(await keeper.consider(signed(takeover, standby))).toEqual({ ok: true, value: "adopted" });
  await expectRefusal(signed(next(), signer), "second-signer");
});

test("a revoked signer is not believed, even in a later term that the root once opened for it", async () => {
  const standby = await successor();
  const { succession } = keeper.current().roster;
  const revoked = [{ pin: standby.pin, node: identity.id, name: "pve1", at, reason: "stolen" }];
  unwrap(
    await keeper.consider(signed(next({ succession: [...succession, standby.entry], revoked }), signer)),
  );
  const signature = signTermProof(root.key, identity.mesh, 2, standby.pin);
  const termProof = { by: "root", root: keeper.current().roster.roots[0]?.pin ?? "", signature } as const;
  await expectRefusal(signed(next({ term: 2, termProof }), standby), "revoked-signer");
});

test("once another node signs, the old keymaster makes no more rosters", async () => {
  const promoted = await successor();
  const signature = signTermProof(root.key, identity.mesh, 2, promoted.pin);
  const termProof = { by: "root", root: keeper.current().roster.roots[0]?.pin ?? "", signature } as const;
  unwrap(await keeper.consider(signed(next({ term: 2, succession: [promoted.entry], termProof }), promoted)));
  expect(await identity.keymaster?.applyConfig("channels: []\n")).toMatchObject({
    ok: false,
    error: { code: "not-keymaster" },
  });
  expect(unwrap(await loadIdentity(stateDir)).keymaster).toBeUndefined();
});
