/** What no schema says of a roster but every reader relies on. */
import type { Roster } from "./roster.ts";

/** The first contradiction found, for people. `signer`: pin of the key the roster says it is signed by. */
export function contradictionIn(roster: Roster, signer: string): string | undefined {
  return (
    repetitionIn(roster) ??
    revokedIn(roster, signer) ??
    openingContradiction(roster, signer) ??
    rootContradiction(roster) ??
    (roster.previous !== (roster.ancestors[0]?.hash ?? null)
      ? "its previous is not its first ancestor"
      : undefined)
  );
}

function repetitionIn({ nodes, succession, roots, crls, handovers }: Roster): string | undefined {
  const lists: readonly (readonly [what: string, values: readonly string[]])[] = [
    ["node id", nodes.map(({ id }) => id)],
    ["node name", nodes.map(({ name }) => name)],
    ["node key", nodes.map(({ pin }) => pin)],
    ["address", nodes.flatMap(({ addresses }) => addresses)],
    ["successor key", succession.map(({ pin }) => pin)],
    ["root key", roots.map(({ pin }) => pin)],
    ["root with a CRL", crls.map(({ root }) => root)],
    ["handover to", handovers.map(({ to }) => to)],
  ];
  for (const [what, values] of lists) {
    const seen = new Set<string>();
    for (const value of values) {
      if (seen.has(value)) return `the ${what} ${value} is in it twice`;
      seen.add(value);
    }
  }
  return undefined;
}

function revokedIn({ nodes, succession, revoked, opening }: Roster, signer: string): string | undefined {
  const dead = new Set([...revoked.map(({ pin }) => pin), ...opening.voids]);
  if (dead.has(signer)) return "its signing key has been revoked";
  const successor = succession.find(({ pin }) => dead.has(pin));
  if (successor !== undefined) return `the successor key ${successor.pin} has been revoked`;
  const member = nodes.find(({ pin }) => dead.has(pin));
  return member === undefined ? undefined : `node ${member.name} has a revoked key`;
}

function openingContradiction({ generation, term, opening }: Roster, signer: string): string | undefined {
  if (generation !== opening.generation) {
    return `it is of generation ${generation}, its opening of ${opening.generation}`;
  }
  if (term < opening.term) return `it is of term ${term}, before its opening's ${opening.term}`;
  if (term === opening.term && signer !== opening.signer) {
    return `the root opened term ${term} for another signing key`;
  }
  return undefined;
}

function rootContradiction({ mesh, roots, opening, rotation, recovery }: Roster): string | undefined {
  const isListed = (pin: string): boolean => roots.some((root) => root.pin === pin);
  if (!isListed(opening.root)) return "the root that opened its generation is not among its roots";
  if (rotation !== undefined && !isListed(rotation.root)) {
    return "the root it rotates to is not among its roots";
  }
  if (recovery !== undefined && recovery.mesh !== mesh) return "its recovery file is another mesh's";
  return undefined;
}
