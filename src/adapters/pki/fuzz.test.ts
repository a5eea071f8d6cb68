import { createPublicKey } from "node:crypto";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { unwrap } from "../../kit/result.ts";
import { wallTime } from "../../kit/time.ts";
import { leadsToRoot, nodeNamed, parseCertificate } from "./certificates.ts";
import { createCsr } from "./csr.ts";
import { csrKey, issueIntermediate, issueLeaf, issueRoot } from "./issue.ts";
import { generateKey, spkiPin } from "./keys.ts";

const mesh = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
const now = wallTime(Date.now());
const pem = (kind: string, der: Buffer): string =>
  `-----BEGIN ${kind}-----\n${der.toString("base64")}\n-----END ${kind}-----\n`;
const der = (text: string): Buffer => Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");

let [root, signer, leaf, csr, rootPin] = ["", "", "", "", ""];

beforeAll(async () => {
  const [rootKey, signerKey, key] = [generateKey(), generateKey(), generateKey()];
  root = await issueRoot(mesh, rootKey, now);
  signer = await issueIntermediate(
    mesh,
    createPublicKey(signerKey),
    { key: rootKey, certificate: root },
    now,
  );
  leaf = await issueLeaf(
    { mesh, node: mesh },
    createPublicKey(key),
    { key: signerKey, certificate: signer },
    now,
  );
  csr = createCsr(key);
  rootPin = spkiPin(createPublicKey(rootKey));
});

/** Some bytes of it are others; what a stranger may send. */
const mutated = (text: string) =>
  fc
    .array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 })
    .map((changes) => {
      const bytes = der(text);
      for (const [at, change] of changes) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ change;
      return { bytes, same: bytes.equals(der(text)) };
    });

test("a certificate with other bytes is refused or leads nowhere, and never throws", () => {
  const whole = [leaf, signer, root].map((text) => unwrap(parseCertificate(text)));
  for (const place of [0, 1, 2]) {
    const text = [leaf, signer, root][place] ?? "";
    fc.assert(
      fc.property(mutated(text), ({ bytes, same }) => {
        const parsed = parseCertificate(pem("CERTIFICATE", bytes));
        if (!parsed.ok || same) return;
        nodeNamed(parsed.value);
        const [first, second, third] = whole.map((each, index) => (index === place ? parsed.value : each));
        if (first && second && third) expect(leadsToRoot(first, second, third, rootPin)).toBe(false);
      }),
      { numRuns: 400 },
    );
  }
});

test("a request with other bytes never throws, and never gives a key that has not signed it", async () => {
  const genuine = spkiPin(unwrap(await csrKey(csr)));
  await fc.assert(
    fc.asyncProperty(mutated(csr), async ({ bytes, same }) => {
      const key = await csrKey(pem("CERTIFICATE REQUEST", bytes));
      if (key.ok) expect(same || spkiPin(key.value) === genuine).toBe(true);
    }),
    { numRuns: 400 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect((await csrKey(pem("CERTIFICATE REQUEST", Buffer.from(bytes)))).ok).toBe(false);
    }),
  );
});
