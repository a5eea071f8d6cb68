/** What strangers, damaged disks and other meshes may hand to this code: refused with its reason, whatever it is. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chain, makeChain, publicOf } from "../../../test/contract/issued-chain.ts";
import { Openssl } from "../../../test/contract/openssl.ts";
import { type Result, unwrap } from "../../kit/result.ts";
import { wallTime } from "../../kit/time.ts";
import { type RecoveryFile, recoveryFile } from "../../wire/recovery-file.ts";
import { encodeSigned, type ParsedRoster, parseSigned, type Roster } from "../../wire/roster.ts";
import { encodeToken, parseToken, TOKEN_PREFIX } from "../../wire/token.ts";
import { leadsToRoot, nodeNamed, parseCertificate } from "./certificates.ts";
import { CRL_LABEL, signerCrl } from "./crl.ts";
import { readCrls } from "./crl-reading.ts";
import { createCsr, csrKey } from "./csr.ts";
import { issueIntermediate } from "./issue.ts";
import { generateKey, signText, spkiPin } from "./keys.ts";
import { openRecovery, sealRecovery } from "./recovery.ts";
import { generateRecoveryCode } from "./recovery-code.ts";
import { heldRoster, rosterFacts, signOpening, signRoster, verifyFirstRoster } from "./roster-signature.ts";

const mesh = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
const elsewhere = "7d8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a77";
const node = "5c2e6b8e-1111-4c55-9f0e-0c7d1f3f9a11";
const now = wallTime(Date.now());
/** Milliseconds for one property: slow machines try fewer cases instead of running into a timeout. */
const BOUNDED = { interruptAfterTimeLimit: 2000, numRuns: 300 } as const;
const openssl = new Openssl();

let chain: Chain;
let other: Chain;
beforeAll(async () => {
  [chain, other] = await Promise.all([
    makeChain({ mesh, node }, now),
    makeChain({ mesh: elsewhere, node }, now),
  ]);
});
afterAll(() => openssl.close());

const pem = (kind: string, der: Buffer): string =>
  `-----BEGIN ${kind}-----\n${der.toString("base64")}\n-----END ${kind}-----\n`;
const der = (text: string): Buffer => Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");

const ODD_KEYS: readonly (readonly [string, KeyObject])[] = [
  ["RSA", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey],
  ["RSA-PSS", generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey],
  ["P-384", generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey],
  ["secp256k1", generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey],
  ["Ed25519", generateKeyPairSync("ed25519").privateKey],
];

/** Turned, cut, doubled and stretched bytes of it, and what has nothing to do with it. */
const mangled = (text: () => Buffer): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 }),
      fc.oneof(
        { weight: 6, arbitrary: fc.constant((bytes: Buffer) => bytes) },
        {
          weight: 2,
          arbitrary: fc.nat().map((at) => (bytes: Buffer) => bytes.subarray(0, at % bytes.length)),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.nat(), fc.uint8Array({ maxLength: 40 }))
            .map(([at, more]) => (bytes: Buffer) => {
              const place = at % bytes.length;
              return Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)]);
            }),
        },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => () => Buffer.from(bytes)) },
      ),
    )
    .map(([turned, reshape]) => {
      const bytes = Buffer.from(text());
      for (const [at, change] of turned) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ change;
      return reshape(bytes);
    });

/** A value inside a value inside … : what a reader that calls itself would lose its stack over. */
const nested = (levels: number): Buffer => {
  const tags: number[] = [];
  for (let length = 0, left = levels; left > 0; left -= 1, length += 4)
    tags.unshift(0x30, 0x82, (length >> 8) & 0xff, length & 0xff);
  return Buffer.from(tags);
};

const refusal = (code: string): object => ({ ok: false, error: { code, message: expect.any(String) } });

describe("a certificate request", () => {
  test("with other bytes never gives a key that has not signed it", async () => {
    const csr = createCsr(chain.key);
    const genuine = spkiPin(publicOf(chain.key));
    await fc.assert(
      fc.asyncProperty(
        mangled(() => der(csr)),
        async (bytes) => {
          const key = csrKey(pem("CERTIFICATE REQUEST", bytes));
          if (key.ok) expect(bytes.equals(der(csr)) || spkiPin(key.value) === genuine).toBe(true);
          else expect(key.error.code).toBe("certificate-invalid");
        },
      ),
      BOUNDED,
    );
  });

  test.each(ODD_KEYS)("for a key of another kind is refused: %s", async (_, key) => {
    const request = openssl.run("req", "-new", "-key", openssl.file(key), "-subj", "/CN=x").said;
    expect(request).toContain("BEGIN CERTIFICATE REQUEST");
    expect(csrKey(request)).toMatchObject(refusal("certificate-invalid"));
  });

  test("that is huge, nested without end, or not text at all is refused", async () => {
    for (const text of [
      pem("CERTIFICATE REQUEST", Buffer.alloc(4_000_000, 0x30)),
      pem("CERTIFICATE REQUEST", nested(1400)),
      pem("CERTIFICATE REQUEST", Buffer.alloc(6000, 0x30)),
      pem("CERTIFICATE REQUEST", Buffer.from("3080".repeat(2500), "hex")),
      "-".repeat(8000),
      "\ud800\u0000",
    ]) {
      expect(csrKey(text)).toMatchObject(refusal("certificate-invalid"));
    }
  });
});

describe("a certificate", () => {
  const leads = (leaf: string, signer: string, root: string): boolean => {
    const [a, b, c] = [leaf, signer, root].map((text) => unwrap(parseCertificate(text)));
    return a !== undefined && b !== undefined && c !== undefined
      ? leadsToRoot(a, b, c, spkiPin(publicOf(chain.root.key)))
      : false;
  };

  test("with other bytes is refused or leads nowhere", () => {
    const texts = [chain.leaf, chain.signer.certificate, chain.root.certificate] as const;
    for (const place of [0, 1, 2]) {
      const genuine = der(texts[place] ?? "");
      fc.assert(
        fc.property(
          mangled(() => genuine),
          (bytes) => {
            const parsed = parseCertificate(pem("CERTIFICATE", bytes));
            if (!parsed.ok) {
              expect(parsed.error.code).toBe("certificate-invalid");
              return;
            }
            nodeNamed(parsed.value);
            // What follows a certificate's last byte is nobody's: OpenSSL leaves it out.
            if (parsed.value.raw.equals(genuine)) return;
            const [leaf, signer, root] = texts.map((text, at) =>
              at === place ? pem("CERTIFICATE", bytes) : text,
            );
            expect(leads(leaf ?? "", signer ?? "", root ?? "")).toBe(false);
          },
        ),
        BOUNDED,
      );
    }
  });

  test("of another mesh leads nowhere, in any place of a chain", () => {
    const own = [chain.leaf, chain.signer.certificate, chain.root.certificate] as const;
    const theirs = [other.leaf, other.signer.certificate, other.root.certificate] as const;
    expect(leads(...own)).toBe(true);
    expect(leads(...theirs)).toBe(false);
    expect(leads(theirs[0], own[1], own[2])).toBe(false);
    expect(leads(own[0], theirs[1], own[2])).toBe(false);
    expect(leads(own[0], own[1], theirs[2])).toBe(false);
  });

  test("that is huge, nested without end, or one too many is refused", () => {
    const many = chain.leaf.repeat(5);
    for (const text of [
      pem("CERTIFICATE", Buffer.alloc(4_000_000, 0x30)),
      pem("CERTIFICATE", nested(10_000)),
      "-----BEGIN CERTIFICATE-----\n".repeat(2000),
      many,
      chain.leaf + chain.leaf,
      "",
    ])
      expect(parseCertificate(text)).toMatchObject(refusal("certificate-invalid"));
  });
});

describe("a revocation list", () => {
  const entries = [
    { serial: "4d".repeat(16), at: now, reason: "keyCompromise" },
    { serial: "0f", at: now, reason: "superseded" },
  ] as const;
  const list = (): string => signerCrl(chain.signer, entries, 7, now);

  test("with other bytes is refused, or not the signer's any more", () => {
    const genuine = der(list());
    fc.assert(
      fc.property(
        mangled(() => genuine),
        (bytes) => {
          const lists = readCrls(pem(CRL_LABEL, bytes));
          if (!lists.ok) expect(lists.error.code).toBe("certificate-invalid");
          else if (!bytes.equals(genuine))
            expect(lists.value[0]?.isSignedBy(publicOf(chain.signer.key))).toBe(false);
        },
      ),
      { ...BOUNDED, numRuns: 1000 },
    );
  });

  test("of another mesh, by a root instead of a signer, or asked about another kind of key, is not the signer's", () => {
    const [read] = unwrap(readCrls(list()));
    for (const key of [other.signer.key, chain.root.key, ...ODD_KEYS.map(([, odd]) => odd)])
      expect(read?.isSignedBy(publicOf(key))).toBe(false);
  });

  test("that is huge, nested without end, or names a certificate twice is refused", () => {
    const twice = signerCrl(chain.signer, [entries[0], entries[0]], 7, now);
    expect(readCrls(twice)).toMatchObject({
      error: { message: expect.stringContaining("twice") },
    });
    for (const text of [
      twice,
      pem(CRL_LABEL, nested(10_000)),
      pem(CRL_LABEL, Buffer.alloc(4_000_000, 0x30)),
      list().repeat(20),
      chain.leaf,
    ])
      expect(readCrls(text)).toMatchObject(refusal("certificate-invalid"));
  });

  test.each(ODD_KEYS)("by another algorithm proves nothing: %s", (_, key) => {
    const foreign = openssl.run("req", "-x509", "-new", "-key", openssl.file(key), "-subj", "/CN=x").said;
    expect(parseCertificate(foreign)).toMatchObject({ ok: true });
    const made = openssl.run(
      ...["ca", "-gencrl", "-crldays", "1", "-cert", openssl.file(foreign), "-keyfile", openssl.file(key)],
      ...["-config", openssl.file(caConfig())],
    ).said;
    const lists = readCrls(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----\n/.exec(made)?.[0] ?? "");
    if (lists.ok) expect(lists.value[0]?.isSignedBy(publicOf(key))).toBe(false);
    else expect(lists).toMatchObject(refusal("certificate-invalid"));
  });

  /** What `openssl ca` needs to know to make a list of nobody. */
  const caConfig = (): string =>
    [
      "[ca]\ndefault_ca = here\n[here]",
      `database = ${openssl.file("")}`,
      `crlnumber = ${openssl.file("01\n")}`,
      "default_md = sha256",
      "crl_extensions = more\n[more]\nauthorityKeyIdentifier = keyid",
    ].join("\n");
});

describe("a join token", () => {
  const token = (): string =>
    encodeToken({
      mesh,
      root: spkiPin(publicOf(chain.root.key)),
      keymaster: spkiPin(publicOf(chain.key)),
      addresses: ["10.0.0.1:7654", "[fd00::1]:7654"],
      id: "0011223344556677",
      secret: new Uint8Array(16),
      name: "pve2",
      expires: now,
    });

  test("with other letters, more or fewer, is refused and not repeated", () => {
    const genuine = token();
    fc.assert(
      fc.property(
        mangled(() => Buffer.from(genuine)),
        (bytes) => {
          const text = bytes.toString("latin1");
          const parsed = parseToken(text);
          if (text.trim() === genuine) return;
          expect(parsed).toMatchObject(refusal("token-invalid"));
          if (!parsed.ok && text.length > 20)
            expect(JSON.stringify(parsed.error)).not.toContain(text.slice(20));
        },
      ),
      { ...BOUNDED, numRuns: 1000 },
    );
    expect(parseToken(TOKEN_PREFIX + "A".repeat(5_000_000))).toMatchObject(refusal("token-invalid"));
  });
});

describe("a recovery file", () => {
  let sealed: RecoveryFile;
  let code: string;
  beforeAll(async () => {
    code = generateRecoveryCode();
    sealed = await sealRecovery({ mesh, ...chain.root }, code);
  });

  test("with other content is refused before or after its code, whatever was changed", async () => {
    const field = fc.constantFrom("mesh", "rootCertificate", "salt", "nonce", "sealed");
    await fc.assert(
      fc.asyncProperty(field, fc.nat(), fc.string({ maxLength: 3 }), async (name, at, instead) => {
        const text = sealed[name];
        const place = at % text.length;
        const changed = text.slice(0, place) + instead + text.slice(place + 1);
        const parsed = recoveryFile.safeParse({ ...sealed, [name]: changed });
        if (!parsed.success || Buffer.from(changed, "base64url").equals(Buffer.from(text, "base64url")))
          return;
        expect(await openRecovery(parsed.data, code)).toMatchObject(refusal("recovery-invalid"));
      }),
      { numRuns: 12 },
    );
  });

  test("of another mesh, cut off, or with a huge part is refused", async () => {
    const theirs = await sealRecovery({ mesh: elsewhere, ...other.root }, generateRecoveryCode());
    for (const file of [
      theirs,
      { ...sealed, mesh: elsewhere },
      { ...sealed, rootCertificate: other.root.certificate },
      { ...theirs, mesh, rootCertificate: chain.root.certificate },
      { ...sealed, sealed: sealed.sealed.slice(0, 20) },
      { ...sealed, sealed: "A".repeat(4096) },
      { ...sealed, salt: "" },
      { ...sealed, nonce: "" },
    ])
      expect(await openRecovery(file, code)).toMatchObject(refusal("recovery-invalid"));
    expect(recoveryFile.safeParse({ ...sealed, sealed: "A".repeat(100_000) }).success).toBe(false);
    expect(recoveryFile.safeParse({ ...sealed, version: 2 }).success).toBe(false);
  });
});

describe("a signed roster", () => {
  let genuine: ParsedRoster;
  const rosterOf = ({ root, signer }: Chain, named: string): Roster => {
    const signerPin = spkiPin(publicOf(signer.key));
    const at = new Date(now).toISOString();
    return {
      schema: 1,
      mesh: named,
      generation: 1,
      term: 1,
      epoch: 1,
      previous: null,
      ancestors: [],
      issuedAt: at,
      keymaster: node,
      opening: signOpening(root.key, named, { generation: 1, term: 1, signer: signerPin, voids: [] }),
      roots: [{ pin: spkiPin(publicOf(root.key)), certificate: root.certificate }],
      handovers: [],
      succession: [{ node, pin: signerPin, certificate: signer.certificate }],
      nodes: [{ id: node, name: "pve1", addresses: ["127.0.0.1:1"], pin: "1".repeat(43), added: at }],
      revoked: [],
      crls: [],
      config: { version: 0, text: "" },
    };
  };
  const sign = (roster: Roster, { signer }: Chain): Result<ParsedRoster> =>
    signRoster(roster, signer.key, spkiPin(publicOf(signer.key)));
  /** As a node takes one that it has no roster before, and as one that holds the genuine one does. */
  const verify = (text: string): Result<ParsedRoster> => {
    const parsed = parseSigned(text);
    if (!parsed.ok) return parsed;
    heldRoster(parsed.value);
    rosterFacts(parsed.value, genuine.roster.roots);
    return verifyFirstRoster(parsed.value, mesh, genuine.roster.roots[0]?.pin);
  };
  beforeAll(() => {
    genuine = unwrap(sign(rosterOf(chain, mesh), chain));
  });

  test("with other letters, more or fewer, is refused", () => {
    fc.assert(
      fc.property(
        mangled(() => Buffer.from(genuine.encoded)),
        (bytes) => {
          const text = bytes.toString("utf8");
          const verified = verify(text);
          // White space between the three fields is outside of what is signed.
          if (verified.ok) expect(verified.value.signed).toEqual(genuine.signed);
          else expect(["roster-refused", "version-unsupported"]).toContain(verified.error.code);
        },
      ),
      { ...BOUNDED, numRuns: 1000 },
    );
  });

  test("whose signer puts anything at all into it is refused or read, never worse", () => {
    const keys = Object.keys(rosterOf(chain, mesh));
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        const body = JSON.stringify({ ...rosterOf(chain, mesh), [key]: value });
        const signature = signText(chain.signer.key, body);
        const verified = verify(encodeSigned({ body, signature, signer: genuine.signed.signer }));
        if (!verified.ok) expect(["roster-refused", "version-unsupported"]).toContain(verified.error.code);
      }),
      BOUNDED,
    );
  });

  test("of another mesh is refused, also when it names this one's", () => {
    for (const named of [elsewhere, mesh]) {
      const foreign = unwrap(sign(rosterOf(other, named), other));
      expect(verify(foreign.encoded)).toMatchObject(refusal("roster-refused"));
    }
  });

  test.each(ODD_KEYS)("by a signer with another kind of key is refused, root-signed or not: %s", (_, key) => {
    const certificate = openssl.forge({
      issuer: chain.root,
      key,
      subject: `/CN=Balefire signer ${node}`,
      extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign"],
    });
    const pin = spkiPin(publicOf(key));
    const opening = signOpening(chain.root.key, mesh, { generation: 1, term: 1, signer: pin, voids: [] });
    const roster = { ...rosterOf(chain, mesh), opening, succession: [{ node, pin, certificate }] };
    const body = JSON.stringify(roster);
    const own = key.asymmetricKeyType === "ec" ? signText(key, body) : "A".repeat(86);
    for (const signature of [signText(chain.signer.key, body), own])
      expect(verify(encodeSigned({ body, signature, signer: pin }))).toMatchObject(refusal("roster-refused"));
  });

  test("that is huge, or has the same successor twice, is refused", async () => {
    expect(verify("x".repeat(4_000_000))).toMatchObject(refusal("roster-refused"));
    const twin = await issueIntermediate(node, publicOf(chain.signer.key), chain.root, now);
    const [first] = genuine.roster.succession;
    if (first === undefined) throw new Error("the roster has no successor");
    const succession = [first, { ...first, certificate: twin }];
    expect(sign({ ...rosterOf(chain, mesh), succession }, chain)).toMatchObject(refusal("roster-refused"));
  });

  test("with a successor whose key nobody has is refused", () => {
    const pin = spkiPin(publicOf(generateKey()));
    const [first] = genuine.roster.succession;
    if (first === undefined) throw new Error("the roster has no successor");
    const succession = [first, { ...first, pin }];
    const signed = sign({ ...rosterOf(chain, mesh), succession }, chain);
    expect(signed.ok ? verify(signed.value.encoded) : signed).toMatchObject(refusal("roster-refused"));
  });
});
