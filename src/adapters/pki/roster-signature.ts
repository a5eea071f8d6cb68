/** Signing rosters, and finding out about an offered one what core/roster.ts decides with. */
import { createPublicKey, type KeyObject, type X509Certificate } from "node:crypto";
import type { HeldRoster, RosterCandidate } from "../../core/roster.ts";
import { failure, ok, type Result } from "../../kit/result.ts";
import {
  encodeSigned,
  handoverText,
  openingText,
  type ParsedRoster,
  parseSigned,
  type Roster,
  type RosterHandover,
  type RosterOpening,
  type RosterRoot,
  type RosterSuccessor,
  rankOf,
} from "../../wire/roster.ts";
import { certificatePin, issuedBy, parseCertificate, parseCertificates } from "./certificates.ts";
import { signText, spkiPin, verifyText } from "./keys.ts";

/** Prints, signs and parses again, so that nothing is ever signed that others would refuse. */
export function signRoster(roster: Roster, key: KeyObject, signer: string): Result<ParsedRoster> {
  const body = JSON.stringify(roster);
  return parseSigned(encodeSigned({ body, signature: signText(key, body), signer }));
}

/** The root key's word that a generation begins with this signer. */
export const signOpening = (
  rootKey: KeyObject,
  mesh: string,
  terms: Omit<RosterOpening, "root" | "signature">,
): RosterOpening => ({
  root: spkiPin(createPublicKey(rootKey)),
  ...terms,
  signature: signText(rootKey, openingText(mesh, terms)),
});

/** The old root key's word for the new root. Fails with `certificate-invalid`. */
export function signHandover(
  oldRootKey: KeyObject,
  mesh: string,
  newRootCertificate: string,
): Result<RosterHandover> {
  const parsed = parseCertificate(newRootCertificate);
  if (!parsed.ok) return parsed;
  return ok({
    from: spkiPin(createPublicKey(oldRootKey)),
    to: certificatePin(parsed.value),
    certificate: newRootCertificate,
    signature: signText(oldRootKey, handoverText(mesh, fingerprintOf(parsed.value))),
  });
}

/** A roster already accepted, as the decision about the next one needs it. */
export function heldRoster(parsed: ParsedRoster): HeldRoster {
  const { roster, signed, hash } = parsed;
  return {
    mesh: roster.mesh,
    ...rankOf(parsed),
    hash,
    signer: signed.signer,
    revoked: [...roster.revoked.map(({ pin }) => pin), ...roster.opening.voids],
  };
}

/**
 * What is true of an offered roster, seen from the roots that are trusted already. Only roots that it
 * lists itself count: a roster that its own roots do not carry could not be read again after a restart.
 */
export function rosterFacts(candidate: ParsedRoster, trusted: readonly RosterRoot[]): RosterCandidate {
  const { roster, signed, hash } = candidate;
  const known = new Set(reachableRoots(trusted, roster).map(({ certificate }) => fingerprintOf(certificate)));
  const roots = readableRoots(roster.roots).filter(({ certificate }) =>
    known.has(fingerprintOf(certificate)),
  );
  const signer = roster.succession.find((successor) => successor.pin === signed.signer);
  const key = signer === undefined ? undefined : provenKey(signer, roots);
  return {
    mesh: roster.mesh,
    ...rankOf(candidate),
    hash,
    signer: signed.signer,
    signatureValid:
      key !== undefined &&
      signer?.node === roster.keymaster &&
      verifyText(key, signed.body, signed.signature),
    rootsTrusted: roots.length === roster.roots.length,
    successionProven: roster.succession.every((successor) => provenKey(successor, roots) !== undefined),
    openingProven: isOpenedBy(roots, roster),
    previous: roster.previous,
    ancestors: roster.ancestors,
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
  const { roster } = parsed;
  const trusted = roster.roots.filter((root) => rootPin === undefined || root.pin === rootPin);
  const facts = rosterFacts(parsed, trusted);
  if (facts.mesh !== mesh)
    return failure("roster-refused", `the roster belongs to mesh ${facts.mesh}, not ${mesh}`);
  if (!facts.signatureValid) {
    return failure("roster-refused", "the roster's signature is not by a key that its root vouches for");
  }
  if (!facts.successionProven)
    return failure("roster-refused", "the roster names a successor no root has signed for");
  if (!facts.openingProven) {
    return failure("roster-refused", `the root did not open generation ${roster.generation}`);
  }
  return ok(parsed);
}

/** Pin of the root that issued a certificate (PEM). */
export function rootAbove(certificate: string, roots: readonly RosterRoot[]): string | undefined {
  const parsed = parseCertificate(certificate);
  if (!parsed.ok) return undefined;
  return readableRoots(roots).find((root) => issuedBy(parsed.value, root.certificate))?.pin;
}

/** Pin of the root above the intermediate of a chain, leaf first. */
export function rootOfChain(pem: string, roots: readonly RosterRoot[]): string | undefined {
  const chain = parseCertificates(pem);
  const intermediate = chain.ok ? chain.value[1] : undefined;
  return intermediate === undefined ? undefined : rootAbove(intermediate.toString(), roots);
}

interface ReadableRoot {
  readonly pin: string;
  readonly certificate: X509Certificate;
}

/** The roots that can be read and are the key they are listed as. */
const readableRoots = (roots: readonly RosterRoot[]): readonly ReadableRoot[] =>
  roots.flatMap(({ pin, certificate }) => {
    const parsed = parseCertificate(certificate);
    if (!parsed.ok || certificatePin(parsed.value) !== pin || !issuedBy(parsed.value, parsed.value))
      return [];
    return [{ pin, certificate: parsed.value }];
  });

/** The trusted ones, and those that handovers lead to from them, over as many steps as there are. */
const reachableRoots = (
  trusted: readonly RosterRoot[],
  { mesh, handovers }: Roster,
): readonly ReadableRoot[] =>
  followed(trusted, handovers, (handover, reached) => handedOver(handover, mesh, reached));

/**
 * Of the roots listed those that `held` has left behind: an unbroken chain of its handovers leads from each
 * of them to one that it trusts. They are the keys that these name, each proven to have given its word;
 * that they were the mesh's is the word of who signed `held`.
 */
export function formerRoots(
  listed: readonly RosterRoot[],
  { mesh, roots, handovers }: Roster,
): readonly RosterRoot[] {
  const known = [...listed, ...handovers.map(({ to, certificate }) => ({ pin: to, certificate }))];
  const givers = readableRoots(known);
  const reached = followed(roots, handovers, (handover, after) => {
    const [to] = readableRoots([{ pin: handover.to, certificate: handover.certificate }]);
    const isReached = after.some((root) => to !== undefined && isSameCertificate(root, to));
    return isReached && handedOver(handover, mesh, givers) !== undefined
      ? givers.find(({ pin }) => pin === handover.from)
      : undefined;
  });
  const isTrusted = (pin: string): boolean => roots.some((root) => root.pin === pin);
  return listed.filter(({ pin }) => !isTrusted(pin) && reached.some((root) => root.pin === pin));
}

/** As far as `next` leads: from the roots it is given, over a handover, to one more. */
function followed(
  from: readonly RosterRoot[],
  handovers: readonly RosterHandover[],
  next: (handover: RosterHandover, reached: readonly ReadableRoot[]) => ReadableRoot | undefined,
): readonly ReadableRoot[] {
  const reached = [...readableRoots(from)];
  let left = handovers;
  for (let before = -1; before !== reached.length; ) {
    before = reached.length;
    left = left.filter((handover) => {
      const root = next(handover, reached);
      if (root !== undefined) reached.push(root);
      return root === undefined;
    });
  }
  return reached;
}

const isSameCertificate = (a: ReadableRoot, b: ReadableRoot): boolean =>
  fingerprintOf(a.certificate) === fingerprintOf(b.certificate);

function handedOver(
  { from, to, certificate, signature }: RosterHandover,
  mesh: string,
  reached: readonly ReadableRoot[],
): ReadableRoot | undefined {
  const giver = reached.find(({ pin }) => pin === from);
  const [root] = readableRoots([{ pin: to, certificate }]);
  if (giver === undefined || root === undefined) return undefined;
  const text = handoverText(mesh, fingerprintOf(root.certificate));
  return verifyText(giver.certificate.publicKey, text, signature) ? root : undefined;
}

/** One of these roots has signed for its key. */
export const isProvenSuccessor = (successor: RosterSuccessor, roots: readonly RosterRoot[]): boolean =>
  provenKey(successor, readableRoots(roots)) !== undefined;

function provenKey(successor: RosterSuccessor, roots: readonly ReadableRoot[]): KeyObject | undefined {
  const parsed = parseCertificate(successor.certificate);
  if (!parsed.ok || !parsed.value.ca || certificatePin(parsed.value) !== successor.pin) return undefined;
  return roots.some((root) => issuedBy(parsed.value, root.certificate)) ? parsed.value.publicKey : undefined;
}

function isOpenedBy(roots: readonly ReadableRoot[], { mesh, opening }: Roster): boolean {
  const root = roots.find(({ pin }) => pin === opening.root);
  if (root === undefined) return false;
  return verifyText(root.certificate.publicKey, openingText(mesh, opening), opening.signature);
}

/** SHA-256 of the whole certificate: a root is trusted as what it is, not by its key alone. */
const fingerprintOf = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(":", "").toLowerCase();
