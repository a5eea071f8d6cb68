/** What certificates and revocation lists are made of (RFC 5280), in DER. */
import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import { assert } from "../../kit/assert.ts";
import { contextPlainTag, contextTag, type DerValue, der, readDer, TAG } from "./der.ts";

/** Who signs, and with what. */
export interface Issuer {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

/** Object identifiers (X.520, RFC 5280), tag and length included. */
export const OID: Readonly<
  Record<
    | "commonName"
    | "subjectKeyIdentifier"
    | "keyUsage"
    | "subjectAltName"
    | "basicConstraints"
    | "crlNumber"
    | "crlReason"
    | "nameConstraints"
    | "authorityKeyIdentifier"
    | "extendedKeyUsage"
    | "serverAuth"
    | "clientAuth",
    Buffer
  >
> = {
  commonName: Buffer.from("0603550403", "hex"),
  subjectKeyIdentifier: Buffer.from("0603551d0e", "hex"),
  keyUsage: Buffer.from("0603551d0f", "hex"),
  subjectAltName: Buffer.from("0603551d11", "hex"),
  basicConstraints: Buffer.from("0603551d13", "hex"),
  crlNumber: Buffer.from("0603551d14", "hex"),
  crlReason: Buffer.from("0603551d15", "hex"),
  nameConstraints: Buffer.from("0603551d1e", "hex"),
  authorityKeyIdentifier: Buffer.from("0603551d23", "hex"),
  extendedKeyUsage: Buffer.from("0603551d25", "hex"),
  serverAuth: Buffer.from("06082b06010505070301", "hex"),
  clientAuth: Buffer.from("06082b06010505070302", "hex"),
};

export const DER_TRUE: Buffer = der(TAG.boolean, Buffer.from([0xff]));

export const extension = (oid: Buffer, value: Buffer): Buffer =>
  der(TAG.sequence, oid, der(TAG.octetString, value));
/** Who does not understand it must refuse the whole. */
export const criticalExtension = (oid: Buffer, value: Buffer): Buffer =>
  der(TAG.sequence, oid, DER_TRUE, der(TAG.octetString, value));

/** `[0]` inside: the key's identifier, without the issuer's own serial number. */
export const authorityKeyIdentifier = (keyId: Buffer): Buffer =>
  extension(OID.authorityKeyIdentifier, der(TAG.sequence, der(contextPlainTag(0), keyId)));

/** RFC 5280 section 4.2.1.2, method 1: a name for the key, where collisions do no harm. */
export function keyIdOf(publicKey: KeyObject): Buffer {
  const info = readDer(publicKey.export({ type: "spki", format: "der" }))?.[0];
  const bits = info === undefined ? undefined : readDer(info.content)?.[1]?.content;
  assert(bits !== undefined, "a public key has its bits");
  return createHash("sha1").update(bits.subarray(1)).digest();
}

/** Where a certificate's content has its values, counted behind the version. */
const SUBJECT = 4;
const EXTENSIONS_TAG = contextTag(3);

/** An issuer's name and the identifier of its key, as they stand in its certificate. */
export function issuerFields(pem: string): { readonly subject: Buffer; readonly keyId: Buffer } {
  const certificate = new X509Certificate(pem);
  const [, ...fields] = inside(inside(readDer(certificate.raw)?.[0])[0]);
  const subject = fields[SUBJECT]?.whole;
  const extensions = inside(inside(fields.find(({ tag }) => tag === EXTENSIONS_TAG))[0]);
  const keyId = extensions
    .map((each) => inside(each))
    .find(([oid]) => oid?.whole.equals(OID.subjectKeyIdentifier))
    ?.at(-1);
  const value = keyId === undefined ? undefined : readDer(keyId.content)?.[0]?.content;
  assert(subject !== undefined && value !== undefined, "an issuer's certificate has a name and a key id");
  return { subject, keyId: value };
}

const inside = (value: DerValue | undefined): readonly DerValue[] =>
  value === undefined ? [] : (readDer(value.content) ?? []);
