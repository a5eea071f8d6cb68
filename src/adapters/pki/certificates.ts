/** Reading and checking certificates with the core X509Certificate; issuing is in issue.ts. */
import { X509Certificate } from "node:crypto";
import { assert } from "../../kit/assert.ts";
import { failure, ok, type Result } from "../../kit/result.ts";
import { type WallTime, wallTime } from "../../kit/time.ts";
import { spkiPin } from "./keys.ts";

const CHAIN_LENGTH_MAX = 4;
/** A chain of this project's has 3000. */
const CHAIN_CHARS_MAX = 65_536;
const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** The SPIFFE id (URI SAN) of a node's certificate. */
export const spiffeId = (mesh: string, node: string): string => `spiffe://${mesh}/node/${node}`;

/** A root is named for its mesh: what it signs is limited to that one. */
export const rootName = (mesh: string): string => `Balefire root ${mesh}`;

/** `subject`: `CN=` and `rootName`. Throws for any other: only roots sign signers. */
export function meshOfRoot(subject: string): string {
  const mesh = new RegExp(`^CN=${rootName(`(${UUID})`)}$`).exec(subject)?.[1];
  assert(mesh !== undefined, "only a mesh's root signs signers");
  return mesh;
}

/** All certificates of a PEM text in order. Fails with `certificate-invalid`. */
export function parseCertificates(pem: string): Result<readonly X509Certificate[]> {
  if (pem.length > CHAIN_CHARS_MAX)
    return failure("certificate-invalid", `certificates are longer than ${CHAIN_CHARS_MAX} characters`);
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.length > CHAIN_LENGTH_MAX) {
    return failure(
      "certificate-invalid",
      `expected 1 to ${CHAIN_LENGTH_MAX} certificates in PEM, found ${blocks.length}`,
    );
  }
  try {
    return ok(blocks.map(decode));
  } catch {
    return failure("certificate-invalid", "a certificate cannot be decoded");
  }
}

/** Decodes the key as well: OpenSSL puts that off, and a getter that throws later is no way to learn of it. */
function decode(pem: string): X509Certificate {
  const certificate = new X509Certificate(pem);
  certificate.publicKey.export({ type: "spki", format: "der" });
  return certificate;
}

export function parseCertificate(pem: string): Result<X509Certificate> {
  const parsed = parseCertificates(pem);
  if (!parsed.ok) return parsed;
  const [first, ...more] = parsed.value;
  if (first === undefined || more.length > 0)
    return failure("certificate-invalid", "expected exactly one certificate");
  return ok(first);
}

export const certificatePin = (certificate: X509Certificate): string => spkiPin(certificate.publicKey);

export const certificateEnds = (certificate: X509Certificate): WallTime =>
  wallTime(certificate.validToDate.getTime());

/** What people and the renewal want to know of a certificate. */
export interface CertificateFacts {
  /** Hex, lower case. */
  readonly serial: string;
  /** Name of who signed it. */
  readonly issuer: string;
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
}

export const certificateFacts = (certificate: X509Certificate): CertificateFacts => ({
  serial: certificate.serialNumber.toLowerCase(),
  issuer: certificate.issuer.replace(/^CN=/, ""),
  notBefore: wallTime(certificate.validFromDate.getTime()),
  notAfter: certificateEnds(certificate),
});

/** Who a leaf says it is; undefined unless its only name is one SPIFFE id of the expected form. */
export function nodeNamed(
  certificate: X509Certificate,
): { readonly mesh: string; readonly node: string } | undefined {
  const match = new RegExp(`^URI:spiffe://(${UUID})/node/(${UUID})$`).exec(certificate.subjectAltName ?? "");
  return match?.[1] === undefined || match[2] === undefined ? undefined : { mesh: match[1], node: match[2] };
}

/** The one was signed by the other, which is a CA; dates are not looked at, the roster decides about those. */
export const issuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

/** Leaf by intermediate by root, and the root is exactly the pinned key. */
export function leadsToRoot(
  leaf: X509Certificate,
  intermediate: X509Certificate,
  root: X509Certificate,
  rootPin: string,
): boolean {
  return (
    certificatePin(root) === rootPin &&
    issuedBy(root, root) &&
    issuedBy(intermediate, root) &&
    !leaf.ca &&
    issuedBy(leaf, intermediate)
  );
}
