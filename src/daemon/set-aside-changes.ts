/** What a roster that lost has changed, and how it can be made to hold after all. Pure. */
import { failure, ok, type Result } from "../kit/result.ts";
import { isoTime, type WallTime, wallTime } from "../kit/time.ts";
import type { RecoveryFile } from "../wire/recovery-file.ts";
import type { Roster, RosterNode, RosterRevocation } from "../wire/roster.ts";
import { checkFree, entryFor } from "./membership.ts";
import type { RosterChanges } from "./roster-next.ts";
import { withRevoked } from "./roster-next.ts";

export type LostChange =
  | { readonly what: "admitted"; readonly node: RosterNode }
  | { readonly what: "removed"; readonly node: RosterNode; readonly revocation: RosterRevocation }
  | { readonly what: "readdressed"; readonly node: RosterNode; readonly addresses: readonly string[] }
  | { readonly what: "configured"; readonly text: string; readonly version: number }
  | { readonly what: "signer-voided"; readonly revocation: RosterRevocation }
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
    ...removed(lost, held),
    ...readdressed(lost, held, base),
    ...configured(lost, held, base),
    ...resealed(lost, held, base),
  ];
}

const signersVoided = (lost: Roster, held: Roster): LostChange[] =>
  lost.revoked
    .filter(
      ({ kind, pin }) => kind === "signer" && !isRevoked(held, pin) && !held.opening.voids.includes(pin),
    )
    .map((revocation) => ({ what: "signer-voided", revocation }));

const admitted = (lost: Roster, held: Roster): LostChange[] =>
  lost.nodes
    .filter(({ id, pin }) => !held.nodes.some((node) => node.id === id) && !isRevoked(held, pin))
    .map((node) => ({ what: "admitted", node }));

const isRevoked = ({ revoked }: Roster, pin: string): boolean => revoked.some((entry) => entry.pin === pin);

const removed = (lost: Roster, held: Roster): LostChange[] =>
  lost.revoked.flatMap((revocation) => {
    const node = held.nodes.find(({ pin }) => pin === revocation.pin);
    return node === undefined ? [] : [{ what: "removed", node, revocation }];
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
      return withoutMember(roster, change.node, { ...change.revocation, at: isoTime(now) });
    case "readdressed": {
      const { id, name } = change.node;
      const others = roster.nodes.filter((node) => node.id !== id);
      const free = checkFree(name, change.addresses, others);
      const { addresses } = change;
      return free.ok
        ? ok({ nodes: roster.nodes.map((node) => (node.id === id ? { ...node, addresses } : node)) })
        : free;
    }
    case "configured":
      return ok({
        config: { version: Math.max(roster.config.version, change.version) + 1, text: change.text },
      });
    case "signer-voided":
      return withoutKey(roster, { ...change.revocation, at: isoTime(now) });
    case "resealed":
      return change.isOlder ? failure("usage", OLDER_CODE) : withRecovery(roster, change.recovery);
  }
}

/** To put it in force would bring back a code that was renewed because it leaked. */
const OLDER_CODE =
  "that recovery code may be the older of the two; if it is the one you hold, `balefire recovery renew` with it seals the root key anew";

function withoutKey(roster: Roster, revocation: RosterRevocation): Result<Partial<Roster>> {
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

/** Given up: whom it had let in is told so, by a revocation of its key. */
export function dropped(held: Roster, changes: readonly LostChange[], now: WallTime): RosterChanges {
  const revocations = changes.flatMap((change): RosterRevocation[] => {
    if (change.what !== "admitted") return [];
    const { pin, id, name, certificateSerial: serial } = change.node;
    const serials = serial === undefined ? {} : { serials: [serial] };
    return [{ pin, node: id, name, at: isoTime(now), reason: UNCONFIRMED, ...serials }];
  });
  return { revoked: withRevoked(held.revoked, ...revocations) };
}
