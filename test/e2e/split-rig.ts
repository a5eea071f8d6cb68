/** Two keymasters that have not heard of each other, on real state folders. */
import { join } from "node:path";
import { createCsr } from "../../src/adapters/pki/csr.ts";
import { sealRecovery } from "../../src/adapters/pki/recovery.ts";
import { generateRecoveryCode } from "../../src/adapters/pki/recovery-code.ts";
import { type Identity, loadIdentity } from "../../src/daemon/identity.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import type { Keymaster } from "../../src/daemon/keymaster.ts";
import { openRootKey, type RootKey } from "../../src/daemon/root-key.ts";
import { addStandby, promoteByRoot, promoteStandby, removeStandby } from "../../src/daemon/takeover.ts";
import { ok, unwrap } from "../../src/kit/result.ts";
import { type WallTime, wallTime } from "../../src/kit/time.ts";
import type { SignedRoster } from "../../src/wire/roster.ts";
import { type Rig, rig, temporaryFolder } from "./join-rig.ts";

export const now = (): WallTime => wallTime(Date.now());

/** The old keymaster, and the new one, of whom the old one has not heard. */
export interface Split {
  readonly mesh: Rig;
  readonly old: Identity;
  readonly fresh: Identity;
  readonly keymaster: Keymaster;
  readonly root: RootKey;
}

/** The state folder of one more member. */
export async function join_(mesh: Rig, name: string, address: string): Promise<string> {
  const stateDir = join(await temporaryFolder(), name);
  unwrap(await joinMesh({ stateDir, token: await mesh.token(name), addresses: [address] }));
  return stateDir;
}

/** Of pve1, pve2 and pve3 the second has been promoted by the recovery code. */
export async function split(): Promise<Split> {
  const mesh = await rig();
  const stateDir = await join_(mesh, "pve2", "127.0.0.2");
  await join_(mesh, "pve3", "127.0.0.3");
  const fresh = unwrap(await loadIdentity(stateDir));
  const { encoded } = mesh.identity.keeper.current();
  unwrap(await fresh.keeper.consider(encoded));
  const root = await rootOf(mesh);
  unwrap(await promoteByRoot(fresh, root, now()));
  return { mesh, root, old: mesh.identity, fresh, keymaster: atWork(fresh) };
}

export function atWork({ seat, name }: Identity): Keymaster {
  const keymaster = seat.current();
  if (keymaster === undefined) throw new Error(`${name} does not sign`);
  return keymaster;
}

export const rootOf = async ({ mesh, identity }: Rig): Promise<RootKey> =>
  unwrap(await openRootKey({ roster: identity.keeper.current().roster, code: mesh.recoveryCode }));

export const signedBy = ({ keeper }: Identity): SignedRoster => keeper.current().signed;

/** A member that may take over, and knows of it. */
export async function joinedStandby(
  mesh: Rig,
  root: RootKey,
  name: string,
  address: string,
): Promise<Identity> {
  const node = unwrap(await loadIdentity(await join_(mesh, name, address)));
  const { key } = unwrap(await node.seat.pendingKey());
  unwrap(await addStandby(mesh.keymaster, node.id, createCsr(key), root, now()));
  unwrap(await node.keeper.consider(mesh.identity.keeper.current().encoded));
  unwrap(await node.seat.settle());
  return node;
}

/** What `recovery renew` does; gives the new code. */
export async function renewRecovery(keymaster: Keymaster, root: RootKey, mesh: string): Promise<string> {
  const code = generateRecoveryCode();
  const { key, certificate } = root;
  const recovery = await sealRecovery({ mesh, key, certificate }, code);
  unwrap(await keymaster.publish(() => ok({ recovery })));
  return code;
}

/** `voided`: pin of pve3's signing key. `code`: the new one. */
export interface Stale extends Split {
  readonly voided: string;
  readonly code: string;
}

/** pve1 has voided pve3's signing key and renewed the code; pve2, cut off meanwhile, was promoted. */
export async function stale(): Promise<Stale> {
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
