import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/e2e/join-rig.ts";
import { openRecovery } from "../adapters/pki/recovery.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { lockState } from "../adapters/state/lock.ts";
import { unwrap } from "../kit/result.ts";
import { loadIdentity, withOfflineKeymaster } from "./identity.ts";
import { initMesh } from "./init.ts";
import { RECOVERY_STATE_FILE } from "./state-files.ts";

const newState = async (): Promise<string> => join(await temporaryFolder(), "state");
const init = (stateDir: string) => initMesh({ stateDir, name: "pve1", addresses: ["127.0.0.1"] });

test("a new mesh has one node, which signs, and a code that opens its recovery file", async () => {
  const stateDir = await newState();
  const made = unwrap(await init(stateDir));
  const identity = unwrap(await loadIdentity(stateDir));
  expect(identity).toMatchObject({
    mesh: made.mesh,
    id: made.node,
    name: "pve1",
    addresses: ["127.0.0.1:7654"],
  });
  expect(identity.seat.current()).toBeDefined();
  expect(identity.keeper.view()).toMatchObject({ generation: 1, term: 1, epoch: 1, keymaster: made.node });
  expect(identity.keeper.trustView(made.node)).toMatchObject({
    peers: [],
    roots: [expect.stringContaining("BEGIN")],
    issuers: [expect.stringContaining("BEGIN")],
  });
  const file = unwrap(await new StateFolder(stateDir).readJson(RECOVERY_STATE_FILE));
  if (file === undefined) throw new Error("no recovery file");
  expect(unwrap(await openRecovery(file, made.recoveryCode)).mesh).toBe(made.mesh);
  const { roster } = identity.keeper.current();
  expect(roster.recovery).toEqual(file);
  expect(roster.nodes[0]?.root).toBe(roster.roots[0]?.pin);
  expect(made.recoveryFile).toBe(join(stateDir, "recovery.balefire"));
});

test("neither the recovery code nor the root's key lies in the folder, and all files are the owner's alone", async () => {
  const stateDir = await newState();
  const made = unwrap(await init(stateDir));
  const names = await readdir(stateDir);
  expect(names.sort()).toEqual([
    "lock",
    "node.crt",
    "node.json",
    "node.key",
    "recovery.balefire",
    "roster.json",
    "signer.crt",
    "signer.key",
    "tokens.json",
  ]);
  const keys = names.filter((name) => name.endsWith(".key"));
  for (const name of names) {
    const text = await readFile(join(stateDir, name), "utf8");
    expect(text).not.toContain(made.recoveryCode.slice(0, 11));
    if (!keys.includes(name)) expect(text).not.toContain("PRIVATE KEY");
    expect((await stat(join(stateDir, name))).mode & 0o077).toBe(0);
  }
});

test("the code is announced while there is no mesh yet", async () => {
  const stateDir = await newState();
  let announced = "";
  const announce = async (mesh: { recoveryCode: string }): Promise<void> => {
    announced = mesh.recoveryCode;
    expect((await loadIdentity(stateDir)).ok).toBe(false);
  };
  const made = unwrap(await initMesh({ stateDir, name: "pve1", addresses: ["127.0.0.1"], announce }));
  expect(announced).toBe(made.recoveryCode);
});

test("an identity is not replaced", async () => {
  const stateDir = await newState();
  const made = unwrap(await init(stateDir));
  expect(await init(stateDir)).toMatchObject({
    ok: false,
    error: { code: "state-exists", message: expect.stringContaining(made.mesh) },
  });
  expect(unwrap(await loadIdentity(stateDir)).mesh).toBe(made.mesh);
});

test("what is left of an identity without node.json is not replaced either", async () => {
  const stateDir = await newState();
  unwrap(await init(stateDir));
  await rm(join(stateDir, "node.json"));
  const key = await readFile(join(stateDir, "node.key"), "utf8");
  expect(await init(stateDir)).toMatchObject({ ok: false, error: { code: "state-exists" } });
  expect(await readFile(join(stateDir, "node.key"), "utf8")).toBe(key);
});

test("init leaves an unfinished join alone", async () => {
  const stateDir = await newState();
  unwrap(await new StateFolder(stateDir).prepare());
  await writeFile(join(stateDir, "pending-join.json"), "{}");
  expect(await init(stateDir)).toMatchObject({ ok: false, error: { code: "state-exists" } });
  expect(await readdir(stateDir)).toEqual(["lock", "pending-join.json"]);
});

test.each([
  [{ name: "PVE1" }, "usage"],
  [{ name: "" }, "usage"],
  [{ name: "pve1.example" }, "usage"],
  [{ addresses: [] }, "address-invalid"],
  [{ addresses: ["0.0.0.0"] }, "address-invalid"],
])("init with %j is refused and leaves nothing", async (change, code) => {
  const stateDir = await newState();
  const options = { stateDir, name: "pve1", addresses: ["127.0.0.1"], ...change };
  expect(await initMesh(options)).toMatchObject({ ok: false, error: { code } });
  await expect(stat(stateDir)).rejects.toThrow();
});

test("while a daemon holds the folder, neither init nor an offline command touches it", async () => {
  const stateDir = await newState();
  unwrap(await init(stateDir));
  const daemon = unwrap(lockState(stateDir));
  const create = () => withOfflineKeymaster(stateDir, (keymaster) => keymaster.createToken("pve2", 60_000));
  expect(await init(stateDir)).toMatchObject({ ok: false, error: { code: "state-locked" } });
  expect(await create()).toMatchObject({ ok: false, error: { code: "state-locked" } });
  daemon.release();
  unwrap(await create());
  unwrap(await create());
});
