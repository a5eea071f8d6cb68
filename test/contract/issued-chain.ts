/** A root, a signer and a leaf as a mesh has them. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { type Issuer, issueIntermediate, issueLeaf, issueRoot } from "../../src/adapters/pki/issue.ts";
import { generateKey } from "../../src/adapters/pki/keys.ts";
import { type WallTime, wallTime } from "../../src/kit/time.ts";

export interface Chain {
  readonly root: Issuer;
  readonly signer: Issuer;
  readonly key: KeyObject;
  readonly leaf: string;
}

export const publicOf = (key: KeyObject): KeyObject => createPublicKey(key);

export async function makeChain(
  names: { readonly mesh: string; readonly node: string },
  now: WallTime = wallTime(Date.now()),
): Promise<Chain> {
  const root = { key: generateKey(), certificate: "" };
  root.certificate = await issueRoot(names.mesh, root.key, now);
  const signer = { key: generateKey(), certificate: "" };
  signer.certificate = await issueIntermediate(names.node, publicOf(signer.key), root, now);
  const key = generateKey();
  return { root, signer, key, leaf: await issueLeaf(names, publicOf(key), signer, now) };
}
