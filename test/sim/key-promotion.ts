/** Another keymaster in the place of one that is gone: a standby by its own word, or any node by the recovery code. */
import { createCsr } from "../../src/adapters/pki/csr.ts";
import { openRootKey, type RootKey } from "../../src/daemon/root-key.ts";
import { addStandby, promoteByRoot, promoteStandby } from "../../src/daemon/takeover.ts";
import { unwrap } from "../../src/kit/result.ts";
import type { KeyHost, KeyWorld } from "./key-world.ts";

const rootKey = async (world: KeyWorld, { identity }: KeyHost): Promise<RootKey> =>
  unwrap(
    await openRootKey({ roster: identity.keeper.current().roster, code: world.mesh?.recoveryCode ?? "" }),
  );

/** Its signing key is made on it, and certified on the keymaster. */
export async function makeStandby(world: KeyWorld, signing: KeyHost, host: KeyHost): Promise<void> {
  const keymaster = signing.identity.seat.current();
  if (keymaster === undefined) throw new Error(`${signing.name} does not sign`);
  const { key } = unwrap(await host.identity.seat.pendingKey());
  const root = await rootKey(world, signing);
  unwrap(await addStandby(keymaster, host.identity.id, createCsr(key), root, world.wall()));
  await world.gossip();
  unwrap(await host.identity.seat.settle());
}

export async function promote(world: KeyWorld, host: KeyHost, by: "standby" | "root"): Promise<void> {
  if (by === "standby") unwrap(await promoteStandby(host.identity, world.wall()));
  else unwrap(await promoteByRoot(host.identity, await rootKey(world, host), world.wall()));
}
