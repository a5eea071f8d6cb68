/** What requests and revocation lists have in common: their content, how it is signed, the signature. */
import { type KeyObject, sign, verify } from "node:crypto";
import { type DerValue, der, derBitString, TAG } from "./der.ts";
import { isP256 } from "./keys.ts";

/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758 section 3.2). */
export const ECDSA_SHA256: Buffer = Buffer.from("300a06082a8648ce3d040302", "hex");

export const signedDer = (content: Buffer, key: KeyObject): Buffer =>
  der(
    TAG.sequence,
    content,
    ECDSA_SHA256,
    derBitString(sign("sha256", content, { key, dsaEncoding: "der" })),
  );

/** `parts`: the three values of what `signedDer` made. */
export function isSignedBy(parts: readonly DerValue[], publicKey: KeyObject): boolean {
  const [content, algorithm, signature] = parts;
  if (content === undefined || algorithm === undefined || signature === undefined) return false;
  if (!algorithm.whole.equals(ECDSA_SHA256) || !isP256(publicKey)) return false;
  if (signature.tag !== TAG.bitString || signature.content[0] !== 0) return false;
  return verify(
    "sha256",
    content.whole,
    { key: publicKey, dsaEncoding: "der" },
    signature.content.subarray(1),
  );
}
