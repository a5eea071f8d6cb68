/** What a roster that lost has changed, and how it can be made to hold after all. Pure. */
import { certificateFacts, parseCertificate } from "../adapters/pki/certificates.ts";
import { isProvenSuccessor } from "../adapters/pki/roster-signature.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { isoTime, type WallTime, wallTime } from "../kit/time.ts";
import type { RecoveryFile } from "../wire/recovery-file.ts";
import type { Roster, RosterNode, RosterRevocation, RosterSuccessor } from "../wire/roster.ts";
import { checkFree, entryFor, isKnownKey } from "./membership.ts";
import { parseOwnAddresses } from "./own-addresses.ts";
import type { RosterChanges } from "./roster-next.ts";
import { withRevoked } from "./roster-next.ts";
import { withoutSigner } from "./roster-open.ts";
import { withSuccessor } from "./succession.ts";

export type LostChange =
  | { readonly what: "admitted"; readonly node: RosterNode }
  | { readonly what: "removed"; readonly node: RosterNode; readonly revocation: RosterRevocation }
  | { readonly what: "readdressed"; readonly node: RosterNode; readonly addresses: readonly string[] }
  | { readonly what: "configured"; readonly text: string; readonly version: number }
  | { readonly what: "signer-voided"; readonly revocation: RosterRevocation }
  /** `name`: its node's. */
  | { readonly what: "standby-added"; readonly name: string; readonly successor: RosterSuccessor }
  /**
   * The root key under another recovery code: a person may hold that one only. `isOlder`: for all that is
   * known the lost roster has only kept the older of the two.
   */
  | { readonly what: "resealed"; readonly recovery: RecoveryFile; readonly isOlder: boolean };

/**
 * Against the roster in force. `base`: one that both build on, where that is known: what is as it was in
 * it, the lost one has not changed. Without it any difference counts, but a configuration that is older.
 */
export function lostChanges(lost: Roster, held: Roster, base: Roster | undefined): readonly LostChange[] {
  return [
    // First: a node that may sign can be removed only after that.
    ...signersVoided(lost, held),
    ...admitted(lost, held),
    // After who was let in: it may be one of these.
    ...standbysAdded(lost, held),
    ...removed(lost, held),
    ...readdressed(lost, held, base),
    ...configured(lost, held, base),
    ...resealed(lost, held, base),
  ];
}

const signersVoided = (lost: Roster, held: Roster): LostChange[] =>
  lost.revoked
    .filter(({ kind, pin }) => kind === "signer" && !isVoid(held, pin))
    .map((revocation) => ({ what: "signer-voided", revocation }));

const isVoid = ({ revoked, opening }: Roster, pin: string): boolean =>
  opening.voids.includes(pin) || revoked.some((entry) => entry.pin === pin);

/** Under another id a stolen key may list the mesh's own nodes: to drop such a one would revoke theirs. */
const admitted = (lost: Roster, held: Roster): LostChange[] =>
  lost.nodes
    .filter(({ id, pin }) => !held.nodes.some((node) => node.id === id) && !isKnownKey(held, pin))
    .map((node) => ({ what: "admitted", node }));

/**
 * Its keymaster's own among them, where that was made with the root's key: whatever a root has certified can
 * open a term while nobody voids it. What no root of the mesh has is worth nothing.
 */
const standbysAdded = (lost: Roster, held: Roster): LostChange[] =>
  lost.succession
    .filter(({ pin }) => !isKnownKey(held, pin))
    .filter((successor) => isProvenSuccessor(successor, held.roots))
    .map((successor) => {
      const named = [...lost.nodes, ...held.nodes].find(({ id }) => id === successor.node);
      return { what: "standby-added", name: named?.name ?? "unknown", successor };
    });

const removed = (lost: Roster, held: Roster): LostChange[] =>
  lost.revoked.flatMap((revocation) => {
    const node = held.nodes.find(({ pin }) => pin === revocation.pin);
    return node === undefined || revocation.kind === "signer" ? [] : [{ what: "removed", node, revocation }];
  });

const readdressed = (lost: Roster, held: Roster, base: Roster | undefined): LostChange[] =>
  held.nodes.flatMap((node) => {
    const there = lost.nodes.find(({ id }) => id === node.id)?.addresses;
    const before = base?.nodes.find(({ id }) => id === node.id)?.addresses;
    if (there === undefined || isSame(there, node.addresses) || (before && isSame(there, before))) return [];
    return [{ what: "readdressed", node, addresses: there }];
  });

const isSame = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();

function configured(lost: Roster, held: Roster, base: Roster | undefined): LostChange[] {
  const { text, version } = lost.config;
  if (text === held.config.text) return [];
  const isOlder = base === undefined ? version < held.config.version : text === base.config.text;
  return isOlder ? [] : [{ what: "configured", text, version }];
}

function resealed(lost: Roster, held: Roster, base: Roster | undefined): LostChange[] {
  const { recovery } = lost;
  const known = [held.recovery?.sealed, base?.recovery?.sealed];
  if (recovery === undefined || known.includes(recovery.sealed) || isLeftBehind(lost, recovery, held))
    return [];
  return [{ what: "resealed", recovery, isOlder: base === undefined }];
}

/** The root that it holds has been replaced since, and a newer code printed. */
function isLeftBehind({ roots }: Roster, { rootCertificate }: RecoveryFile, held: Roster): boolean {
  const pin = roots.find(({ certificate }) => isSameText(certificate, rootCertificate))?.pin;
  const isReplaced = held.handovers.some(({ from }) => from === pin);
  return isReplaced && !isSameText(held.recovery?.rootCertificate, rootCertificate);
}

const isSameText = (a: string | undefined, b: string): boolean => a?.trim() === b.trim();

/** A change that the roster in force cannot take, and why. */
export interface LeftChange {
  readonly change: LostChange;
  readonly why: string;
}

/** Made to hold, as far as they can be. */
export function confirmed(
  held: Roster,
  changes: readonly LostChange[],
  now: WallTime,
): { readonly changes: RosterChanges; readonly left: readonly LeftChange[] } {
  let roster = held;
  const left: LeftChange[] = [];
  for (const change of changes) {
    const next = withChange(roster, change, now);
    if (next.ok) roster = { ...roster, ...next.value };
    else left.push({ change, why: next.error.message });
  }
  const { nodes, revoked, succession, config, recovery } = roster;
  return { changes: { nodes, revoked, succession, config, recovery }, left };
}

function withChange(roster: Roster, change: LostChange, now: WallTime): Result<Partial<Roster>> {
  switch (change.what) {
    case "admitted": {
      const entry = entryFor(roster, change.node, wallTime(Date.parse(change.node.added)));
      return entry.ok ? ok({ nodes: [...roster.nodes, { ...change.node, ...entry.value }] }) : entry;
    }
    case "removed":
      return withoutMember(roster, change.node, revocationOf(change.revocation, roster, now));
    case "readdressed":
      return withAddresses(roster, change.node, change.addresses);
    case "configured":
      return ok({
        config: { version: versionAfter(roster.config.version, change.version), text: change.text },
      });
    case "signer-voided":
      return withoutKey(roster, revocationOf(change.revocation, roster, now));
    case "standby-added":
      return withSuccessor(roster, change.successor);
    case "resealed":
      return change.isOlder ? failure("usage", OLDER_CODE) : withRecovery(roster, change.recovery);
  }
}

/** A count beyond that is made up, and after the last number there is none. */
const VERSIONS_MISSED_MAX = 1_000_000;
const versionAfter = (held: number, lost: number): number =>
  (lost - held > VERSIONS_MISSED_MAX ? held : Math.max(held, lost)) + 1;

/** Whoever signed it may have named the serial numbers of others: of these other tools are told nothing. */
function revocationOf(
  { serials, ...revocation }: RosterRevocation,
  { nodes, succession }: Roster,
  now: WallTime,
): RosterRevocation {
  const others = [
    ...nodes.filter(({ pin }) => pin !== revocation.pin).map((node) => node.certificateSerial),
    ...succession.filter(({ pin }) => pin !== revocation.pin).map(({ certificate }) => serialOf(certificate)),
  ];
  const own = serials?.filter((serial) => !others.includes(serial)) ?? [];
  return { ...revocation, at: isoTime(now), ...(own.length === 0 ? {} : { serials: own }) };
}

function serialOf(certificate: string): string | undefined {
  const parsed = parseCertificate(certificate);
  return parsed.ok ? certificateFacts(parsed.value).serial : undefined;
}

function withAddresses(
  roster: Roster,
  { id, name }: RosterNode,
  texts: readonly string[],
): Result<Partial<Roster>> {
  const addresses = parseOwnAddresses(texts);
  if (!addresses.ok) return addresses;
  const others = roster.nodes.filter((node) => node.id !== id);
  const free = checkFree(name, addresses.value, others);
  if (!free.ok) return free;
  return ok({
    nodes: roster.nodes.map((node) => (node.id === id ? { ...node, addresses: addresses.value } : node)),
  });
}

/** To put it in force would bring back a code that was renewed because it leaked. */
const OLDER_CODE =
  "that recovery code may be the older of the two; if it is the one you hold, `balefire recovery renew` with it seals the root key anew";

function withoutKey(roster: Roster, revocation: RosterRevocation): Result<Partial<Roster>> {
  const owner = roster.nodes.find(({ pin }) => pin === revocation.pin);
  if (owner !== undefined)
    return failure("usage", `it is no signing key: ${owner.name} is known by it as a member`);
  const successor = roster.succession.find(({ pin }) => pin === revocation.pin);
  if (successor?.node === roster.keymaster) {
    const how = "`balefire keymaster promote --with-code` there makes another";
    return failure("usage", `${revocation.name} signs with that key now: ${how}`);
  }
  const succession = roster.succession.filter((other) => other !== successor);
  return ok({ succession, revoked: withRevoked(roster.revoked, revocation) });
}

function withRecovery(roster: Roster, recovery: RecoveryFile): Result<Partial<Roster>> {
  const { rootCertificate } = recovery;
  const isOfOurs = roster.roots.some(({ certificate }) => isSameText(certificate, rootCertificate));
  if (
    isOfOurs &&
    (roster.recovery === undefined || isSameText(roster.recovery.rootCertificate, rootCertificate))
  )
    return ok({ recovery });
  return failure("recovery-invalid", "it seals another root key than the one this mesh goes by");
}

function withoutMember(
  roster: Roster,
  { id, name }: RosterNode,
  revocation: RosterRevocation,
): Result<Partial<Roster>> {
  if (roster.succession.some(({ node }) => node === id))
    return failure("usage", `${name} may sign: take that from it first`);
  const nodes = roster.nodes.filter((node) => node.id !== id);
  return ok({ nodes, revoked: withRevoked(roster.revoked, revocation) });
}

/** What is said to nodes that nobody wanted after all. */
const UNCONFIRMED = "let in by a keymaster that lost, and not confirmed";
const UNCONFIRMED_STANDBY = "made a standby by a keymaster that lost, and not confirmed";

/**
 * Given up: whom it had let in is told so, by a revocation of its key, and a signing key that a root has
 * certified is void. A key that the roster has come to know otherwise is left alone.
 */
export function dropped(held: Roster, changes: readonly LostChange[], now: WallTime): RosterChanges {
  let { revoked } = held;
  for (const change of changes) {
    const roster = { ...held, revoked };
    if (change.what === "admitted" && !isKnownKey(roster, change.node.pin)) {
      const { pin, id, name, certificateSerial: serial } = change.node;
      const serials = serial === undefined ? {} : { serials: [serial] };
      const revocation = { pin, node: id, name, at: "", reason: UNCONFIRMED, ...serials };
      revoked = withRevoked(revoked, revocationOf(revocation, held, now));
    }
    if (change.what === "standby-added" && !isKnownKey(roster, change.successor.pin)) {
      const about = { why: UNCONFIRMED_STANDBY, at: isoTime(now) };
      ({ revoked } = withoutSigner(roster, change.successor, about, change.name));
    }
  }
  return { revoked };
}
