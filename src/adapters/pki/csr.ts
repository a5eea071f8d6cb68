/**
 * Making a certificate request (PKCS #10, RFC 2986) by hand. Every node makes one every two weeks, and
 * the certificate library costs about 12 MB of memory that only who signs shall pay.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { der, pemOf, TAG } from "./der.ts";
import { signedDer } from "./signed-der.ts";

/** INTEGER 0, the version. */
const VERSION = Buffer.from("020100", "hex");
/** One relative name, `CN=balefire` as UTF8String; a request's names mean nothing to the signer. */
const SUBJECT = Buffer.from("3013311130 0f06035504030c0862616c6566697265".replaceAll(" ", ""), "hex");
/** `[0]` without attributes. */
const NO_ATTRIBUTES = Buffer.from("a000", "hex");

/** A request in PEM that proves possession of a P-256 private key. */
export function createCsr(key: KeyObject): string {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  const info = der(TAG.sequence, VERSION, SUBJECT, publicKey, NO_ATTRIBUTES);
  return pemOf("CERTIFICATE REQUEST", signedDer(info, key));
}
