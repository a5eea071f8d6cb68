/** What the next roster says of its nodes: pure edits, each refused with its reason. */
import type { CertificateFacts } from "../adapters/pki/certificates.ts";
import type { Address } from "../core/types.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { isoTime, type WallTime } from "../kit/time.ts";
import {
  REVOCATION_REASON_CHARS_MAX,
  ROSTER_REVOKED_MAX,
  type Roster,
  type RosterNode,
  type RosterRevocation,
} from "../wire/roster.ts";

/** A node by its name, or by its id. Fails with `node-unknown`. */
export function findNode(roster: Roster, named: string): Result<RosterNode> {
  const found =
    roster.nodes.find(({ name }) => name === named) ?? roster.nodes.find(({ id }) => id === named);
  if (found !== undefined) return ok(found);
  const names = roster.nodes.map(({ name }) => name).join(", ");
  return failure("node-unknown", `the mesh has no node ${named.slice(0, 64)}`, `It has: ${names}.`);
}

/** Without the node, its key revoked. `why` is for people. */
export function withoutNode(
  roster: Roster,
  named: string,
  { why, at }: { readonly why: string; readonly at: WallTime },
): Result<{ readonly removed: RosterNode; readonly changes: Pick<Roster, "nodes" | "revoked"> }> {
  const found = findNode(roster, named);
  if (!found.ok) return found;
  const removed = found.value;
  if (removed.id === roster.keymaster) {
    return failure(
      "usage",
      `${removed.name} is the keymaster: without it nobody could sign the roster that leaves it out`,
      "Stop its daemon if it is to go; the other nodes go on watching.",
    );
  }
  const { pin, id: node, name, certificateSerial: serial } = removed;
  const revocation: RosterRevocation = {
    pin,
    node,
    name,
    at: isoTime(at),
    reason: why.slice(0, REVOCATION_REASON_CHARS_MAX),
    ...(serial === undefined ? {} : { serial }),
  };
  // A key that nothing pins lets nobody in: the oldest may be forgotten.
  const revoked = [...roster.revoked, revocation].slice(-ROSTER_REVOKED_MAX);
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
  issued: ReadonlyMap<string, CertificateFacts>,
): readonly RosterNode[] =>
  nodes.map((node) => {
    const facts = issued.get(node.id);
    return facts === undefined ? node : { ...node, ...certificateFields(facts) };
  });

export const certificateFields = ({
  serial,
  notBefore,
  notAfter,
}: CertificateFacts): Pick<RosterNode, "certificateBegins" | "certificateExpires" | "certificateSerial"> => ({
  certificateBegins: isoTime(notBefore),
  certificateExpires: isoTime(notAfter),
  certificateSerial: serial,
});
