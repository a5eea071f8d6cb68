/** Meshes made for tests: root, intermediate, and as many nodes as asked for, right or wrong in every way. */
import "reflect-metadata";
import { createHash, randomUUID, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Address, MeshId, NodeId } from "../../src/core/types.ts";
import type { TrustView } from "../../src/ports/transport.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
type CryptoKeyPair = webcrypto.CryptoKeyPair;
const crypto = webcrypto as unknown as Crypto;
x509.cryptoProvider.set(crypto);

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}
export interface TestMesh {
  readonly id: MeshId;
  readonly root: Authority;
  readonly intermediate: Authority;
}
export interface TestIdentity {
  readonly id: NodeId;
  readonly name: string;
  readonly keys: CryptoKeyPair;
  readonly leaf: x509.X509Certificate;
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly pin: string;
}

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString("pem")}\n`;
const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

async function authority(name: string, issuer?: Authority, known?: CryptoKeyPair): Promise<Authority> {
  const keys = known ?? (await newKeys());
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - 400 * DAY_MS),
    notAfter: new Date(Date.now() + 3650 * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, issuer === undefined ? 1 : 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate, keys };
}

export async function testMesh(names = "balefire"): Promise<TestMesh> {
  const root = await authority(`${names} root`);
  return { id: randomUUID() as MeshId, root, intermediate: await authority(`${names} intermediate`, root) };
}

/** The same mesh, whose signing key has another root above it. */
export async function underNewRoot(mesh: TestMesh): Promise<TestMesh> {
  const root = await authority("new root");
  const name = mesh.intermediate.certificate.subject.replace(/^CN=/, "");
  return { id: mesh.id, root, intermediate: await authority(name, root, mesh.intermediate.keys) };
}

export interface LeafWishes {
  readonly id?: NodeId;
  readonly keys?: CryptoKeyPair;
  /** The URI in the certificate; the node's by default, null for none. */
  readonly uri?: string | null;
  readonly extraNames?: readonly x509.JsonGeneralName[];
  /** Days from now. */
  readonly validDays?: readonly [from: number, to: number];
  /** Without saying whether it may issue certificates. */
  readonly bare?: boolean;
  readonly extraExtension?: x509.Extension;
  /** Signs in the intermediate's name with a key that is not its own. */
  readonly forger?: CryptoKeyPair;
}

export async function testIdentity(
  mesh: TestMesh,
  name: string,
  wishes: LeafWishes = {},
): Promise<TestIdentity> {
  const id = wishes.id ?? (randomUUID() as NodeId);
  const keys = wishes.keys ?? (await newKeys());
  const [from, to] = wishes.validDays ?? [-1, 30];
  const leaf = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: mesh.intermediate.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: (wishes.forger ?? mesh.intermediate.keys).privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
    extensions: [
      ...(wishes.bare === true
        ? []
        : [
            new x509.BasicConstraintsExtension(false),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          ]),
      ...(wishes.extraExtension === undefined ? [] : [wishes.extraExtension]),
      new x509.SubjectAlternativeNameExtension([
        ...(wishes.uri === null
          ? []
          : [{ type: "url" as const, value: wishes.uri ?? `spiffe://${mesh.id}/node/${id}` }]),
        ...(wishes.extraNames ?? []),
      ]),
    ],
  });
  const spki = Buffer.from(await crypto.subtle.exportKey("spki", keys.publicKey));
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    id,
    name,
    keys,
    leaf,
    keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString("base64")}\n-----END PRIVATE KEY-----\n`,
    certificatePem: pem(leaf) + pem(mesh.intermediate.certificate),
    pin: createHash("sha256").update(spki).digest("base64url"),
  };
}

export { newKeys as testKeys };

/** Critical, and known to nobody. */
export const strangeExtension = (): x509.Extension =>
  new x509.Extension("1.3.6.1.4.1.99999.1", true, new Uint8Array([5, 0]));

export const rootPem = (mesh: TestMesh): string => pem(mesh.root.certificate);
export const issuerPem = (mesh: TestMesh): string => pem(mesh.intermediate.certificate);

/** What `self` trusts: the others, under the mesh's root. */
export function trustOf(
  mesh: TestMesh,
  self: TestIdentity,
  others: readonly TestIdentity[],
  keymaster?: { readonly id: NodeId; readonly addresses: readonly Address[] },
): TrustView {
  return {
    mesh: mesh.id,
    self: self.id,
    peers: others.map(({ id, name, pin }) => ({ id, name, pin })),
    roots: [rootPem(mesh)],
    issuers: [],
    ...(keymaster === undefined ? {} : { keymaster }),
  };
}
