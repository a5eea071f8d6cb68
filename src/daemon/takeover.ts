/** Who signs, and who may: every change of that, as one edit of the roster each. Nobody is asked here. */
import { createPublicKey } from "node:crypto";
import { csrKey } from "../adapters/pki/csr.ts";
import { issueIntermediate } from "../adapters/pki/issue.ts";
import { spkiPin } from "../adapters/pki/keys.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { isoTime, type WallTime } from "../kit/time.ts";
import {
  type ParsedRoster,
  ROSTER_SUCCESSION_MAX,
  type Roster,
  type RosterSuccessor,
} from "../wire/roster.ts";
import { withRootList } from "./crl-desk.ts";
import type { Identity } from "./identity.ts";
import type { Keymaster } from "./keymaster.ts";
import { findNode } from "./membership.ts";
import type { RootKey } from "./root-key.ts";
import { withoutSigner } from "./roster-open.ts";
import type { Signer } from "./signer.ts";
import { tooManySigners, withSuccessor } from "./succession.ts";

/** In the roster, for who asks later why a key was voided. */
const GONE = "its host was given up as keymaster";

/**
 * A standby's own word: the keymaster is gone. Its signing key is void from then on. Fails with
 * `not-standby`, or `usage` on the keymaster itself.
 */
export async function promoteStandby({ seat, id }: Identity, now: WallTime): Promise<Result<ParsedRoster>> {
  const signer = seat.standby();
  if (!signer.ok) return signer;
  const own = signer.value;
  if (own === undefined) {
    const remedy = "Give the recovery code: it is asked for without --standby, and read from standard input.";
    return failure("not-standby", "this node is no standby of the keymaster", remedy);
  }
  return seat.office.openTerm(
    { by: "standby" },
    (roster) => (roster.keymaster === id ? signsAlready() : ok(withoutCurrent(roster, own.pin, now))),
    own,
  );
}

/**
 * The root's word, on whatever node: a generation begins. A node without a signing key makes one, and so
 * does a keymaster whose own is to be void. `now`: by which certificate and lists are dated.
 */
export async function promoteByRoot(
  identity: Identity,
  root: RootKey,
  now: WallTime,
): Promise<Result<ParsedRoster>> {
  const { seat, id, keeper } = identity;
  const signer = await signerFor(identity, root, now);
  if (!signer.ok) return signer;
  const { pin, certificate } = signer.value;
  const opened = await seat.office.openTerm(
    { by: "root", key: root.key, signer: pin },
    (roster) => {
      const changes = withoutCurrent(roster, pin, now);
      const others = changes.succession.filter((successor) => successor.pin !== pin);
      if (others.length >= ROSTER_SUCCESSION_MAX) return tooManySigners();
      const succession = [...others, { node: id, pin, certificate }];
      return ok({
        ...changes,
        succession,
        crls: withRootList({ ...roster, ...changes }, root, now),
      });
    },
    signer.value,
  );
  if (!opened.ok) return opened;
  const settled = await seat.settle();
  return settled.ok ? ok(keeper.current()) : settled;
}

/** A standby keeps its key; who has none that is good, or whose own is to be void, gets one with a certificate. */
async function signerFor(
  { seat, id, keeper }: Identity,
  root: RootKey,
  now: WallTime,
): Promise<Result<Signer>> {
  const standby = seat.standby();
  const { signed } = keeper.current();
  if (standby.ok && standby.value !== undefined && standby.value.pin !== signed.signer)
    return ok(standby.value);
  const made = await seat.pendingKey();
  if (!made.ok) return made;
  const { key, pin } = made.value;
  return ok({ key, pin, certificate: await issueIntermediate(id, createPublicKey(key), root, now) });
}

/** Without the key that has signed until now, unless it is `own`. */
function withoutCurrent(roster: Roster, own: string, now: WallTime): Pick<Roster, "succession" | "revoked"> {
  const { succession, revoked } = roster;
  const current = succession.find(({ node, pin }) => node === roster.keymaster && pin !== own);
  if (current === undefined) return { succession, revoked };
  return withoutSigner(roster, current, { why: GONE, at: isoTime(now) });
}

/** A term of this node's, at the wish of the keymaster, who stays a standby. */
export async function takeOver({ seat }: Identity): Promise<Result<ParsedRoster>> {
  const signer = seat.standby();
  if (!signer.ok) return signer;
  if (signer.value === undefined) return failure("not-standby", "this node is no standby of the keymaster");
  return seat.office.openTerm({ by: "standby" }, () => ok({}), signer.value);
}

/** Certifies the key of a node's request, and enters it in the succession. */
export async function addStandby(
  keymaster: Keymaster,
  node: string,
  csr: string,
  root: RootKey,
  now: WallTime,
): Promise<Result<ParsedRoster>> {
  const key = csrKey(csr);
  if (!key.ok) return key;
  const pin = spkiPin(key.value);
  const certificate = await issueIntermediate(node, key.value, root, now);
  return keymaster.publish((roster) => withSuccessor(roster, { node, pin, certificate }));
}

/** Out of the succession, its signing key void. Fails with `node-unknown` or `not-standby`. */
export async function removeStandby(
  keymaster: Keymaster,
  named: string,
  now: WallTime,
): Promise<Result<ParsedRoster>> {
  return keymaster.publish((roster) => {
    const standby = standbyNamed(roster, named);
    if (!standby.ok) return standby;
    return ok(withoutSigner(roster, standby.value, { why: "no standby any more", at: isoTime(now) }));
  });
}

/** Who may take over, by the node's name or id. */
export function standbyNamed(roster: Roster, named: string): Result<RosterSuccessor> {
  const found = findNode(roster, named);
  const node = found.ok ? found.value.id : named;
  if (node === roster.keymaster) {
    return failure(
      "usage",
      `${named} is the keymaster`,
      "`balefire keymaster move` makes another node keymaster.",
    );
  }
  const standby = roster.succession.find((successor) => successor.node === node);
  if (standby !== undefined) return ok(standby);
  if (!found.ok) return found;
  const remedy = `Make it one first: \`balefire keymaster standby add ${found.value.name}\`.`;
  return failure("not-standby", `${found.value.name} is no standby of the keymaster`, remedy);
}

const signsAlready = (): Result<never> =>
  failure("usage", "this node is the keymaster already", "`balefire keymaster show` says who may take over.");
