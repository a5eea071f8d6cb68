import { createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { chmod, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../test/e2e/join-rig.ts";
import { issueLeaf } from "../adapters/pki/issue.ts";
import { generateKey, keyPem, parsePrivateKey } from "../adapters/pki/keys.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { unwrap } from "../kit/result.ts";
import { days, wallTime } from "../kit/time.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { initMesh } from "./init.ts";
import { joinMesh } from "./join.ts";
import { RECOVERY_STATE_FILE, ROSTER_FILE } from "./state-files.ts";

/** Two meshes, made once; each test damages a copy of the first. */
const made = mkdtempSync(join(tmpdir(), "balefire-identity-"));
const [template, other] = [join(made, "first"), join(made, "second")];
const LOADED = [
  "node.key",
  "node.crt",
  "node.json",
  "roster.json",
  "signer.key",
  "signer.crt",
  "tokens.json",
];
let stateDir: string;
let whole: Identity;

beforeAll(async () => {
  unwrap(await initMesh({ stateDir: template, name: "pve1", addresses: ["127.0.0.1"] }));
  unwrap(await initMesh({ stateDir: other, name: "pve1", addresses: ["127.0.0.1"] }));
  whole = unwrap(await loadIdentity(template));
  await whole.seat.current()?.createToken("pve2", 60_000);
});
afterAll(() => rmSync(made, { recursive: true, force: true }));
beforeEach(async () => {
  stateDir = join(await temporaryFolder(), "state");
  await cp(template, stateDir, { recursive: true });
});

async function contents(): Promise<Record<string, string>> {
  const names = (await readdir(stateDir)).filter((name) => name !== "lock");
  const texts = await Promise.all(names.map((name) => readFile(join(stateDir, name), "latin1")));
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ""]));
}

/** The failure names the file; no other command repairs it by overwriting. */
async function expectNamed(file: string): Promise<void> {
  const before = await contents();
  const loaded = await loadIdentity(stateDir);
  expect(loaded.ok ? `${file}: loaded` : loaded.error.message).toContain(file);
  expect((await initMesh({ stateDir, name: "pve1", addresses: ["127.0.0.1"] })).ok).toBe(false);
  expect(await contents()).toEqual(before);
}

test.each(LOADED)("a torn %s is named and left as it is", async (file) => {
  const bytes = await readFile(join(stateDir, file));
  for (const share of [0, 0.3, 0.9]) {
    await writeFile(join(stateDir, file), bytes.subarray(0, Math.floor(bytes.length * share)));
    await expectNamed(file);
  }
});

test.each(LOADED)("a flipped bit in %s is named, or changes nothing", async (file) => {
  const bytes = await readFile(join(stateDir, file));
  let named = 0;
  for (let trial = 0; trial < 40; trial += 1) {
    const at = Math.floor(((trial + 0.5) * bytes.length) / 40);
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (trial % 8));
    await writeFile(join(stateDir, file), damaged);
    const loaded = await loadIdentity(stateDir);
    if (loaded.ok) {
      const { mesh, id, name, addresses, certificateExpires } = whole;
      expect(loaded.value).toMatchObject({ mesh, id, name, addresses, certificateExpires });
      expect(loaded.value.keeper.current().hash).toBe(whole.keeper.current().hash);
      expect(loaded.value.seat.current()?.listTokens()).toEqual(whole.seat.current()?.listTokens());
      expect(loaded.value.seat.office.signer?.certificate.trim()).toBe(
        whole.seat.office.signer?.certificate.trim(),
      );
    } else {
      named += 1;
      expect(loaded.error.message).toContain(join(stateDir, file));
      expect(JSON.stringify(loaded.error)).not.toMatch(/PRIVATE KEY|[A-Za-z0-9+/]{40}/);
    }
  }
  // Where only the signature of a certificate is damaged, peers refuse it; of the signing key's the roster has a copy.
  expect(named).toBeGreaterThan(file.endsWith(".crt") ? 20 : 30);
});

test("a flipped bit in the recovery file is named, or changes nothing", async () => {
  const path = join(stateDir, "recovery.balefire");
  const bytes = await readFile(path);
  const genuine = unwrap(await new StateFolder(stateDir).readJson(RECOVERY_STATE_FILE));
  for (let at = 0; at < bytes.length; at += 7) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 4;
    await writeFile(path, damaged);
    const read = await new StateFolder(stateDir).readJson(RECOVERY_STATE_FILE);
    if (read.ok) expect(read.value).toEqual(genuine);
    else expect(read.error.message).toContain(path);
  }
});

test.each(LOADED.filter((file) => file !== "tokens.json"))("a missing %s is named", async (file) => {
  await rm(join(stateDir, file));
  const loaded = await loadIdentity(stateDir);
  expect(loaded).toMatchObject({ ok: false, error: { code: "state-missing" } });
  if (file !== "node.json") expect(!loaded.ok && loaded.error.message).toContain(file);
});

test.each(["node.key", "signer.key"])(
  "a %s that others can read is refused with the command that closes it",
  async (file) => {
    await chmod(join(stateDir, file), 0o644);
    expect(await loadIdentity(stateDir)).toMatchObject({
      ok: false,
      error: { code: "state-permissions", remedy: `chmod 600 ${join(stateDir, file)}` },
    });
  },
);

test.each(["node.key", "node.crt", "node.json", "roster.json", "signer.key"])(
  "a whole %s of another mesh is refused",
  async (file) => {
    await cp(join(other, file), join(stateDir, file));
    const loaded = await loadIdentity(stateDir);
    expect(loaded).toMatchObject({ ok: false, error: { code: "state-corrupt" } });
  },
);

test("a roster whose signature does not hold is refused by name, though its file is whole", async () => {
  const folder = new StateFolder(stateDir);
  const genuine = unwrap(await folder.readJson(ROSTER_FILE));
  if (genuine === undefined) throw new Error("init made no roster");
  const body = genuine.body.replace('"version":0', '"version":7');
  for (const forged of [{ ...genuine, body }, unwrap(await new StateFolder(other).readJson(ROSTER_FILE))]) {
    if (forged !== undefined) unwrap(await folder.writeJson(ROSTER_FILE, forged));
    const loaded = await loadIdentity(stateDir);
    expect(loaded).toMatchObject({ ok: false, error: { code: "state-corrupt" } });
    expect(!loaded.ok && loaded.error.message).toContain("roster.json: the roster");
  }
});

test("a certificate by this mesh's signer for another node is refused", async () => {
  const signer = {
    key: unwrap(parsePrivateKey(await readFile(join(stateDir, "signer.key"), "utf8"), "signer.key")),
    certificate: await readFile(join(stateDir, "signer.crt"), "utf8"),
  };
  const key = generateKey();
  const names = { mesh: whole.mesh, node: whole.mesh };
  const leaf = await issueLeaf(names, createPublicKey(key), signer, wallTime(Date.now()));
  await writeFile(join(stateDir, "node.key"), keyPem(key), { mode: 0o600 });
  await writeFile(join(stateDir, "node.crt"), leaf + signer.certificate);
  expect(await loadIdentity(stateDir)).toMatchObject({
    ok: false,
    error: { code: "state-corrupt", message: expect.stringContaining("not for this node") },
  });
});

test("an expired certificate does not keep a node from starting", async () => {
  const signer = {
    key: unwrap(parsePrivateKey(await readFile(join(stateDir, "signer.key"), "utf8"), "signer.key")),
    certificate: await readFile(join(stateDir, "signer.crt"), "utf8"),
  };
  const key = createPublicKey(await readFile(join(stateDir, "node.key"), "utf8"));
  const longAgo = wallTime(Date.now() - days(40));
  const leaf = await issueLeaf({ mesh: whole.mesh, node: whole.id }, key, signer, longAgo);
  await writeFile(join(stateDir, "node.crt"), leaf + signer.certificate);
  expect(unwrap(await loadIdentity(stateDir)).certificateExpires).toBeLessThan(Date.now());
});

test("an empty folder, an interrupted init and an interrupted join each say how to go on", async () => {
  const folder = await temporaryFolder();
  const remedy = async (): Promise<string | undefined> => {
    const loaded = await loadIdentity(folder);
    expect(loaded).toMatchObject({ ok: false, error: { code: "state-missing" } });
    return loaded.ok ? undefined : loaded.error.remedy;
  };
  expect(await remedy()).toContain("balefire init");
  await writeFile(join(folder, "pending-join.json"), "{}");
  expect(await remedy()).toContain("balefire join");
  await writeFile(join(folder, "pending-init.json"), "{}");
  expect(await remedy()).toContain("balefire init");
});

test("a host that is a node of one mesh does not join another", async () => {
  const second = unwrap(await loadIdentity(other));
  const token = unwrap(
    (await second.seat.current()?.createToken("pve9", 60_000)) ?? { ok: false, error: neverKeymaster },
  );
  expect(await joinMesh({ stateDir, token: token.token, addresses: ["127.0.0.2"] })).toMatchObject({
    ok: false,
    error: { code: "state-exists" },
  });
  await rm(join(stateDir, "node.json"));
  expect(await joinMesh({ stateDir, token: token.token, addresses: ["127.0.0.2"] })).toMatchObject({
    ok: false,
    error: { code: "state-exists" },
  });
});

const neverKeymaster = {
  code: "internal",
  message: "the second mesh has no keymaster",
  retry: false,
} as const;
