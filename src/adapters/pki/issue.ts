/**
 * Making certificates (RFC 5280 section 4) by hand. To load a library for them takes 12 MB of memory, and on a
 * busy machine longer than three beats may wait: peers would take a keymaster for dead that signs for the
 * first time since its start.
 */
import { createPublicKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { type Duration, days, minutes, type WallTime } from "../../kit/time.ts";
import { meshOfRoot, rootName, spiffeId } from "./certificates.ts";
import { contextPlainTag, contextTag, der, derInteger, derTime, pemOf, TAG } from "./der.ts";
import { nameConstraints } from "./name-constraints.ts";
import { ECDSA_SHA256, signedDer } from "./signed-der.ts";
import {
  authorityKeyIdentifier,
  criticalExtension,
  DER_TRUE,
  extension,
  type Issuer,
  issuerFields,
  keyIdOf,
  OID,
} from "./x509-parts.ts";

export type { Issuer } from "./x509-parts.ts";

export const ROOT_LIFE: Duration = days(20 * 365);
export const LEAF_LIFE: Duration = days(30);
/** Certificates begin in the past, so that a peer whose clock is behind takes them; short-lived ones a tenth of their life. */
const BACKDATED: Duration = minutes(5);
/** RFC 5280 section 4.1.2.2 allows 20; 16 random ones never repeat. */
const SERIAL_BYTES = 16;
/** `[0]` with INTEGER 2: version 3. */
const VERSION = Buffer.from("a003020102", "hex");

/** A self-signed root for 20 years; the answer is PEM, as everywhere here. */
export async function issueRoot(mesh: string, key: KeyObject, now: WallTime): Promise<string> {
  const publicKey = createPublicKey(key);
  const name = nameOf(rootName(mesh));
  const { from, until } = validity(now, ROOT_LIFE);
  return certificate(key, {
    issuer: name,
    subject: name,
    from,
    until,
    publicKey,
    extensions: [...authority(publicKey, 1), authorityKeyIdentifier(keyIdOf(publicKey))],
  });
}

/**
 * A signer's certificate; lives as long as the root. It may issue leaves only, for TLS only, and of
 * names only those of the root's mesh: whoever steals it gets no more than the mesh itself.
 */
export async function issueIntermediate(
  node: string,
  publicKey: KeyObject,
  root: Issuer,
  now: WallTime,
): Promise<string> {
  const parent = new X509Certificate(root.certificate);
  const mesh = meshOfRoot(parent.subject);
  const { subject: issuer, keyId } = issuerFields(root.certificate);
  return certificate(root.key, {
    issuer,
    subject: nameOf(`Balefire signer ${node}`),
    from: now - BACKDATED,
    until: parent.validToDate.getTime(),
    publicKey,
    extensions: [
      ...authority(publicKey, 0),
      TLS_ONLY,
      criticalExtension(OID.nameConstraints, nameConstraints(mesh)),
      authorityKeyIdentifier(keyId),
    ],
  });
}

/** A node's certificate for 30 days. Its names come from the arguments alone. */
export async function issueLeaf(
  identity: { readonly mesh: string; readonly node: string },
  publicKey: KeyObject,
  issuer: Issuer,
  now: WallTime,
  life: Duration = LEAF_LIFE,
): Promise<string> {
  const { subject, keyId } = issuerFields(issuer.certificate);
  const uri = Buffer.from(spiffeId(identity.mesh, identity.node));
  const { from, until } = validity(now, life);
  return certificate(issuer.key, {
    issuer: subject,
    subject: nameOf(identity.node),
    from,
    until,
    publicKey,
    extensions: [
      criticalExtension(OID.basicConstraints, der(TAG.sequence)),
      criticalExtension(OID.keyUsage, DIGITAL_SIGNATURE),
      TLS_ONLY,
      extension(OID.subjectAltName, der(TAG.sequence, der(URI, uri))),
      subjectKeyIdentifier(publicKey),
      authorityKeyIdentifier(keyId),
    ],
  });
}

interface Content {
  /** Names in DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** Milliseconds since 1970, as the next. */
  readonly from: number;
  readonly until: number;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

function certificate(key: KeyObject, content: Content): string {
  const { issuer, subject, from, until, publicKey, extensions } = content;
  const signed = der(
    TAG.sequence,
    VERSION,
    derInteger(serial()),
    ECDSA_SHA256,
    issuer,
    der(TAG.sequence, derTime(from), derTime(until)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(contextTag(3), der(TAG.sequence, ...extensions)),
  );
  return pemOf("CERTIFICATE", signedDer(signed, key));
}

/** One relative name, the common one; of letters, digits, spaces and hyphens. */
const nameOf = (text: string): Buffer =>
  der(
    TAG.sequence,
    der(TAG.set, der(TAG.sequence, OID.commonName, der(TAG.printableString, Buffer.from(text)))),
  );

/** Bits of a key usage, the first one leftmost, and how many of the byte are unused (section 4.2.1.3). */
const DIGITAL_SIGNATURE = der(TAG.bitString, Buffer.from([7, 0b1000_0000]));
const CERTIFICATES_AND_LISTS = der(TAG.bitString, Buffer.from([1, 0b0000_0110]));
/** Of a general name (section 4.2.1.6). */
const URI = contextPlainTag(6);

const TLS_ONLY = extension(OID.extendedKeyUsage, der(TAG.sequence, OID.serverAuth, OID.clientAuth));

const subjectKeyIdentifier = (publicKey: KeyObject): Buffer =>
  extension(OID.subjectKeyIdentifier, der(TAG.octetString, keyIdOf(publicKey)));

const authority = (publicKey: KeyObject, pathLength: number): readonly Buffer[] => [
  criticalExtension(OID.basicConstraints, der(TAG.sequence, DER_TRUE, derInteger(Buffer.from([pathLength])))),
  criticalExtension(OID.keyUsage, CERTIFICATES_AND_LISTS),
  subjectKeyIdentifier(publicKey),
];

const validity = (now: WallTime, life: Duration): { readonly from: number; readonly until: number } => ({
  from: now - Math.min(BACKDATED, life / 10),
  until: now + life,
});

/** Positive (first bit clear) and never with a leading zero byte. */
function serial(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}
