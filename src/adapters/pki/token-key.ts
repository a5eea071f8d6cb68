/** The signing key a join token's secret stands for; the mesh stores only its public half. */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign, verify } from "node:crypto";

const INFO = "balefire-join-token/1";
/** Everything of a PKCS #8 Ed25519 key (RFC 8410 section 7) before its 32 byte seed. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
/** The same of a SubjectPublicKeyInfo before its 32 byte key. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const SEED_BYTES = 32;

/** HKDF-SHA-256 (RFC 5869) from the secret to the seed; the token's id is the salt. */
export function tokenSigningKey(secret: Uint8Array, tokenId: string): KeyObject {
  const seed = Buffer.from(hkdfSync("sha256", secret, tokenId, INFO, SEED_BYTES));
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
}

/** The public half as 32 bytes in base64url. */
export const tokenPublicKey = (signingKey: KeyObject): string =>
  createPublicKey(signingKey)
    .export({ type: "spki", format: "der" })
    .subarray(SPKI_PREFIX.length)
    .toString("base64url");

export const signProof = (signingKey: KeyObject, text: string): string =>
  sign(null, Buffer.from(text), signingKey).toString("base64url");

export function verifyProof(publicKey: string, text: string, proof: string): boolean {
  const raw = Buffer.from(publicKey, "base64url");
  if (raw.length !== SEED_BYTES) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
  return verify(null, Buffer.from(text), key, Buffer.from(proof, "base64url"));
}
