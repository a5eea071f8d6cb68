import { createPublicKey } from "node:crypto";
import { readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { askAs } from "../../test/e2e/join-client.ts";
import { newHost, type Rig, rig } from "../../test/e2e/join-rig.ts";
import { generateKey, parsePrivateKey, spkiPin } from "../adapters/pki/keys.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import { unwrap } from "../kit/result.ts";
import { hours } from "../kit/time.ts";
import type { Roster } from "../wire/roster.ts";
import { loadIdentity } from "./identity.ts";
import { joinMesh } from "./join.ts";
import { nextRoster } from "./roster-next.ts";

const at = new Date().toISOString();
const refusal = (code: string, message = ""): object => ({
  ok: false,
  error: { code, message: expect.stringContaining(message) },
});

/** Changes the roster the way a later release's commands would. */
async function publish({ stateDir, identity }: Rig, changes: Partial<Roster>): Promise<void> {
  const key = unwrap(parsePrivateKey(await readFile(join(stateDir, "signer.key"), "utf8"), "signer.key"));
  const { keeper } = identity;
  const roster = nextRoster(keeper.current(), changes, at);
  unwrap(await keeper.consider(unwrap(signRoster(roster, key, spkiPin(createPublicKey(key)))).encoded));
}

test("a token that cannot be marked as used admits nobody, until it can", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const blocked = join(mesh.stateDir, "tokens.json.tmp");
  await symlink("/proc/none/none", blocked);
  const key = generateKey();
  expect(await askAs(mesh.address, token, { key })).toMatchObject({ ok: false });
  expect(mesh.identity.keeper.view().epoch).toBe(1);
  expect(mesh.keymaster.listTokens()).toMatchObject([{ state: "open" }]);
  await rm(blocked);
  expect(await askAs(mesh.address, token, { key })).toMatchObject({ ok: true });
});

test("a roster that cannot be written admits nobody; the same key gets in later, another does not", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const blocked = join(mesh.stateDir, "roster.json.tmp");
  await symlink("/proc/none/none", blocked);
  const key = generateKey();
  expect(await askAs(mesh.address, token, { key })).toMatchObject({ ok: false });
  await rm(blocked);
  expect(await askAs(mesh.address, token)).toMatchObject(refusal("token-used"));
  expect(await askAs(mesh.address, token, { key })).toMatchObject({ ok: true });
  expect(mesh.identity.keeper.view().members).toHaveLength(2);
});

test("the same key again gets the same node, with the addresses it has now", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const key = generateKey();
  expect(await askAs(mesh.address, token, { key, addresses: ["127.0.0.2:1"] })).toMatchObject({ ok: true });
  const [, first] = mesh.identity.keeper.view().members;
  expect(await askAs(mesh.address, token, { key, addresses: ["127.0.0.3:1"] })).toMatchObject({ ok: true });
  // Its certificate was issued anew, perhaps in the next second.
  const [, second] = mesh.identity.keeper.view().members;
  expect(mesh.identity.keeper.view().members).toHaveLength(2);
  expect({ ...second, certificateExpires: first?.certificateExpires }).toEqual({
    ...first,
    addresses: ["127.0.0.3:1"],
  });
});

test("a revoked key does not come back with a new token", async () => {
  const mesh = await rig();
  const key = generateKey();
  const pin = spkiPin(createPublicKey(key));
  await publish(mesh, { revoked: [{ pin, node: mesh.mesh.node, name: "pve9", at, reason: "stolen" }] });
  expect(await askAs(mesh.address, await mesh.token("pve2"), { key })).toMatchObject(refusal("join-refused"));
});

test("a full mesh takes nobody in and keeps the token open", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve-last");
  const [self] = mesh.identity.keeper.current().roster.nodes;
  if (self === undefined) throw new Error("the keymaster is not in its roster");
  const others = Array.from({ length: 199 }, (_, index) => ({
    ...self,
    id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    name: `pve${index + 2}`,
    addresses: [`10.1.0.${index + 1}:7654`],
    pin: String(index).padStart(43, "A"),
  }));
  await publish(mesh, { nodes: [self, ...others] });
  expect(await askAs(mesh.address, token)).toMatchObject(refusal("limit-reached"));
  expect(mesh.keymaster.listTokens()).toMatchObject([{ state: "open" }]);
});

test("a token for a name that no host can have is not made", async () => {
  const { keymaster } = await rig();
  for (const name of ["", "PVE2", "pve2.example", "-pve2", "x".repeat(64)]) {
    expect(await keymaster.createToken(name, hours(1))).toMatchObject(refusal("usage"));
  }
  expect(keymaster.listTokens()).toEqual([]);
});

test("each shared configuration is numbered, signed and kept; the same text again is no news", async () => {
  const { keymaster, identity, stateDir } = await rig();
  const text = "channels:\n  - name: phone\n";
  expect(await keymaster.applyConfig(text)).toEqual({
    ok: true,
    value: { term: 1, epoch: 2, version: 1, changed: true },
  });
  expect(await keymaster.applyConfig(text)).toMatchObject({
    value: { epoch: 2, version: 1, changed: false },
  });
  expect(identity.keeper.current().roster.config).toEqual({ version: 1, text });
  const reloaded = unwrap(await loadIdentity(stateDir));
  expect(reloaded.keeper.current().roster.config).toEqual({ version: 1, text });
});

test("of two who change the same configuration, the second is told", async () => {
  const { keymaster, identity } = await rig();
  const expectVersion = 0;
  const results = await Promise.all([
    keymaster.applyConfig("a: 1\n", { expectVersion }),
    keymaster.applyConfig("b: 1\n", { expectVersion }),
  ]);
  expect(results).toMatchObject([{ ok: true }, refusal("roster-refused", "version 1 by now, not 0")]);
  expect(identity.keeper.current().roster.config.text).toBe("a: 1\n");
});

test("a configuration too long for a roster is refused before it is signed", async () => {
  const { keymaster, identity } = await rig();
  expect(await keymaster.applyConfig("x".repeat(262_145))).toMatchObject(refusal("limit-reached"));
  expect((await keymaster.applyConfig('"'.repeat(262_144))).ok).toBe(false);
  expect(identity.keeper.view().epoch).toBe(1);
});

test("joins and changes at the same time make one chain of epochs", async () => {
  const mesh = await rig();
  const tokens = await Promise.all(["pve2", "pve3", "pve4"].map((name) => mesh.token(name)));
  const joins = tokens.map((token, index) =>
    askAs(mesh.address, token, { addresses: [`127.0.0.${index + 2}:1`] }),
  );
  const applied = [1, 2, 3].map((each) => mesh.keymaster.applyConfig(`a: ${each}\n`));
  for (const result of await Promise.all([...joins, ...applied])) expect(result.ok).toBe(true);
  const { roster } = mesh.identity.keeper.current();
  expect(roster.epoch).toBe(7);
  expect(roster.nodes).toHaveLength(4);
  expect(roster.ancestors.map((link) => link.epoch)).toEqual([6, 5, 4, 3, 2, 1]);
});

test("a removed host does not come back by the token it once used; its name does, with a new one", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const key = generateKey();
  expect(await askAs(mesh.address, token, { key })).toMatchObject({ ok: true });
  const removed = unwrap(await mesh.keymaster.removeNode("pve2", "sold"));
  expect(await askAs(mesh.address, token, { key })).toMatchObject(
    refusal("join-refused", "known to the mesh"),
  );
  expect(mesh.identity.keeper.current().roster.revoked).toMatchObject([
    { node: removed.node.id, name: "pve2", reason: "sold", serials: [removed.node.certificateSerial] },
  ]);
  expect(await askAs(mesh.address, await mesh.token("pve2"), { key })).toMatchObject(refusal("join-refused"));
  expect(await askAs(mesh.address, await mesh.token("pve2"))).toMatchObject({ ok: true });
});

test("whom a certificate is issued to is listed with the root above it", async () => {
  const mesh = await rig();
  unwrap(await joinMesh(await newHost(await mesh.token("pve2"))));
  const { nodes, roots } = mesh.identity.keeper.current().roster;
  expect(nodes.map(({ name, root }) => [name, root])).toEqual([
    ["pve1", roots[0]?.pin],
    ["pve2", roots[0]?.pin],
  ]);
});

test("a node is not given another's address, nor none, and keeps its identity at new ones", async () => {
  const mesh = await rig();
  unwrap(await joinMesh(await newHost(await mesh.token("pve2"))));
  expect(await mesh.keymaster.readdressNode("pve2", [mesh.address])).toMatchObject(
    refusal("address-invalid", "node pve1 has it"),
  );
  expect(await mesh.keymaster.readdressNode("pve2", [])).toMatchObject(refusal("address-invalid"));
  expect(await mesh.keymaster.readdressNode("pve9", ["10.0.0.1"])).toMatchObject(refusal("node-unknown"));
  const before = mesh.identity.keeper.current().roster.nodes.find(({ name }) => name === "pve2");
  unwrap(await mesh.keymaster.readdressNode("pve2", ["127.0.0.9"]));
  const after = mesh.identity.keeper.current().roster.nodes.find(({ name }) => name === "pve2");
  expect(after).toEqual({ ...before, addresses: ["127.0.0.9:7654"] });
});
