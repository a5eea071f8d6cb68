/**
 * What announces a new root: its key is made, vouched for by the old one, signs what it has to sign, is
 * sealed under a new code, and is gone again. Nothing here reaches disk or network.
 */
import type { KeyObject } from "node:crypto";
import { certificatePin, parseCertificate } from "../adapters/pki/certificates.ts";
import { rootCrl } from "../adapters/pki/crl.ts";
import { issueIntermediate, issueRoot } from "../adapters/pki/issue.ts";
import { generateKey } from "../adapters/pki/keys.ts";
import { sealRecovery } from "../adapters/pki/recovery.ts";
import { generateRecoveryCode } from "../adapters/pki/recovery-code.ts";
import { signHandover } from "../adapters/pki/roster-signature.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { isoTime, type WallTime } from "../kit/time.ts";
import { ROSTER_HANDOVERS_MAX, ROSTER_ROOTS_MAX, type Roster, type RosterSuccessor } from "../wire/roster.ts";
import type { RootKey } from "./root-key.ts";
import type { RosterChanges } from "./roster-next.ts";

export interface Announcement {
  readonly changes: RosterChanges;
  /** Of the new root: opens the next generation, and is dropped with this. */
  readonly key: KeyObject;
  /** Pin of it. */
  readonly root: string;
  /** What it was made from: it holds only while the mesh has these. */
  readonly madeFrom: Pick<Roster, "roots" | "succession">;
}

/** `old`: a root that is trusted now. Fails with `limit-reached` after too many changes that never ended. */
export async function prepareAnnouncement(
  roster: Roster,
  old: RootKey,
  waived: readonly string[],
  now: WallTime,
): Promise<Result<{ readonly announcement: Announcement; readonly recoveryCode: string }>> {
  const { mesh, roots, succession } = roster;
  if (roots.length >= ROSTER_ROOTS_MAX)
    return failure("limit-reached", `the mesh trusts ${roots.length} roots already`);
  const key = generateKey();
  const certificate = await issueRoot(mesh, key, now);
  const handover = signHandover(old.key, mesh, certificate);
  if (!handover.ok) return handover;
  const root = handover.value.to;
  const signers = await certifyAnew(succession, { key, certificate }, now);
  if (!signers.ok) return signers;
  const recoveryCode = generateRecoveryCode();
  const list = rootCrl({ key, certificate }, [], Math.floor(now / 1000), now);
  const announcement: Announcement = {
    changes: {
      roots: [...roots, { pin: root, certificate }],
      handovers: [...roster.handovers, handover.value].slice(-ROSTER_HANDOVERS_MAX),
      succession: signers.value,
      recovery: await sealRecovery({ mesh, key, certificate }, recoveryCode),
      rotation: { phase: "announced", root, since: isoTime(now), waived },
      crls: [...roster.crls, { root, pem: list }],
    },
    key,
    root,
    madeFrom: { roots, succession },
  };
  return ok({ announcement, recoveryCode });
}

/** The same signing keys, with certificates by the new root. */
async function certifyAnew(
  succession: readonly RosterSuccessor[],
  root: { readonly key: KeyObject; readonly certificate: string },
  now: WallTime,
): Promise<Result<readonly RosterSuccessor[]>> {
  const anew: RosterSuccessor[] = [];
  for (const { node, pin, certificate } of succession) {
    const parsed = parseCertificate(certificate);
    if (!parsed.ok) return parsed;
    if (certificatePin(parsed.value) !== pin)
      return failure("internal", `the key of signer ${node} is another`);
    anew.push({ node, pin, certificate: await issueIntermediate(node, parsed.value.publicKey, root, now) });
  }
  return ok(anew);
}

/** Whether what was prepared from the one roster still fits the other, which came since. */
export const stillFits = ({ madeFrom }: Announcement, { roots, succession }: Roster): boolean =>
  madeFrom.roots.map(({ pin }) => pin).join() === roots.map(({ pin }) => pin).join() &&
  madeFrom.succession.map(({ pin }) => pin).join() === succession.map(({ pin }) => pin).join();
