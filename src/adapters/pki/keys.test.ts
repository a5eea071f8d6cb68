import { createPublicKey, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { generateKey, keyMatches, keyPem, parsePrivateKey, signText, verifyText } from "./keys.ts";
import { signProof, tokenPublicKey, tokenSigningKey, verifyProof } from "./token-key.ts";

test("a signature holds for its text and its key only", () => {
  const [key, other] = [generateKey(), generateKey()];
  const signature = signText(key, "text");
  expect(signature).toHaveLength(86);
  expect(verifyText(createPublicKey(key), "text", signature)).toBe(true);
  expect(verifyText(createPublicKey(key), "texT", signature)).toBe(false);
  expect(verifyText(createPublicKey(other), "text", signature)).toBe(false);
  expect(verifyText(createPublicKey(key), "text", "")).toBe(false);
});

test("a key file whose secret half was damaged is noticed though its public half is whole", () => {
  const key = generateKey();
  const der = key.export({ type: "pkcs8", format: "der" });
  der[40] = (der[40] ?? 0) ^ 1;
  const pem = `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----\n`;
  const damaged = parsePrivateKey(pem, "node.key");
  expect(damaged.ok && keyMatches(damaged.value, createPublicKey(key))).toBe(false);
  expect(keyMatches(key, createPublicKey(key))).toBe(true);
});

test("a file that is no key says its name and not its content", () => {
  const pem = keyPem(generateKey()).replace("BEGIN", "BEGUN");
  const refused = parsePrivateKey(pem, "node.key");
  expect(refused).toMatchObject({ ok: false, error: { code: "state-corrupt" } });
  expect(JSON.stringify(refused)).toContain("node.key");
  expect(JSON.stringify(refused)).not.toContain(pem.slice(30, 60));
});

test("a token's key comes from its secret and its id, and proves one text", () => {
  const secret = randomBytes(16);
  const key = tokenSigningKey(secret, "id");
  const proof = signProof(key, "text");
  expect(tokenPublicKey(tokenSigningKey(secret, "id"))).toBe(tokenPublicKey(key));
  expect(tokenPublicKey(tokenSigningKey(secret, "other"))).not.toBe(tokenPublicKey(key));
  expect(verifyProof(tokenPublicKey(key), "text", proof)).toBe(true);
  expect(verifyProof(tokenPublicKey(key), "other", proof)).toBe(false);
  expect(verifyProof(tokenPublicKey(tokenSigningKey(randomBytes(16), "id")), "text", proof)).toBe(false);
  expect(verifyProof("", "text", proof)).toBe(false);
});
