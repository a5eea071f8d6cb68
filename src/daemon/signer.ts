/** The key that signs rosters and certificates, with the certificate that says that it may. */
import type { KeyObject } from "node:crypto";
import { certificatePin, parseCertificate } from "../adapters/pki/certificates.ts";
import { keyMatches, parsePrivateKey } from "../adapters/pki/keys.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { SIGNER_CERTIFICATE_FILE, SIGNER_KEY_FILE } from "./state-files.ts";

export const SIGNER_REMEDY = "Restore the file from a backup of this host.";

export interface Signer {
  readonly key: KeyObject;
  readonly certificate: string;
  readonly pin: string;
}

/** Fails with `state-missing`, `state-corrupt` or `state-permissions`, naming the file. */
export async function loadSigner(folder: StateFolder): Promise<Result<Signer>> {
  const keyPath = `${folder.path}/${SIGNER_KEY_FILE}`;
  const certificatePath = `${folder.path}/${SIGNER_CERTIFICATE_FILE}`;
  const remedy = SIGNER_REMEDY;
  const pem = await folder.readSecret(SIGNER_KEY_FILE);
  if (!pem.ok) return pem;
  const certificate = await folder.readText(SIGNER_CERTIFICATE_FILE);
  if (!certificate.ok) return certificate;
  if (pem.value === undefined)
    return failure("state-missing", `${keyPath} is missing, and this node is the keymaster`, remedy);
  if (certificate.value === undefined)
    return failure("state-missing", `${certificatePath} is missing`, remedy);
  const key = parsePrivateKey(pem.value, keyPath);
  if (!key.ok) return key;
  const parsed = parseCertificate(certificate.value);
  if (!parsed.ok) return failure("state-corrupt", `${certificatePath}: ${parsed.error.message}`, remedy);
  if (!keyMatches(key.value, parsed.value.publicKey)) {
    return failure("state-corrupt", `${keyPath} and ${certificatePath} do not belong together`, remedy);
  }
  return ok({ key: key.value, certificate: certificate.value, pin: certificatePin(parsed.value) });
}
