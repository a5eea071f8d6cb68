import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unwrap } from "../../kit/result.ts";
import { days, wallTime } from "../../kit/time.ts";
import {
  certificatePin,
  issuedBy,
  leadsToRoot,
  nodeNamed,
  parseCertificate,
  parseCertificates,
} from "./certificates.ts";
import { createCsr } from "./csr.ts";
import { csrKey, issueIntermediate, issueLeaf, issueRoot } from "./issue.ts";
import { generateKey, spkiPin } from "./keys.ts";

const mesh = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
const node = "5c2e6b8e-1111-4c55-9f0e-0c7d1f3f9a11";
const now = wallTime(Date.now());
const publicOf = (key: KeyObject): KeyObject => createPublicKey(key);

interface Chain {
  readonly root: { key: KeyObject; certificate: string };
  readonly signer: { key: KeyObject; certificate: string };
  readonly key: KeyObject;
  readonly leaf: string;
}

async function makeChain(): Promise<Chain> {
  const root = { key: generateKey(), certificate: "" };
  root.certificate = await issueRoot(mesh, root.key, now);
  const signer = { key: generateKey(), certificate: "" };
  signer.certificate = await issueIntermediate(node, publicOf(signer.key), root, now);
  const key = generateKey();
  return { root, signer, key, leaf: await issueLeaf({ mesh, node }, publicOf(key), signer, now) };
}

let chain: Chain;
const folder = mkdtempSync(join(tmpdir(), "balefire-pki-"));
beforeAll(async () => {
  chain = await makeChain();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const openssl = (...args: string[]): string =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });

/** The strictest check OpenSSL has, for one purpose. */
const verify = (purpose: string, leaf: string, untrusted: string): string =>
  openssl(
    ...["verify", "-x509_strict", "-check_ss_sig", "-purpose", purpose],
    ...["-CAfile", file("root.pem", chain.root.certificate)],
    ...["-untrusted", file("signer.pem", untrusted), file("leaf.pem", leaf)],
  );

test("OpenSSL's strict verification accepts the chain for servers and clients", () => {
  expect(verify("sslserver", chain.leaf, chain.signer.certificate)).toContain("OK");
  expect(verify("sslclient", chain.leaf, chain.signer.certificate)).toContain("OK");
});

test("a leaf cannot issue, and a signer cannot make another signer", async () => {
  const otherKey = generateKey();
  const byLeaf = await issueLeaf(
    { mesh, node },
    publicOf(otherKey),
    { key: chain.key, certificate: chain.leaf },
    now,
  );
  expect(() => verify("sslserver", byLeaf, chain.signer.certificate + chain.leaf)).toThrow();
  const second = { key: generateKey(), certificate: "" };
  second.certificate = await issueIntermediate(mesh, publicOf(second.key), chain.signer, now);
  const bySecond = await issueLeaf({ mesh, node }, publicOf(otherKey), second, now);
  expect(() => verify("sslserver", bySecond, chain.signer.certificate + second.certificate)).toThrow();
});

test("a leaf holds its node's id and nothing else, for thirty days from a little ago", () => {
  const leaf = unwrap(parseCertificate(chain.leaf));
  expect(leaf.subject).toBe(`CN=${node}`);
  expect(leaf.subjectAltName).toBe(`URI:spiffe://${mesh}/node/${node}`);
  expect(nodeNamed(leaf)).toEqual({ mesh, node });
  expect(leaf.ca).toBe(false);
  expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  expect(leaf.validFromDate.getTime()).toBeLessThan(now - 60_000);
  expect(leaf.validToDate.getTime()).toBeGreaterThan(now + days(29));
  expect(leaf.validToDate.getTime()).toBeLessThanOrEqual(now + days(30));
  expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
});

test("the signer lives as long as the root, twenty years, and serials are 16 bytes that differ", async () => {
  const root = unwrap(parseCertificate(chain.root.certificate));
  const signer = unwrap(parseCertificate(chain.signer.certificate));
  expect(signer.validTo).toBe(root.validTo);
  expect(root.validToDate.getTime()).toBeGreaterThan(now + days(20 * 365 - 1));
  const again = unwrap(
    parseCertificate(await issueLeaf({ mesh, node }, publicOf(chain.key), chain.signer, now)),
  );
  const serials = [root, signer, unwrap(parseCertificate(chain.leaf)), again].map(
    (each) => each.serialNumber,
  );
  expect(new Set(serials).size).toBe(4);
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
});

test("a chain leads to its own root only", async () => {
  const other = await makeChain();
  const [leaf, signer, root] = [chain.leaf, chain.signer.certificate, chain.root.certificate].map((pem) =>
    unwrap(parseCertificate(pem)),
  ) as [X509Certificate, X509Certificate, X509Certificate];
  const [otherSigner, otherRoot] = [other.signer.certificate, other.root.certificate].map((pem) =>
    unwrap(parseCertificate(pem)),
  ) as [X509Certificate, X509Certificate];
  const pin = certificatePin(root);
  expect(leadsToRoot(leaf, signer, root, pin)).toBe(true);
  expect(leadsToRoot(leaf, signer, root, certificatePin(otherRoot))).toBe(false);
  expect(leadsToRoot(leaf, signer, otherRoot, certificatePin(otherRoot))).toBe(false);
  expect(leadsToRoot(leaf, otherSigner, otherRoot, certificatePin(otherRoot))).toBe(false);
  expect(leadsToRoot(signer, signer, root, pin)).toBe(false);
  expect(leadsToRoot(signer, root, root, pin)).toBe(false);
  expect(issuedBy(leaf, otherSigner)).toBe(false);
});

test("a certificate that may sign others but is no authority vouches for nobody", async () => {
  const key = generateKey();
  const keyFile = file("false-ca.key", key.export({ type: "pkcs8", format: "pem" }).toString());
  const certificate = openssl(
    ...["req", "-x509", "-new", "-key", keyFile, "-subj", "/CN=x"],
    ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,keyCertSign"],
  );
  const leaf = await issueLeaf({ mesh, node }, publicOf(chain.key), { key, certificate }, now);
  expect(issuedBy(unwrap(parseCertificate(leaf)), unwrap(parseCertificate(certificate)))).toBe(false);
});

test("a request gives its key, whatever names it asks for", async () => {
  const key = generateKey();
  expect(spkiPin(unwrap(await csrKey(createCsr(key))))).toBe(spkiPin(publicOf(key)));
  const keyFile = file("csr.key", key.export({ type: "pkcs8", format: "pem" }).toString());
  const greedy = openssl(
    ...["req", "-new", "-key", keyFile, "-subj", "/CN=pve1/O=root"],
    ...[
      "-addext",
      `subjectAltName=URI:spiffe://${mesh}/node/${mesh},DNS:pve1`,
      "-addext",
      "basicConstraints=CA:TRUE",
    ],
  );
  const leaf = unwrap(
    parseCertificate(await issueLeaf({ mesh, node }, unwrap(await csrKey(greedy)), chain.signer, now)),
  );
  expect(leaf.subject).toBe(`CN=${node}`);
  expect(leaf.subjectAltName).toBe(`URI:spiffe://${mesh}/node/${node}`);
  expect(leaf.ca).toBe(false);
});

/** The same request with one bit of its signature turned: still well-formed DER, no longer signed. */
function unsigned(csr: string): string {
  const der = Buffer.from(csr.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const last = der.length - 1;
  der[last] = (der[last] ?? 0) ^ 1;
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
}

test("a request that its key did not sign is refused", async () => {
  const refused = await csrKey(unsigned(createCsr(generateKey())));
  expect(refused).toMatchObject({ ok: false, error: { code: "certificate-invalid" } });
  expect(!refused.ok && refused.error.message).toContain("not signed by the key it asks for");
});

test("a request for another kind of key, a huge one and no request at all are refused", async () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });
  const rsaRequest = openssl("req", "-new", "-key", file("rsa.key", rsa.toString()), "-subj", "/CN=x");
  for (const request of [rsaRequest, "", "-----BEGIN CERTIFICATE REQUEST-----", "x".repeat(9000), "\u0000"]) {
    expect(await csrKey(request)).toMatchObject({ ok: false, error: { code: "certificate-invalid" } });
  }
});

test("text that holds no certificate, too many, or a broken one is refused", () => {
  const broken = chain.leaf.replace(/\n[A-Za-z0-9+/]{64}\n/, "\n");
  for (const text of ["", "x", broken, chain.leaf.repeat(5)]) {
    expect(parseCertificates(text)).toMatchObject({ ok: false, error: { code: "certificate-invalid" } });
  }
  expect(parseCertificate(chain.leaf + chain.leaf).ok).toBe(false);
});

test("a certificate with a further name, or another form of it, names no node", () => {
  const config = (name: string): string => {
    const keyFile = file("names.key", generateKey().export({ type: "pkcs8", format: "pem" }).toString());
    return openssl(
      "req",
      "-x509",
      "-new",
      "-key",
      keyFile,
      "-subj",
      "/CN=x",
      "-addext",
      `subjectAltName=${name}`,
    );
  };
  const genuine = `URI:spiffe://${mesh}/node/${node}`;
  expect(nodeNamed(new X509Certificate(config(genuine)))).toEqual({ mesh, node });
  for (const names of [
    `${genuine},DNS:pve1`,
    `DNS:pve1,${genuine}`,
    `${genuine}/more`,
    `URI:spiffe://${mesh}/host/${node}`,
  ]) {
    expect(nodeNamed(new X509Certificate(config(names)))).toBeUndefined();
  }
});
