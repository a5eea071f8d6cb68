import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { unwrap } from "../kit/result.ts";
import { wallTime } from "../kit/time.ts";
import { encodeToken, type JoinToken, parseToken, TOKEN_PREFIX } from "./token.ts";

const token: JoinToken = {
  mesh: "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11",
  root: Buffer.alloc(32, 1).toString("base64url"),
  keymaster: Buffer.alloc(32, 2).toString("base64url"),
  addresses: ["10.0.0.1:7654", "[fd00::1]:7654"],
  id: "00ff10a5b6c7d8e9",
  secret: new Uint8Array(16).fill(7),
  name: "pve2",
  expires: wallTime(1_790_000_000_000),
};

/** The line with other bytes under a checksum that fits them. */
function resealed(change: (bytes: Buffer) => Buffer): string {
  const bytes = Buffer.from(encodeToken(token).slice(TOKEN_PREFIX.length), "base64url").subarray(0, -4);
  const changed = change(Buffer.from(bytes));
  const checksum = createHash("sha256").update(changed).digest().subarray(0, 4);
  return TOKEN_PREFIX + Buffer.concat([changed, checksum]).toString("base64url");
}

test("a token read back is the token written, white space around it or not", () => {
  expect(unwrap(parseToken(encodeToken(token)))).toEqual(token);
  expect(unwrap(parseToken(`  ${encodeToken(token)}\n`))).toEqual(token);
});

test("a mistyped, cut or foreign token is refused and never repeated in the failure", () => {
  const line = encodeToken(token);
  const mistyped = line.slice(0, 60) + (line[60] === "A" ? "B" : "A") + line.slice(61);
  for (const text of [
    mistyped,
    line.slice(0, -3),
    line.replace("balefire", "bonfire"),
    "",
    `${line}${"A".repeat(3000)}`,
  ]) {
    const parsed = parseToken(text);
    expect(parsed).toMatchObject({ ok: false, error: { code: "token-invalid" } });
    expect(JSON.stringify(parsed)).not.toContain(line.slice(20, 60));
  }
});

test("a token of a later version says so", () => {
  const later = resealed((bytes) => Buffer.concat([Buffer.from([2]), bytes.subarray(1)]));
  expect(parseToken(later)).toMatchObject({ ok: false, error: { code: "version-unsupported" } });
});

test("a token with a sound checksum but senseless content is refused", () => {
  const shorter = resealed((bytes) => bytes.subarray(0, 80));
  const longer = resealed((bytes) => Buffer.concat([bytes, Buffer.from("x")]));
  const badName = resealed((bytes) =>
    Buffer.from(bytes.toString("latin1").replace("pve2", "PVE2"), "latin1"),
  );
  for (const text of [shorter, longer, badName]) {
    expect(parseToken(text)).toMatchObject({ ok: false, error: { code: "token-invalid" } });
  }
});

test("no text and no bytes make the parser throw", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseToken(text)));
  fc.assert(fc.property(fc.string(), (text) => void parseToken(TOKEN_PREFIX + text)));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parseToken(resealed(() => Buffer.concat([Buffer.from([1]), bytes])));
    }),
  );
});
