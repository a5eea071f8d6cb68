import { beforeAll, expect, test } from "vitest";
import { unwrap } from "../../kit/result.ts";
import { wallTime } from "../../kit/time.ts";
import type { RecoveryFile } from "../../wire/recovery-file.ts";
import { issueRoot } from "./issue.ts";
import { generateKey, keyPem } from "./keys.ts";
import { openRecovery, type RootAuthority, sealRecovery } from "./recovery.ts";
import { generateRecoveryCode, parseRecoveryCode } from "./recovery-code.ts";

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const mesh = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
const code = generateRecoveryCode();
let root: RootAuthority;
let file: RecoveryFile;

beforeAll(async () => {
  const key = generateKey();
  root = { mesh, key, certificate: await issueRoot(mesh, key, wallTime(Date.now())) };
  file = await sealRecovery(root, code);
});

test("a code is seven groups of five that differ each time", () => {
  expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){6}[0-9A-HJKMNP-TV-Z]{5}$/);
  expect(new Set(Array.from({ length: 100 }, generateRecoveryCode)).size).toBe(100);
});

test("a code is read however it is typed", () => {
  const loose = code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l");
  expect(parseRecoveryCode(` ${loose}\n`)).toEqual({ ok: true, value: code });
});

test("every single wrong symbol is found, in its group", () => {
  for (let at = 0; at < code.length; at += 1) {
    if (code[at] === "-") continue;
    for (const symbol of SYMBOLS) {
      if (symbol === code[at]) continue;
      const parsed = parseRecoveryCode(code.slice(0, at) + symbol + code.slice(at + 1));
      expect(!parsed.ok && parsed.error.message).toContain(`group ${Math.floor(at / 6) + 1} is mistyped`);
    }
  }
});

test("two symbols swapped within a group, and two groups swapped, are found", () => {
  for (let trial = 0; trial < 50; trial += 1) {
    const groups = generateRecoveryCode().split("-");
    const [first = "", second = ""] = groups;
    for (let at = 0; at < 4; at += 1) {
      if (first[at] === first[at + 1]) continue;
      const swapped = `${first.slice(0, at)}${first[at + 1]}${first[at]}${first.slice(at + 2)}`;
      expect(parseRecoveryCode([swapped, ...groups.slice(1)].join("")).ok).toBe(false);
    }
    if (first !== second)
      expect(parseRecoveryCode([second, first, ...groups.slice(2)].join("")).ok).toBe(false);
  }
});

test("a code cut short says how many symbols it has", () => {
  expect(parseRecoveryCode(code.slice(0, -3))).toMatchObject({
    ok: false,
    error: { code: "recovery-invalid", message: expect.stringContaining("32 were typed") },
  });
});

test("code and file together give the root key back", async () => {
  const opened = unwrap(await openRecovery(file, code.toLowerCase()));
  expect(opened.mesh).toBe(mesh);
  expect(opened.certificate).toBe(root.certificate);
  expect(keyPem(opened.key)).toBe(keyPem(root.key));
});

test("another code does not open it, and no failure repeats what was typed", async () => {
  const other = generateRecoveryCode();
  const refused = await openRecovery(file, other);
  expect(refused).toMatchObject({ ok: false, error: { code: "recovery-invalid" } });
  expect(JSON.stringify(refused)).not.toContain(other.slice(0, 11));
});

test("the file does not hold the key in the clear", () => {
  const der = root.key.export({ type: "pkcs8", format: "der" });
  expect(Buffer.from(file.sealed, "base64url").includes(der.subarray(36, 60))).toBe(false);
  expect(JSON.stringify(file)).not.toContain("PRIVATE KEY");
});

test("a changed file does not open, whichever part was changed", async () => {
  const turned = (text: string): string => (text.startsWith("A") ? "B" : "A") + text.slice(1);
  const otherKey = generateKey();
  const otherRoot = await issueRoot(mesh, otherKey, wallTime(Date.now()));
  const changes: Partial<RecoveryFile>[] = [
    { mesh: mesh.replace("0b", "0c") },
    { rootCertificate: otherRoot },
    { salt: turned(file.salt) },
    { nonce: turned(file.nonce) },
    { sealed: turned(file.sealed) },
    { sealed: file.sealed.slice(0, -1) },
    { sealed: "" },
    { nonce: "" },
  ];
  for (const change of changes) {
    expect(await openRecovery({ ...file, ...change }, code)).toMatchObject({
      ok: false,
      error: { code: "recovery-invalid" },
    });
  }
});
