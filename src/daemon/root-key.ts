/** The mesh's root key, for as long as one command needs it: opened with the recovery code, kept nowhere. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { spkiPin } from "../adapters/pki/keys.ts";
import { openRecovery, type RootAuthority } from "../adapters/pki/recovery.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, seconds } from "../kit/time.ts";
import type { RecoveryFile } from "../wire/recovery-file.ts";
import type { Roster } from "../wire/roster.ts";
import { Serial } from "./serial.ts";

/** After a wrong code, on top of what scrypt costs. Codes are tried one after the other. */
export const WRONG_CODE_PAUSE: Duration = seconds(1);

export interface RootKey {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
  readonly pin: string;
}

export interface RootQuestion {
  readonly roster: Roster;
  /** As typed. */
  readonly code: string;
  /** Instead of the one in the roster. */
  readonly recovery?: RecoveryFile | undefined;
}

/** One guess at a time in the whole process, whoever asks. */
const guesses = new Serial();

/** What the code opens, whatever mesh it is of. Fails with `recovery-invalid`, after a pause. */
export async function tryCode(file: RecoveryFile, code: string): Promise<Result<RootAuthority>> {
  const opened = await openRecovery(file, code);
  if (!opened.ok) await new Promise((resolve) => setTimeout(resolve, WRONG_CODE_PAUSE));
  return opened;
}

/** Fails with `recovery-invalid`: no file, another mesh's, of a root that is gone, or the wrong code. */
export function openRootKey({ roster, code, recovery }: RootQuestion): Promise<Result<RootKey>> {
  return guesses.run(async () => {
    const file = recovery ?? roster.recovery;
    if (file === undefined) {
      const remedy = "Pass a copy of the recovery file: --recovery-file FILE.";
      return failure("recovery-invalid", "the roster holds no recovery file", remedy);
    }
    if (file.mesh !== roster.mesh) {
      const remedy = "Use this mesh's file; without one the copy in the roster is taken.";
      return failure("recovery-invalid", "the recovery file is of another mesh", remedy);
    }
    const opened = await tryCode(file, code);
    if (!opened.ok) return opened;
    const { key, certificate } = opened.value;
    const pin = spkiPin(createPublicKey(key));
    const listed = roster.roots.find((root) => root.pin === pin);
    if (listed?.certificate.trim() === certificate.trim()) return ok({ key, certificate, pin });
    const remedy =
      "Use the newest recovery file and its code; without --recovery-file the roster's is taken.";
    return failure(
      "recovery-invalid",
      "the recovery file is of a root that this mesh no longer trusts",
      remedy,
    );
  });
}
