/** What the next roster says of its nodes: pure edits, each refused with its reason. */
import type { CertificateFacts } from "../adapters/pki/certificates.ts";
import type { Address } from "../core/types.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { isoTime, type WallTime } from "../kit/time.ts";
import {
  REVOCATION_REASON_CHARS_MAX,
  ROSTER_NODES_MAX,
  type Roster,
  type RosterNode,
  type RosterRevocation,
} from "../wire/roster.ts";
import { parseOwnAddresses } from "./own-addresses.ts";
import { withRevoked } from "./roster-next.ts";

/** A certificate as the roster notes it: what it says, and the root that it leads to. */
export interface IssuedCertificate extends CertificateFacts {
  readonly root?: string | undefined;
}

/** A node by its name, or by its id. Fails with `node-unknown`. */
export function findNode(roster: Roster, named: string): Result<RosterNode> {
  const found =
    roster.nodes.find(({ name }) => name === named) ?? roster.nodes.find(({ id }) => id === named);
  if (found !== undefined) return ok(found);
  const names = roster.nodes.map(({ name }) => name).join(", ");
  return failure("node-unknown", `the mesh has no node ${named.slice(0, 64)}`, `It has: ${names}.`);
}

export interface Removal {
  readonly removed: RosterNode;
  readonly changes: Pick<Roster, "nodes" | "revoked">;
}

/** Without the node, its key revoked. `why` is for people. */
export function withoutNode(
  roster: Roster,
  named: string,
  about: {
    readonly why: string;
    readonly at: WallTime;
    readonly suspected: boolean;
    /** Of its certificates that have not run out. */
    readonly serialsOf: (node: RosterNode) => readonly string[];
  },
): Result<Removal> {
  const found = findNode(roster, named);
  if (!found.ok) return found;
  const removed = found.value;
  if (removed.id === roster.keymaster) {
    return failure(
      "usage",
      `${removed.name} is the keymaster: without it nobody could sign the roster that leaves it out`,
      "Make another node keymaster first: `balefire keymaster move NODE`, or `promote` there.",
    );
  }
  const { pin, id: node, name } = removed;
  const serials = about.serialsOf(removed);
  const revocation: RosterRevocation = {
    pin,
    node,
    name,
    at: isoTime(about.at),
    reason: about.why.slice(0, REVOCATION_REASON_CHARS_MAX),
    ...(serials.length === 0 ? {} : { serials }),
    ...(about.suspected ? { suspected: true } : {}),
  };
  const revoked = withRevoked(roster.revoked, revocation);
  return ok({ removed, changes: { nodes: roster.nodes.filter(({ id }) => id !== node), revoked } });
}

/** The node at other addresses. `addresses` are in canonical form. */
export function readdressed(
  roster: Roster,
  named: string,
  addresses: readonly Address[],
): Result<{ readonly node: RosterNode; readonly changes: Pick<Roster, "nodes"> }> {
  const found = findNode(roster, named);
  if (!found.ok) return found;
  const others = roster.nodes.filter(({ id }) => id !== found.value.id);
  const free = checkFree(found.value.name, addresses, others);
  if (!free.ok) return free;
  const node = { ...found.value, addresses };
  return ok({ node, changes: { nodes: roster.nodes.map((each) => (each.id === node.id ? node : each)) } });
}

/** A node's or a signer's, now or before: no key is a second thing to the mesh. */
export const isKnownKey = (
  { nodes, succession, revoked, opening }: Pick<Roster, "nodes" | "succession" | "revoked" | "opening">,
  pin: string,
): boolean =>
  opening.voids.includes(pin) || [...nodes, ...succession, ...revoked].some((entry) => entry.pin === pin);

/** The entry of a node that joins, or why the roster cannot take it. */
export function entryFor(
  roster: Roster,
  claim: Pick<RosterNode, "id" | "name" | "pin"> & { readonly addresses: readonly string[] },
  now: WallTime,
): Result<RosterNode> {
  const { id, name, pin } = claim;
  const addresses = parseOwnAddresses(claim.addresses);
  if (!addresses.ok) return addresses;
  const others = roster.nodes.filter((node) => node.id !== id);
  if (others.length >= ROSTER_NODES_MAX)
    return failure("limit-reached", `a mesh has ${ROSTER_NODES_MAX} nodes at most`);
  if (others.some((node) => node.name === name)) {
    return failure("name-taken", `the mesh has a node ${name} already`, "Make a token for another name.");
  }
  const free = checkFree(name, addresses.value, others);
  if (!free.ok) return failure("join-refused", free.error.message, "Join with this host's own addresses.");
  if (isKnownKey({ ...roster, nodes: others }, pin)) {
    return failure(
      "join-refused",
      "the key of the request is known to the mesh already",
      "Join from an empty state folder.",
    );
  }
  const added = roster.nodes.find((node) => node.id === id)?.added ?? isoTime(now);
  return ok({ id, name, addresses: addresses.value, pin, added });
}

/** Fails with `address-invalid` when another node has one of them. */
export function checkFree(
  name: string,
  addresses: readonly Address[],
  others: readonly RosterNode[],
): Result<void> {
  for (const other of others) {
    const shared = other.addresses.find((address) => addresses.includes(address));
    if (shared === undefined) continue;
    const message = `${name} cannot have address ${shared}: node ${other.name} has it`;
    return failure("address-invalid", message, "Give the host's own addresses.");
  }
  return ok(undefined);
}

/** What was issued since the roster before, entered where the node is still a member. */
export const withCertificates = (
  nodes: readonly RosterNode[],
  issued: ReadonlyMap<string, IssuedCertificate>,
): readonly RosterNode[] =>
  nodes.map((node) => {
    const facts = issued.get(node.id);
    return facts === undefined ? node : { ...node, ...certificateFields(facts) };
  });

export const certificateFields = ({
  serial,
  notBefore,
  notAfter,
  root,
}: IssuedCertificate): Pick<
  RosterNode,
  "certificateBegins" | "certificateExpires" | "certificateSerial" | "root"
> => ({
  certificateBegins: isoTime(notBefore),
  certificateExpires: isoTime(notAfter),
  certificateSerial: serial,
  root,
});
