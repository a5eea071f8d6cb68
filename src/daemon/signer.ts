/** The key that signs rosters and certificates, with the certificate that says that it may. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { certificatePin, parseCertificate } from "../adapters/pki/certificates.ts";
import { generateKey, keyMatches, keyPem, parsePrivateKey, spkiPin } from "../adapters/pki/keys.ts";
import { rootAbove } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import type { Roster } from "../wire/roster.ts";
import { PENDING_SIGNER_FILE, SIGNER_CERTIFICATE_FILE, SIGNER_KEY_FILE } from "./state-files.ts";

const SIGNER_REMEDY = "Restore the file from a backup of this host.";

export interface Signer {
  readonly key: KeyObject;
  readonly certificate: string;
  readonly pin: string;
}

/** A signing key without its certificate. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly pin: string;
}

/**
 * The signing key of this host: the one that waits for its certificate where the roster has that by now,
 * else the one in use. Undefined: there is none. Changes nothing. Fails with `state-missing`,
 * `state-corrupt` or `state-permissions`, naming the file.
 */
export async function findSigner(folder: StateFolder, roster: Roster): Promise<Result<Signer | undefined>> {
  const pending = await pendingSigner(folder);
  if (!pending.ok) {
    // What is left of a key that never came to sign makes the one that does no worse.
    const used = await loadSigner(folder, roster);
    return used.ok && certifiedBy(roster, used.value) !== undefined ? used : pending;
  }
  const certified = pending.value === undefined ? undefined : certifiedBy(roster, pending.value);
  if (certified !== undefined) return ok(certified);
  if (!(await folder.exists(SIGNER_KEY_FILE))) return ok(undefined);
  return loadSigner(folder, roster);
}

/** The key with the certificate that the roster has for it. */
export function certifiedBy({ succession }: Roster, { key, pin }: SigningKey): Signer | undefined {
  const listed = succession.find((successor) => successor.pin === pin);
  return listed === undefined ? undefined : { key, pin, certificate: listed.certificate };
}

/**
 * With the certificate that goes with what it issues: the one that the roster has, but while a new root is
 * only announced the one that everybody trusts.
 */
export const asIssuer = (roster: Roster, signer: Signer): Signer =>
  roster.rotation?.phase === "announced" ? signer : (certifiedBy(roster, signer) ?? signer);

export async function pendingSigner(folder: StateFolder): Promise<Result<SigningKey | undefined>> {
  const file = await folder.readJson(PENDING_SIGNER_FILE);
  if (!file.ok) return file;
  if (file.value === undefined) return ok(undefined);
  const key = parsePrivateKey(file.value.key, `${folder.path}/${PENDING_SIGNER_FILE.name}`);
  return key.ok ? ok(asSigningKey(key.value)) : key;
}

/** A new one, on disk when it resolves to ok. */
export async function makePendingSigner(folder: StateFolder): Promise<Result<SigningKey>> {
  const made = generateKey();
  const written = await folder.writeJson(PENDING_SIGNER_FILE, { key: keyPem(made) });
  return written.ok ? ok(asSigningKey(made)) : written;
}

/** In the place of the one in use; whenever the process dies, `findSigner` finds the same key. */
export async function installSigner(folder: StateFolder, signer: Signer): Promise<Result<void>> {
  const steps = [
    () => folder.writeText(SIGNER_KEY_FILE, keyPem(signer.key)),
    () => folder.writeText(SIGNER_CERTIFICATE_FILE, signer.certificate),
    () => folder.remove(PENDING_SIGNER_FILE.name),
  ];
  for (const step of steps) {
    const done = await step();
    if (!done.ok) return done;
  }
  return ok(undefined);
}

const bare = (text: string): string => text.replaceAll(/\s/g, "");

const asSigningKey = (key: KeyObject): SigningKey => ({ key, pin: spkiPin(createPublicKey(key)) });

async function loadSigner(folder: StateFolder, roster: Roster): Promise<Result<Signer>> {
  const keyPath = `${folder.path}/${SIGNER_KEY_FILE}`;
  const certificatePath = `${folder.path}/${SIGNER_CERTIFICATE_FILE}`;
  const pem = await folder.readSecret(SIGNER_KEY_FILE);
  if (!pem.ok) return pem;
  const key = parsePrivateKey(pem.value ?? "", keyPath);
  if (!key.ok) return key;
  const certificate = await folder.readText(SIGNER_CERTIFICATE_FILE);
  if (!certificate.ok) return certificate;
  if (certificate.value === undefined)
    return failure("state-missing", `${certificatePath} is missing`, SIGNER_REMEDY);
  const parsed = parseCertificate(certificate.value);
  if (!parsed.ok)
    return failure("state-corrupt", `${certificatePath}: ${parsed.error.message}`, SIGNER_REMEDY);
  // OpenSSL reads past what it does not understand: a damaged file must not be handed on.
  if (bare(parsed.value.toString()) !== bare(certificate.value))
    return failure("state-corrupt", `${certificatePath} holds more than a certificate`, SIGNER_REMEDY);
  if (!keyMatches(key.value, parsed.value.publicKey)) {
    return failure(
      "state-corrupt",
      `${keyPath} and ${certificatePath} do not belong together`,
      SIGNER_REMEDY,
    );
  }
  const own = { key: key.value, certificate: certificate.value, pin: certificatePin(parsed.value) };
  // While the roots are changed it is still the one by the old root, though the roster has a newer one.
  if (rootAbove(certificate.value, roster.roots) !== undefined) return ok(own);
  // It was off when the old root went.
  const listed = certifiedBy(roster, own);
  if (listed !== undefined) return ok(listed);
  return failure("state-corrupt", `${certificatePath} is not by a root of this mesh`, SIGNER_REMEDY);
}

/** Of a node that has to sign and has no key. */
export const noSigner = (folder: StateFolder): Result<never> =>
  failure(
    "state-missing",
    `${folder.path}/${SIGNER_KEY_FILE} is missing, and this node is the keymaster`,
    SIGNER_REMEDY,
  );
