/** `recovery verify`: whether a code opens the sealed root key. Needs no daemon, changes nothing, takes no lock. */
import { basename, dirname } from "node:path";
import { certificatePin, parseCertificate } from "../adapters/pki/certificates.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import type { RecoveryFile } from "../wire/recovery-file.ts";
import type { RecoveryVerifyReport } from "../wire/root-reports.ts";
import { encodeSigned, parseSigned, type Roster } from "../wire/roster.ts";
import { tryCode } from "./root-key.ts";
import { RECOVERY_STATE_FILE, ROSTER_FILE } from "./state-files.ts";

export interface RecoveryVerifyOptions {
  readonly stateDir: string;
  /** Instead of what the roster holds. */
  readonly recoveryFile?: string;
  /** As typed. */
  readonly code: string;
}

/** Fails with `recovery-invalid`, `state-missing`, `state-corrupt` or what the disk says. */
export async function verifyRecovery(options: RecoveryVerifyOptions): Promise<Result<RecoveryVerifyReport>> {
  const { stateDir, recoveryFile, code } = options;
  const roster = await heldRoster(stateDir);
  if (!roster.ok && recoveryFile === undefined) return roster;
  const held = roster.ok ? roster.value : undefined;
  const file = recoveryFile === undefined ? recoveryOf(held) : await readRecoveryFile(recoveryFile);
  if (!file.ok) return file;
  const opened = await tryCode(file.value, code);
  if (!opened.ok) return opened;
  const certificate = parseCertificate(opened.value.certificate);
  if (!certificate.ok) return certificate;
  const root = certificatePin(certificate.value);
  return ok({
    schema: 1,
    source: recoveryFile ?? "roster",
    mesh: opened.value.mesh,
    root,
    trusted: held === undefined ? null : held.roots.some(({ pin }) => pin === root),
  });
}

/** A copy of `recovery.balefire`, wherever it lies. */
export async function readRecoveryFile(path: string): Promise<Result<RecoveryFile>> {
  const folder = new StateFolder(dirname(path));
  const read = await folder.readJson({ ...RECOVERY_STATE_FILE, name: basename(path) });
  if (!read.ok) return read;
  if (read.value !== undefined) return ok(read.value);
  return failure("state-missing", `${path} does not exist`, "Name a copy of recovery.balefire.");
}

const recoveryOf = (roster: Roster | undefined): Result<RecoveryFile> =>
  roster?.recovery === undefined
    ? failure("recovery-invalid", "the roster holds no sealed root key", "Name a copy with --recovery-file.")
    : ok(roster.recovery);

async function heldRoster(stateDir: string): Promise<Result<Roster>> {
  const folder = new StateFolder(stateDir);
  const signed = await folder.readJson(ROSTER_FILE);
  if (!signed.ok) return signed;
  if (signed.value === undefined) {
    const remedy = "Run this on a node of the mesh, or name a file with --recovery-file.";
    return failure("state-missing", `${stateDir} holds no roster`, remedy);
  }
  const parsed = parseSigned(encodeSigned(signed.value));
  return parsed.ok ? ok(parsed.value.roster) : parsed;
}
