/** Certificate requests (PKCS #10, RFC 2986), by hand as certificates are (issue.ts). */
import { createPublicKey, type KeyObject } from "node:crypto";
import { failure, ok, type Result } from "../../kit/result.ts";
import { type DerValue, der, pemOf, readDer, TAG } from "./der.ts";
import { isP256 } from "./keys.ts";
import { isSignedBy, signedDer } from "./signed-der.ts";

const LABEL = "CERTIFICATE REQUEST";
const CSR_CHARS_MAX = 8192;

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
  return pemOf(LABEL, signedDer(info, key));
}

/** The key a request asks for, and nothing else of it. Fails with `certificate-invalid`. */
export function csrKey(csr: string): Result<KeyObject> {
  if (csr.length > CSR_CHARS_MAX) return refused("is too long");
  const parts = partsOf(csr);
  const key = parts === undefined ? undefined : keyAsked(parts);
  if (parts === undefined || key === undefined) return refused("cannot be decoded");
  if (!isP256(key)) return refused("is not for a P-256 key");
  return isSignedBy(parts, key) ? ok(key) : refused("is not signed by the key it asks for");
}

const refused = (why: string): Result<never> =>
  failure("certificate-invalid", `the certificate request ${why}`);

/** What is asked for, how it is signed, the signature. */
function partsOf(csr: string): readonly DerValue[] | undefined {
  const [, base64] = new RegExp(`-----BEGIN ${LABEL}-----([^-]+)-----END ${LABEL}-----`).exec(csr) ?? [];
  const [whole, ...more] = readDer(Buffer.from(base64 ?? "", "base64")) ?? [];
  const parts = whole?.tag === TAG.sequence ? readDer(whole.content) : undefined;
  return more.length === 0 && parts?.length === 3 ? parts : undefined;
}

/** Behind version and name. */
function keyAsked([asked]: readonly DerValue[]): KeyObject | undefined {
  const [version, , key] = (asked?.tag === TAG.sequence ? readDer(asked.content) : undefined) ?? [];
  if (key === undefined || version?.whole.equals(VERSION) !== true) return undefined;
  try {
    return createPublicKey({ key: key.whole, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
