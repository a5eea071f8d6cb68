import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chain, makeChain, publicOf } from "../../../test/contract/issued-chain.ts";
import { type Answer, Openssl } from "../../../test/contract/openssl.ts";
import { unwrap } from "../../kit/result.ts";
import { days, minutes, type WallTime, wallTime } from "../../kit/time.ts";
import { parseCertificate } from "./certificates.ts";
import { CRL_LIFE, type CrlEntry, rootCrl, signerCrl } from "./crl.ts";
import { type ReadCrl, readCrls } from "./crl-reading.ts";
import { issueLeaf } from "./issue.ts";

const mesh = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
const node = "5c2e6b8e-1111-4c55-9f0e-0c7d1f3f9a11";
/** To the second, as certificates and lists are. */
const now = wallTime(Math.floor(Date.now() / 1000) * 1000);
const openssl = new Openssl();

let chain: Chain;
beforeAll(async () => {
  chain = await makeChain({ mesh, node }, now);
});
afterAll(() => openssl.close());

const serialOf = (pem: string): string => unwrap(parseCertificate(pem)).serialNumber.toLowerCase();
const revoked = (pem: string, reason: CrlEntry["reason"] = "keyCompromise"): CrlEntry => ({
  serial: serialOf(pem),
  at: now,
  reason,
});
const only = (pem: string): ReadCrl => {
  const [list, ...more] = unwrap(readCrls(pem));
  if (list === undefined || more.length > 0) throw new Error("expected one list");
  return list;
};
const verify = (leaf: string, lists: string, ...words: string[]): Answer =>
  openssl.verify(
    { roots: chain.root.certificate, signers: chain.signer.certificate, leaf },
    ...["-CRLfile", openssl.file(lists), ...words],
  );

describe("a signer's list", () => {
  test("refuses to OpenSSL the certificate that is on it, and no other of the same signer", async () => {
    const other = await issueLeaf({ mesh, node: mesh }, publicOf(chain.key), chain.signer, now);
    const list = signerCrl(chain.signer, [revoked(other)], 1, now);
    expect(verify(chain.leaf, list, "-crl_check")).toMatchObject({ ok: true });
    expect(verify(other, list, "-crl_check")).toMatchObject({
      ok: false,
      said: expect.stringContaining("certificate revoked"),
    });
  });

  test("of nobody takes nobody out", () => {
    const list = signerCrl(chain.signer, [], 1, now);
    expect(verify(chain.leaf, list, "-crl_check")).toMatchObject({ ok: true });
    expect(only(list).entries).toEqual([]);
    expect(openssl.run("crl", "-noout", "-text", "-in", openssl.file(list)).said).toContain(
      "No Revoked Certificates",
    );
  });

  test("is signed by the signer's key and says so to OpenSSL in all its parts", () => {
    const list = signerCrl(
      chain.signer,
      [
        { serial: "4d".repeat(16), at: now, reason: "keyCompromise" },
        { serial: "0f", at: wallTime(now - days(3)), reason: "cessationOfOperation" },
      ],
      1_795_312_800,
      now,
    );
    const authority = openssl.file(chain.signer.certificate + chain.root.certificate);
    const text = openssl
      .run("crl", "-text", "-noout", "-in", openssl.file(list))
      .said.replaceAll(/\s+/g, " ");
    expect(openssl.run("crl", "-noout", "-CAfile", authority, "-in", openssl.file(list)).said).toContain(
      "verify OK",
    );
    expect(text).toContain("Version 2 (0x1)");
    expect(text).toContain(`Issuer: CN = Balefire signer ${node}`);
    expect(text).toContain("X509v3 CRL Number: 1795312800");
    const keyId = /Subject Key Identifier: ([0-9A-F:]+)/.exec(
      openssl
        .run("x509", "-noout", "-ext", "subjectKeyIdentifier", "-in", authority)
        .said.replaceAll(/\s+/g, " "),
    )?.[1];
    expect(text).toContain(`X509v3 Authority Key Identifier: ${keyId}`);
    expect(text).toMatch(
      /Serial Number: (4D){16} Revocation Date: .* X509v3 CRL Reason Code: Key Compromise/,
    );
    expect(text).toMatch(/Serial Number: 0F Revocation Date: .* Reason Code: Cessation Of Operation/);
  });

  test("holds for thirty days, from a little ago, and for OpenSSL not a day longer", () => {
    const list = signerCrl(chain.signer, [], 1, now);
    expect(only(list)).toMatchObject({ thisUpdate: now - minutes(5), nextUpdate: now + CRL_LIFE });
    const at = (when: number): Answer =>
      verify(chain.leaf, list, "-crl_check", "-attime", String(Math.floor(when / 1000)));
    expect(at(now - minutes(4))).toMatchObject({ ok: true });
    expect(at(now + days(29))).toMatchObject({ ok: true });
    expect(at(now + days(30) + 60_000).said).toMatch(/CRL has expired/);
  });

  test("by another signer, or changed on the way, proves nothing", async () => {
    const other = await makeChain({ mesh, node }, now);
    const [own, foreign] = [chain, other].map(({ signer }) => signerCrl(signer, [], 1, now));
    const key = publicOf(chain.signer.key);
    expect(only(own ?? "").isSignedBy(key)).toBe(true);
    expect(only(foreign ?? "").isSignedBy(key)).toBe(false);
    expect(verify(chain.leaf, foreign ?? "", "-crl_check")).toMatchObject({ ok: false });
  });

  test("of a thousand certificates is made in a moment and fits a roster many times", () => {
    const entries = Array.from({ length: 1000 }, (_, at) => ({
      serial: `4${at.toString(16).padStart(31, "0")}`,
      at: now,
      reason: "cessationOfOperation" as const,
    }));
    signerCrl(chain.signer, entries, 1, now);
    const began = performance.now();
    const list = signerCrl(chain.signer, entries, 1, now);
    const made = performance.now();
    const read = only(list);
    const took = [made - began, performance.now() - made].map((each) => each.toFixed(1));
    process.stderr.write(
      `1000 entries: ${list.length} characters, made in ${took[0]} ms, read in ${took[1]} ms\n`,
    );
    expect(read.entries).toHaveLength(1000);
    expect(list.length).toBeLessThan(80_000);
    expect(verify(chain.leaf, list, "-crl_check")).toMatchObject({ ok: true });
  });
});

describe("with the root's list, OpenSSL checks the whole chain", () => {
  test("and takes it while no signer is on it", () => {
    const lists = signerCrl(chain.signer, [], 1, now) + rootCrl(chain.root, [], 1, now);
    expect(verify(chain.leaf, lists, "-crl_check_all")).toMatchObject({ ok: true });
    expect(verify(chain.leaf, signerCrl(chain.signer, [], 1, now), "-crl_check_all")).toMatchObject({
      ok: false,
    });
  });

  test("and refuses everything of a signer that is", () => {
    const voided = revoked(chain.signer.certificate, "cACompromise");
    const lists = signerCrl(chain.signer, [], 1, now) + rootCrl(chain.root, [voided], 1, now);
    expect(verify(chain.leaf, lists, "-crl_check_all")).toMatchObject({
      ok: false,
      said: expect.stringContaining("certificate revoked"),
    });
  });

  test("for as long as the root lives: nobody could make the next one unattended", () => {
    const list = only(rootCrl(chain.root, [], 1, now));
    expect(list.nextUpdate).toBe(unwrap(parseCertificate(chain.root.certificate)).validToDate.getTime());
    expect(list.isSignedBy(publicOf(chain.root.key))).toBe(true);
  });
});

test.each(["2049-12-31T23:59:58Z", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "2068-02-29T12:00:00Z"])(
  "a list of %s has its times in the form that OpenSSL expects then",
  async (text) => {
    const then = wallTime(Date.parse(text));
    const late = await makeChain({ mesh, node }, wallTime(then - days(1)));
    const entry = { serial: "4a", at: then, reason: "superseded" } as const;
    const list = signerCrl(late.signer, [entry], 1, then);
    expect(only(list)).toMatchObject({
      thisUpdate: then - minutes(5),
      nextUpdate: then + CRL_LIFE,
      entries: [{ serial: "4a", at: then, reason: "superseded" }],
    });
    const said = openssl.run("crl", "-noout", "-nextupdate", "-in", openssl.file(list)).said.trim();
    expect(Date.parse(said.replace("nextUpdate=", ""))).toBe(then + CRL_LIFE);
    const answer = openssl.verify(
      { roots: late.root.certificate, signers: late.signer.certificate, leaf: late.leaf },
      ...["-CRLfile", openssl.file(list), "-crl_check", "-attime", String(then / 1000)],
    );
    expect(answer).toMatchObject({ ok: true });
  },
);

test("what is written is read again, whatever the serial numbers, times and number", () => {
  const second = fc.integer({ min: Date.UTC(1960, 0) / 1000, max: Date.UTC(9990, 0) / 1000 });
  const time = second.map((value) => wallTime(value * 1000));
  const entry = fc.record({
    serial: fc
      .stringMatching(/^[1-9a-f][0-9a-f]{0,37}$/)
      .map((hex) => (hex.length % 2 === 0 ? hex : `0${hex}`)),
    at: time,
    reason: fc.constantFrom("keyCompromise", "cACompromise", "superseded", "cessationOfOperation"),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: ({ serial }) => serial, maxLength: 20 }),
      fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      time,
      (entries, number, at: WallTime) => {
        const list = only(signerCrl(chain.signer, entries as CrlEntry[], number, at));
        expect(list.entries).toEqual(entries);
        expect(list).toMatchObject({ number, thisUpdate: at - minutes(5), nextUpdate: at + CRL_LIFE });
      },
    ),
    { numRuns: 200 },
  );
});

test("text that holds no list, too many, too long a one or a certificate is refused with its reason", () => {
  const list = signerCrl(chain.signer, [], 1, now);
  for (const text of ["", "x", chain.leaf, list.repeat(9), "x".repeat(200_000), list.slice(0, -40)]) {
    expect(readCrls(text)).toMatchObject({
      ok: false,
      error: { code: "certificate-invalid", message: expect.stringContaining("not a revocation list") },
    });
  }
  expect(unwrap(readCrls(list + list))).toHaveLength(2);
});
