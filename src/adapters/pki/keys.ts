/** P-256 keys and signatures on node:crypto: what every node does, without the certificate library. */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { failure, ok, type Result } from "../../kit/result.ts";

/** A new P-256 private key from the operating system's source. */
export const generateKey = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

export const keyPem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();

/** The one kind of key a mesh has, private or public. */
export const isP256 = (key: KeyObject): boolean =>
  key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";

/** base64url SHA-256 of the SubjectPublicKeyInfo in DER, the way the roster and the token name a key. */
export const spkiPin = (publicKey: KeyObject): string =>
  createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");

/** Fails with `state-corrupt`; `file` is named in the message, the content never is. */
export function parsePrivateKey(pem: string, file: string): Result<KeyObject> {
  try {
    const key = createPrivateKey(pem);
    if (isP256(key)) return ok(key);
  } catch {
    // Said below: OpenSSL's own words mean nothing to a person.
  }
  return failure(
    "state-corrupt",
    `${file}: not a readable P-256 private key`,
    "Restore the file from a backup.",
  );
}

/**
 * Proves by a signature that the two belong together. Comparing public halves would
 * not do: a key file carries its public half beside the secret one, and only one of
 * them may have been damaged.
 */
export function keyMatches(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const challenge = randomBytes(32);
  return verifyText(publicKey, challenge.toString("hex"), signText(privateKey, challenge.toString("hex")));
}

/** ECDSA with SHA-256, 64 bytes (IEEE P1363), base64url. */
export const signText = (privateKey: KeyObject, text: string): string =>
  sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");

export function verifyText(publicKey: KeyObject, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, "base64url");
  if (!isP256(publicKey)) return false;
  return verify("sha256", Buffer.from(text), { key: publicKey, dsaEncoding: "ieee-p1363" }, bytes);
}
