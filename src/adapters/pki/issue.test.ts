import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chain, makeChain, publicOf } from "../../../test/contract/issued-chain.ts";
import { type Answer, Openssl } from "../../../test/contract/openssl.ts";
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
import { createCsr, csrKey } from "./csr.ts";
import { issueIntermediate, issueLeaf } from "./issue.ts";
import { generateKey, spkiPin } from "./keys.ts";

const mesh = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
const node = "5c2e6b8e-1111-4c55-9f0e-0c7d1f3f9a11";
const now = wallTime(Date.now());
const openssl = new Openssl();

let chain: Chain;
beforeAll(async () => {
  chain = await makeChain({ mesh, node }, now);
});
afterAll(() => openssl.close());

const verify = (purpose: string, leaf: string, signers: string = chain.signer.certificate): Answer =>
  openssl.verify({ roots: chain.root.certificate, signers, leaf }, "-purpose", purpose);

describe("to OpenSSL, at its strictest,", () => {
  test.each(["sslserver", "sslclient"])("a node's chain is good as %s", (purpose) => {
    expect(verify(purpose, chain.leaf)).toMatchObject({ ok: true, said: expect.stringContaining("OK") });
  });

  test.each(["smimesign", "codesign", "timestampsign"])("it is good for nothing else: %s", (purpose) => {
    expect(verify(purpose, chain.leaf)).toMatchObject({ ok: false });
  });

  test("each certificate has the purposes of what it is", () => {
    const purposes = (pem: string): readonly string[] =>
      [
        ...openssl
          .run("x509", "-noout", "-purpose", "-in", openssl.file(pem))
          .said.matchAll(/^(.+) : Yes$/gm),
      ].map(([, purpose = ""]) => purpose);
    expect(purposes(chain.leaf)).toEqual([
      "SSL client",
      "SSL server",
      "Any Purpose",
      "Any Purpose CA",
      "OCSP helper",
    ]);
    const authority = [
      ...["SSL client CA", "SSL server CA", "Netscape SSL server CA", "CRL signing", "CRL signing CA"],
      ...["Any Purpose", "Any Purpose CA", "OCSP helper", "OCSP helper CA", "Time Stamp signing CA"],
    ];
    expect(purposes(chain.signer.certificate)).toEqual(authority);
    const mail = ["S/MIME signing CA", "S/MIME encryption CA"];
    expect(purposes(chain.root.certificate)).toEqual([
      ...authority.slice(0, 3),
      ...mail,
      ...authority.slice(3),
    ]);
  });

  test("a signer's and a root's certificate say how long a chain may be and what for", () => {
    const text = (pem: string): string =>
      openssl.run("x509", "-noout", "-text", "-in", openssl.file(pem)).said.replaceAll(/\s+/g, " ");
    expect(text(chain.root.certificate)).toContain("Basic Constraints: critical CA:TRUE, pathlen:1");
    expect(text(chain.root.certificate)).toContain("Key Usage: critical Certificate Sign, CRL Sign");
    const signer = text(chain.signer.certificate);
    expect(signer).toContain("Basic Constraints: critical CA:TRUE, pathlen:0");
    expect(signer).toContain("Key Usage: critical Certificate Sign, CRL Sign");
    expect(signer).toContain(
      "Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication",
    );
    expect(signer).toContain(
      `Name Constraints: critical Permitted: URI:${mesh} email:invalid Excluded: DNS: IP:0.0.0.0/0.0.0.0 IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0`,
    );
    const leaf = text(chain.leaf);
    expect(leaf).toContain("Basic Constraints: critical CA:FALSE");
    expect(leaf).toMatch(/Key Usage: critical Digital Signature X509v3/);
  });
});

describe("a stolen signing key", () => {
  const own = `URI:spiffe://${mesh}/node/${node}`;
  const leafLike = [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth,clientAuth",
  ];
  const forged = (names: string, subject?: string): string =>
    openssl.forge({
      issuer: chain.signer,
      key: chain.key,
      extensions: names === "" ? leafLike : [...leafLike, `subjectAltName=${names}`],
      ...(subject === undefined ? {} : { subject }),
    });

  test("can name nodes of its own mesh: that is what the roster's pins are for", () => {
    expect(verify("sslserver", forged(own))).toMatchObject({ ok: true });
  });

  test.each([
    ["another mesh", `URI:spiffe://${node}/node/${node}`, "permitted subtree violation"],
    ["a domain below its mesh", `URI:spiffe://x.${mesh}/node/${node}`, "permitted subtree violation"],
    ["a web site", "URI:https://example.org/", "permitted subtree violation"],
    ["a host name", "DNS:pve1.example.org", "excluded subtree violation"],
    ["a short host name", "DNS:pve1", "excluded subtree violation"],
    ["a host name beside its own", `${own},DNS:localhost`, "excluded subtree violation"],
    ["an IPv4 address", "IP:192.0.2.1", "excluded subtree violation"],
    ["an IPv6 address", "IP:2001:db8::1", "excluded subtree violation"],
    ["a mail address", "email:root@example.org", "permitted subtree violation"],
  ])("cannot name %s", (_, names, why) => {
    expect(verify("sslserver", forged(names))).toMatchObject({
      ok: false,
      said: expect.stringContaining(why),
    });
  });

  test("cannot name a host in the old place for it, nor a mail address", () => {
    for (const subject of ["/CN=pve1.example.org", "/emailAddress=root@example.org"])
      expect(verify("sslserver", forged("", subject))).toMatchObject({
        ok: false,
        said: expect.stringContaining("subtree violation"),
      });
  });

  test("cannot make another signing key, whatever that one's certificate says", () => {
    const key = generateKey();
    for (const length of ["", ",pathlen:0"]) {
      const second = openssl.forge({
        issuer: chain.signer,
        key,
        subject: "/CN=second",
        extensions: [`basicConstraints=critical,CA:TRUE${length}`, "keyUsage=critical,keyCertSign,cRLSign"],
      });
      const leaf = openssl.forge({
        issuer: { key, certificate: second },
        key: chain.key,
        extensions: [...leafLike, `subjectAltName=${own}`],
      });
      const answer = verify("sslserver", leaf, chain.signer.certificate + second);
      expect(answer).toMatchObject({
        ok: false,
        said: expect.stringContaining("path length constraint exceeded"),
      });
    }
  });

  test("cannot issue for another purpose than TLS", () => {
    const signing = openssl.forge({
      issuer: chain.signer,
      key: chain.key,
      extensions: [
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=codeSigning,emailProtection",
        `subjectAltName=${own}`,
      ],
    });
    for (const purpose of ["codesign", "smimesign"])
      expect(verify(purpose, signing)).toMatchObject({
        ok: false,
        said: expect.stringMatching(/purpose|unsuitable/),
      });
  });
});

test("a leaf cannot issue", async () => {
  const names = { mesh, node };
  const byLeaf = await issueLeaf(
    names,
    publicOf(generateKey()),
    { key: chain.key, certificate: chain.leaf },
    now,
  );
  expect(verify("sslserver", byLeaf, chain.signer.certificate + chain.leaf)).toMatchObject({
    ok: false,
    said: expect.stringMatching(/invalid CA|CA cert/),
  });
});

test("only a root signs signers: their limits come from its name", async () => {
  const key = publicOf(generateKey());
  await expect(issueIntermediate(node, key, chain.signer, now)).rejects.toThrow("only a mesh's root");
});

describe("a TLS handshake of Node's, which leaves nothing out but names of hosts,", () => {
  interface Shown {
    readonly key: KeyObject;
    readonly certificate: string;
  }
  const keyText = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();

  /** What each side thinks of the other's chain; undefined: nothing is wrong. */
  async function handshake(server: Shown, client: Shown): Promise<readonly [unknown, unknown]> {
    const common = { ca: chain.root.certificate, minVersion: "TLSv1.3", rejectUnauthorized: false } as const;
    const listener = createServer({
      ...common,
      key: keyText(server.key),
      cert: server.certificate,
      requestCert: true,
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const accepted = once(listener, "secureConnection") as Promise<[TLSSocket]>;
    const dialled = connect({
      ...common,
      host: "127.0.0.1",
      port,
      key: keyText(client.key),
      cert: client.certificate,
      checkServerIdentity: () => undefined,
    });
    const [[there]] = await Promise.all([accepted, once(dialled, "secureConnect")]);
    const seen = [dialled, there].map((socket) =>
      socket.authorized ? undefined : socket.authorizationError,
    );
    dialled.destroy();
    there.destroy();
    listener.close();
    return [seen[0], seen[1]];
  }

  test("accepts the chain on both sides", async () => {
    const shown = { key: chain.key, certificate: chain.leaf + chain.signer.certificate };
    expect(await handshake(shown, shown)).toEqual([undefined, undefined]);
  });

  test("refuses a signer's leaf for another mesh, by an error that Balefire does not tolerate", async () => {
    const elsewhere = await issueLeaf({ mesh: node, node }, publicOf(chain.key), chain.signer, now);
    const old = wallTime(now - days(60));
    const expired = await issueLeaf({ mesh: node, node }, publicOf(chain.key), chain.signer, old);
    const good = { key: chain.key, certificate: chain.leaf + chain.signer.certificate };
    for (const leaf of [elsewhere, expired]) {
      const shown = { key: chain.key, certificate: leaf + chain.signer.certificate };
      for (const error of await handshake(shown, shown)) {
        expect(error).toBeDefined();
        expect(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]).not.toContain(error);
      }
      expect((await handshake(good, shown))[0]).toBeUndefined();
    }
  });
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
  const other = await makeChain({ mesh, node }, now);
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
  const { said: certificate } = openssl.run(
    ...["req", "-x509", "-new", "-key", openssl.file(key), "-subj", "/CN=x"],
    ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,keyCertSign"],
  );
  const leaf = await issueLeaf({ mesh, node }, publicOf(chain.key), { key, certificate }, now);
  expect(issuedBy(unwrap(parseCertificate(leaf)), unwrap(parseCertificate(certificate)))).toBe(false);
});

test("a request gives its key, whatever names it asks for", async () => {
  const key = generateKey();
  expect(spkiPin(unwrap(csrKey(createCsr(key))))).toBe(spkiPin(publicOf(key)));
  const { said: greedy } = openssl.run(
    ...["req", "-new", "-key", openssl.file(key), "-subj", "/CN=pve1/O=root"],
    ...[
      "-addext",
      `subjectAltName=URI:spiffe://${mesh}/node/${mesh},DNS:pve1`,
      "-addext",
      "basicConstraints=CA:TRUE",
    ],
  );
  const leaf = unwrap(
    parseCertificate(await issueLeaf({ mesh, node }, unwrap(csrKey(greedy)), chain.signer, now)),
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
  const refused = csrKey(unsigned(createCsr(generateKey())));
  expect(refused).toMatchObject({ ok: false, error: { code: "certificate-invalid" } });
  expect(!refused.ok && refused.error.message).toContain("not signed by the key it asks for");
});

test("a request for another kind of key, a huge one and no request at all are refused", async () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const { said: rsaRequest } = openssl.run("req", "-new", "-key", openssl.file(rsa), "-subj", "/CN=x");
  for (const request of [rsaRequest, "", "-----BEGIN CERTIFICATE REQUEST-----", "x".repeat(9000), "\u0000"]) {
    expect(csrKey(request)).toMatchObject({ ok: false, error: { code: "certificate-invalid" } });
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
  const key = openssl.file(generateKey());
  const config = (name: string): string => {
    const more = ["-subj", "/CN=x", "-addext", `subjectAltName=${name}`];
    return openssl.run("req", "-x509", "-new", "-key", key, ...more).said;
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
