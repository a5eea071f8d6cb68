/**
 * Making certificates and reading requests with @peculiar/x509 over WebCrypto. The library is
 * loaded when first needed: it costs about 12 MB of memory, which a node that does not
 * sign shall not pay.
 */
import { createPublicKey, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import type * as X509 from "@peculiar/x509";
import { failure, ok, type Result } from "../../kit/result.ts";
import { type Duration, days, minutes, type WallTime } from "../../kit/time.ts";
import { meshOfRoot, rootName, spiffeId } from "./certificates.ts";
import { isP256 } from "./keys.ts";
import { NAME_CONSTRAINTS_OID, nameConstraints } from "./name-constraints.ts";

export const ROOT_LIFE: Duration = days(20 * 365);
export const LEAF_LIFE: Duration = days(30);
/** Certificates begin in the past, so that a peer whose clock is behind takes them; short-lived ones a tenth of their life. */
const BACKDATED: Duration = minutes(5);
/** RFC 5280 section 4.1.2.2 allows 20; 16 random ones never repeat. */
const SERIAL_BYTES = 16;
const CSR_CHARS_MAX = 8192;
const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;

let loading: Promise<typeof X509> | undefined;

function library(): Promise<typeof X509> {
  loading ??= (async () => {
    // The library's dependency injection needs this polyfill in place before it is evaluated.
    await import("reflect-metadata");
    return import("@peculiar/x509");
  })();
  return loading;
}

export interface Issuer {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

/** A self-signed root for 20 years; the answer is PEM, as everywhere here. */
export async function issueRoot(mesh: string, key: KeyObject, now: WallTime): Promise<string> {
  const x509 = await library();
  const publicKey = await publicCryptoKey(key);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${rootName(mesh)}`,
    issuer: `CN=${rootName(mesh)}`,
    ...validity(now, ROOT_LIFE),
    publicKey,
    signingKey: await privateCryptoKey(key),
    signingAlgorithm: SIGNING,
    extensions: [
      ...(await authorityExtensions(x509, publicKey, 1)),
      await x509.AuthorityKeyIdentifierExtension.create(publicKey),
    ],
  });
  return pem(certificate);
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
  const x509 = await library();
  const parent = new x509.X509Certificate(root.certificate);
  const subjectKey = await publicCryptoKey(publicKey);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=Balefire signer ${node}`,
    issuer: parent.subjectName,
    notBefore: new Date(now - BACKDATED),
    notAfter: parent.notAfter,
    publicKey: subjectKey,
    signingKey: await privateCryptoKey(root.key),
    signingAlgorithm: SIGNING,
    extensions: [
      ...(await authorityExtensions(x509, subjectKey, 0)),
      tlsOnly(x509),
      new x509.Extension(NAME_CONSTRAINTS_OID, true, nameConstraints(meshOfRoot(parent.subject))),
      await x509.AuthorityKeyIdentifierExtension.create(parent.publicKey),
    ],
  });
  return pem(certificate);
}

/** A node's certificate for 30 days. Its names come from the arguments alone. */
export async function issueLeaf(
  identity: { readonly mesh: string; readonly node: string },
  publicKey: KeyObject,
  issuer: Issuer,
  now: WallTime,
  life: Duration = LEAF_LIFE,
): Promise<string> {
  const x509 = await library();
  const parent = new x509.X509Certificate(issuer.certificate);
  const subjectKey = await publicCryptoKey(publicKey);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${identity.node}`,
    issuer: parent.subjectName,
    ...validity(now, life),
    publicKey: subjectKey,
    signingKey: await privateCryptoKey(issuer.key),
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      tlsOnly(x509),
      new x509.SubjectAlternativeNameExtension([
        { type: "url", value: spiffeId(identity.mesh, identity.node) },
      ]),
      await x509.SubjectKeyIdentifierExtension.create(subjectKey),
      await x509.AuthorityKeyIdentifierExtension.create(parent.publicKey),
    ],
  });
  return pem(certificate);
}

/** The key a request asks for, and nothing else of it. Fails with `certificate-invalid`. */
export async function csrKey(csr: string): Promise<Result<KeyObject>> {
  if (csr.length > CSR_CHARS_MAX)
    return failure("certificate-invalid", "the certificate request is too long");
  const x509 = await library();
  try {
    const request = new x509.Pkcs10CertificateRequest(csr);
    const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: "der", type: "spki" });
    if (!isP256(key)) {
      return failure("certificate-invalid", "the certificate request is not for a P-256 key");
    }
    if (await request.verify()) return ok(key);
  } catch {
    return failure("certificate-invalid", "the certificate request cannot be decoded");
  }
  return failure("certificate-invalid", "the certificate request is not signed by the key it asks for");
}

async function authorityExtensions(
  x509: typeof X509,
  publicKey: webcrypto.CryptoKey,
  pathLength: number,
): Promise<X509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

const tlsOnly = (x509: typeof X509): X509.Extension =>
  new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]);

const validity = (now: WallTime, life: Duration): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(now - Math.min(BACKDATED, life / 10)),
  notAfter: new Date(now + life),
});

/** Positive (first bit clear) and never with a leading zero byte. */
function serial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

/** It may be the root's: what was written out of it is overwritten. */
async function privateCryptoKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: "pkcs8", format: "der" });
  try {
    return await webcrypto.subtle.importKey("pkcs8", der, P256, false, ["sign"]);
  } finally {
    der.fill(0);
  }
}

const publicCryptoKey = (key: KeyObject): Promise<webcrypto.CryptoKey> => {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return webcrypto.subtle.importKey("spki", publicKey.export({ type: "spki", format: "der" }), P256, true, [
    "verify",
  ]);
};

const pem = (certificate: X509.X509Certificate): string => `${certificate.toString("pem")}\n`;
