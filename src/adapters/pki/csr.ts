/**
 * Making a certificate request (PKCS #10, RFC 2986) by hand. Every node makes one every two weeks, and
 * the certificate library costs about 12 MB of memory that only who signs shall pay.
 */
import { createPublicKey, type KeyObject, sign } from "node:crypto";

/** DER (ITU-T X.690): tag, length, content. */
const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
/** INTEGER 0, the version. */
const VERSION = Buffer.from("020100", "hex");
/** One relative name, `CN=balefire` as UTF8String; a request's names mean nothing to the signer. */
const SUBJECT = Buffer.from("3013311130 0f06035504030c0862616c6566697265".replaceAll(" ", ""), "hex");
/** `[0]` without attributes. */
const NO_ATTRIBUTES = Buffer.from("a000", "hex");
/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758 section 3.2). */
const ECDSA_SHA256 = Buffer.from("300a06082a8648ce3d040302", "hex");
/** One byte before a bit string's content: none of its bits are unused. */
const WHOLE_BYTES = Buffer.from([0]);
const PEM_LINE_CHARS = 64;

/** A request in PEM that proves possession of a P-256 private key. */
export function createCsr(key: KeyObject): string {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  const info = der(SEQUENCE, VERSION, SUBJECT, publicKey, NO_ATTRIBUTES);
  const signature = sign("sha256", info, { key, dsaEncoding: "der" });
  const request = der(SEQUENCE, info, ECDSA_SHA256, der(BIT_STRING, WHOLE_BYTES, signature));
  const lines = request.toString("base64").match(new RegExp(`.{1,${PEM_LINE_CHARS}}`, "g")) ?? [];
  return ["-----BEGIN CERTIFICATE REQUEST-----", ...lines, "-----END CERTIFICATE REQUEST-----", ""].join(
    "\n",
  );
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  // All of it is below 2^16 bytes: the long forms with one and two bytes suffice.
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
