/** Signing rosters, and finding out about an offered one what core/roster.ts decides with. */
import type { KeyObject, X509Certificate } from "node:crypto";
import type { HeldRoster, RosterCandidate } from "../../core/roster.ts";
import { failure, ok, type Result } from "../../kit/result.ts";
import {
  encodeSigned,
  type ParsedRoster,
  parseSigned,
  type Roster,
  type RosterRoot,
  type RosterSuccessor,
  termProofText,
} from "../../wire/roster.ts";
import { certificatePin, issuedBy, parseCertificate } from "./certificates.ts";
import { signText, verifyText } from "./keys.ts";

/** Prints, signs and parses again, so that nothing is ever signed that others would refuse. */
export function signRoster(roster: Roster, key: KeyObject, signer: string): Result<ParsedRoster> {
  const body = JSON.stringify(roster);
  return parseSigned(encodeSigned({ body, signature: signText(key, body), signer }));
}

export const signTermProof = (rootKey: KeyObject, mesh: string, term: number, signer: string): string =>
  signText(rootKey, termProofText(mesh, term, signer));

/** A roster already accepted, as the decision about the next one needs it. */
export function heldRoster(parsed: ParsedRoster): HeldRoster {
  const { roster, signed, hash } = parsed;
  return {
    mesh: roster.mesh,
    term: roster.term,
    epoch: roster.epoch,
    hash,
    signer: signed.signer,
    succession: roster.succession.map((successor) => successor.pin),
    revoked: roster.revoked.map((entry) => entry.pin),
    roots: roster.roots.map(fingerprint),
  };
}

/** What is true of an offered roster, seen from the roots that are trusted already. */
export function rosterFacts(candidate: ParsedRoster, trusted: readonly RosterRoot[]): RosterCandidate {
  const { roster, signed, hash } = candidate;
  const roots = rootCertificates(trusted);
  const signer = roster.succession.find((successor) => successor.pin === signed.signer);
  const key = signer === undefined ? undefined : provenKey(signer, roots);
  return {
    mesh: roster.mesh,
    term: roster.term,
    epoch: roster.epoch,
    hash,
    signer: signed.signer,
    signatureValid:
      key !== undefined &&
      signer?.node === roster.keymaster &&
      verifyText(key, signed.body, signed.signature),
    rootProof: rootOpened(candidate, roots),
    successionProven: roster.succession.every((successor) => provenKey(successor, roots) !== undefined),
    previous: roster.previous,
    ancestors: roster.ancestors,
    roots: roster.roots.map(fingerprint),
  };
}

/**
 * For a roster that has no predecessor here: the first after a join, or the one on disk.
 * `rootPin` is whatever was trusted beforehand. Fails with `roster-refused`.
 */
export function verifyFirstRoster(
  parsed: ParsedRoster,
  mesh: string,
  rootPin?: string,
): Result<ParsedRoster> {
  const { roster, signed } = parsed;
  const trusted = roster.roots.filter((root) => rootPin === undefined || root.pin === rootPin);
  const facts = rosterFacts(parsed, trusted);
  if (facts.mesh !== mesh)
    return failure("roster-refused", `the roster belongs to mesh ${facts.mesh}, not ${mesh}`);
  if (!facts.signatureValid) {
    return failure("roster-refused", "the roster's signature is not by a key that its root vouches for");
  }
  if (!facts.successionProven)
    return failure("roster-refused", "the roster names a successor no root has signed for");
  if (roster.revoked.some((entry) => entry.pin === signed.signer)) {
    return failure("roster-refused", "the roster's signing key has been revoked");
  }
  if (roster.termProof.by === "root" && !facts.rootProof) {
    return failure("roster-refused", `the root did not open term ${roster.term}`);
  }
  return ok(parsed);
}

/** The trusted roots that can be read and are the key they are listed as. */
function rootCertificates(
  trusted: readonly RosterRoot[],
): readonly { pin: string; certificate: X509Certificate }[] {
  return trusted.flatMap(({ pin, certificate }) => {
    const parsed = parseCertificate(certificate);
    if (!parsed.ok || certificatePin(parsed.value) !== pin || !issuedBy(parsed.value, parsed.value))
      return [];
    return [{ pin, certificate: parsed.value }];
  });
}

function provenKey(
  successor: RosterSuccessor,
  roots: readonly { certificate: X509Certificate }[],
): KeyObject | undefined {
  const parsed = parseCertificate(successor.certificate);
  if (!parsed.ok || !parsed.value.ca || certificatePin(parsed.value) !== successor.pin) return undefined;
  return roots.some((root) => issuedBy(parsed.value, root.certificate)) ? parsed.value.publicKey : undefined;
}

function rootOpened(
  { roster, signed }: ParsedRoster,
  roots: readonly { pin: string; certificate: X509Certificate }[],
): boolean {
  const proof = roster.termProof;
  if (proof.by !== "root") return false;
  const root = roots.find((candidate) => candidate.pin === proof.root);
  if (root === undefined) return false;
  return verifyText(
    root.certificate.publicKey,
    termProofText(roster.mesh, roster.term, signed.signer),
    proof.signature,
  );
}

/** SHA-256 of the whole certificate; text that is no certificate stands for itself and so equals nothing trusted. */
function fingerprint(root: RosterRoot): string {
  const parsed = parseCertificate(root.certificate);
  if (!parsed.ok || certificatePin(parsed.value) !== root.pin)
    return `unreadable ${root.pin} ${root.certificate}`;
  return parsed.value.fingerprint256;
}
