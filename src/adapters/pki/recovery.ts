/**
 * The recovery file: the root's private key, sealed under a printed code. Each host may
 * hold a copy, which invites guessing, so the code has 140 random bits and no passphrase
 * is offered. scrypt (RFC 7914) on top costs a guess 32 MiB; the key then opens AES-256-GCM,
 * whose additional data binds mesh and root certificate to the sealed key. What this module holds of
 * the key in clear, or of the key that opens it, is overwritten as soon as it has been used.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  type KeyObject,
  randomBytes,
  scrypt,
} from "node:crypto";
import { failure, ok, type Result } from "../../kit/result.ts";
import type { RecoveryFile } from "../../wire/recovery-file.ts";
import { parseCertificate } from "./certificates.ts";
import { isP256, keyMatches } from "./keys.ts";
import { parseRecoveryCode } from "./recovery-code.ts";

/** Fixed by the version, not read from the file: a doctored file must not choose the cost. */
const SCRYPT = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface RootAuthority {
  readonly mesh: string;
  readonly key: KeyObject;
  readonly certificate: string;
}

/** `code` as `generateRecoveryCode` printed it. */
export async function sealRecovery(root: RootAuthority, code: string): Promise<RecoveryFile> {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const key = await stretch(code, salt);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  key.fill(0);
  cipher.setAAD(boundText(root.mesh, root.certificate));
  const clear = root.key.export({ type: "pkcs8", format: "der" });
  const sealed = Buffer.concat([cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
  clear.fill(0);
  return {
    version: 1,
    mesh: root.mesh,
    rootCertificate: root.certificate,
    salt: salt.toString("base64url"),
    nonce: nonce.toString("base64url"),
    sealed: sealed.toString("base64url"),
  };
}

/** Fails with `recovery-invalid`: mistyped (naming the group), another mesh's code, or a damaged file. */
export async function openRecovery(file: RecoveryFile, typed: string): Promise<Result<RootAuthority>> {
  const code = parseRecoveryCode(typed);
  if (!code.ok) return code;
  const sealed = Buffer.from(file.sealed, "base64url");
  const nonce = Buffer.from(file.nonce, "base64url");
  if (sealed.length <= TAG_BYTES || nonce.length !== NONCE_BYTES) return damaged("it is too short");
  const key = await stretch(code.value, Buffer.from(file.salt, "base64url"));
  const opened = openSealed(sealed, nonce, key, boundText(file.mesh, file.rootCertificate));
  if (opened === undefined) {
    return failure(
      "recovery-invalid",
      "the code does not open this recovery file",
      "Check that code and file are of the same mesh.",
    );
  }
  const rootKey = readKey(opened);
  const certificate = parseCertificate(file.rootCertificate);
  if (rootKey === undefined || !certificate.ok) return damaged("its key or certificate cannot be read");
  if (!keyMatches(rootKey, certificate.value.publicKey)) return damaged("its key is not its certificate's");
  return ok({ mesh: file.mesh, key: rootKey, certificate: file.rootCertificate });
}

/** Overwrites what it has read. */
function readKey(der: Buffer): KeyObject | undefined {
  try {
    const key = createPrivateKey({ key: der, type: "pkcs8", format: "der" });
    return isP256(key) ? key : undefined;
  } catch {
    return undefined;
  } finally {
    der.fill(0);
  }
}

/** Overwrites the key it was given. */
function openSealed(sealed: Buffer, nonce: Buffer, key: Buffer, bound: Buffer): Buffer | undefined {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  key.fill(0);
  decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const clear = decipher.update(sealed.subarray(0, -TAG_BYTES));
  try {
    // GCM holds nothing back: all of it has come, and this only checks the tag.
    decipher.final();
    return clear;
  } catch {
    clear.fill(0);
    return undefined;
  }
}

const boundText = (mesh: string, certificate: string): Buffer =>
  Buffer.from(`balefire-recovery/1\n${mesh}\n${certificate}`);

const stretch = (code: string, salt: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(code, salt, KEY_BYTES, SCRYPT, (error, key) => (error === null ? resolve(key) : reject(error)));
  });

const damaged = (why: string): Result<never> =>
  failure("recovery-invalid", `the recovery file is damaged: ${why}`, "Use another host's copy.");
