/** A change of keymaster, and of who may be one, killed at every step that changes a disk: the same again ends well. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCsr } from "../../src/adapters/pki/csr.ts";
import { type Identity, loadIdentity } from "../../src/daemon/identity.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import { openRootKey, type RootKey } from "../../src/daemon/root-key.ts";
import { addStandby, promoteByRoot, promoteStandby } from "../../src/daemon/takeover.ts";
import { unwrap } from "../../src/kit/result.ts";
import { wallTime } from "../../src/kit/time.ts";
import { expectTidy, runToItsEnd, sweep } from "./crash-rig.ts";
import { type Rig, rig, temporaryFolder } from "./join-rig.ts";

const now = () => wallTime(Date.now());
const reload = async (stateDir: string): Promise<Identity> => unwrap(await loadIdentity(stateDir));
const rootOf = async ({ mesh, identity }: Rig): Promise<RootKey> =>
  unwrap(await openRootKey({ roster: identity.keeper.current().roster, code: mesh.recoveryCode }));

/** A mesh of two, of which the second is a standby where that is wanted; its state folder. */
async function second(mesh: Rig, standby: boolean): Promise<string> {
  const stateDir = join(await temporaryFolder(), "second");
  unwrap(await joinMesh({ stateDir, token: await mesh.token("pve2"), addresses: ["127.0.0.2"] }));
  if (!standby) return stateDir;
  const node = await reload(stateDir);
  const { key } = unwrap(await node.seat.pendingKey());
  unwrap(await addStandby(mesh.keymaster, node.id, createCsr(key), await rootOf(mesh), now()));
  unwrap(await node.keeper.consider(mesh.identity.keeper.current().encoded));
  unwrap(await node.seat.settle());
  return stateDir;
}

/** A copy, so that each death finds the same disk. */
async function copyOf(stateDir: string): Promise<string> {
  const copy = join(await temporaryFolder(), "copy");
  await cp(stateDir, copy, { recursive: true });
  return copy;
}

test("a promotion by the code killed at any step is finished by the same command", async () => {
  const mesh = await rig();
  const stateDir = await second(mesh, false);
  const root = await rootOf(mesh);
  const ends = new Set<number>();
  const steps = await sweep(async (dieAt) => {
    const copy = await copyOf(stateDir);
    const { killed } = await runToItsEnd({
      do: "promote",
      stateDir: copy,
      code: mesh.mesh.recoveryCode,
      dieAt,
    });
    const left = await reload(copy);
    // It signs, or it does not, and says so; there is nothing between.
    const { generation, keymaster } = left.keeper.current().roster;
    expect(left.seat.current() !== undefined).toBe(keymaster === left.id);
    ends.add(generation);
    unwrap(await promoteByRoot(left, root, now()));
    const again = await reload(copy);
    expect(again.seat.current()?.signer?.pin).toBe(again.keeper.current().signed.signer);
    expect(await again.seat.office.createToken("pve3", 60_000)).toMatchObject({ ok: true });
    await expectTidy(copy);
    return killed;
  });
  expect(steps).toBeGreaterThan(8);
  expect(ends).toEqual(new Set([1, 2]));
}, 120_000);

test("a standby killed at any step of taking over has taken over, or does so with the same command", async () => {
  const mesh = await rig();
  const stateDir = await second(mesh, true);
  const ends = new Set<string>();
  await sweep(async (dieAt) => {
    const copy = await copyOf(stateDir);
    const { killed } = await runToItsEnd({ do: "promote", stateDir: copy, dieAt });
    const left = await reload(copy);
    const repeated = await promoteStandby(left, now());
    ends.add(repeated.ok ? "taken over now" : repeated.error.code);
    const again = await reload(copy);
    expect(again.seat.current()).toBeDefined();
    expect(again.keeper.current().roster.term).toBe(2);
    await expectTidy(copy);
    return killed;
  });
  expect(ends).toEqual(new Set(["taken over now", "usage"]));
}, 120_000);

test("a standby's key is the same after a death at any step, and is installed once its certificate has come", async () => {
  const mesh = await rig();
  const stateDir = await second(mesh, false);
  await sweep(async (dieAt) => {
    const copy = await copyOf(stateDir);
    const { killed } = await runToItsEnd({ do: "make-signing-key", stateDir: copy, dieAt });
    const first = unwrap(await (await reload(copy)).seat.pendingKey());
    const again = unwrap(await (await reload(copy)).seat.pendingKey());
    expect(again.pin).toBe(first.pin);
    return killed;
  });
  const node = await reload(stateDir);
  const { key, pin } = unwrap(await node.seat.pendingKey());
  const csr = createCsr(key);
  await sweep(async (dieAt) => {
    const copy = await copyOf(mesh.stateDir);
    const code = mesh.mesh.recoveryCode;
    const { killed } = await runToItsEnd({ do: "certify", stateDir: copy, node: node.id, csr, code, dieAt });
    const left = await reload(copy);
    const listed = left.keeper.current().roster.succession.some((successor) => successor.pin === pin);
    const repeated = await addStandby(left.seat.office, node.id, csr, await rootOf(mesh), now());
    expect(repeated.ok).toBe(!listed);
    expect(left.keeper.current().roster.succession).toHaveLength(2);
    return killed;
  });
  unwrap(await addStandby(mesh.keymaster, node.id, csr, await rootOf(mesh), now()));
  const roster = mesh.identity.keeper.current().encoded;
  await sweep(async (dieAt) => {
    const copy = await copyOf(stateDir);
    const { killed } = await runToItsEnd({ do: "take-roster", stateDir: copy, roster, dieAt });
    const left = await reload(copy);
    unwrap(await left.keeper.consider(roster));
    unwrap(await left.seat.settle());
    const again = await reload(copy);
    expect(unwrap(again.seat.standby())?.pin).toBe(pin);
    await expectTidy(copy);
    return killed;
  });
}, 120_000);
