/** Which certificate revocation lists the next roster carries, for tools other than Balefire. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { certificateFacts, parseCertificate } from "../adapters/pki/certificates.ts";
import { CRL_LIFE, type CrlEntry, rootCrl, signerCrl } from "../adapters/pki/crl.ts";
import { type ReadCrl, readCrls } from "../adapters/pki/crl-reading.ts";
import { type Issuer, LEAF_LIFE } from "../adapters/pki/issue.ts";
import { days, type WallTime, wallTime } from "../kit/time.ts";
import { CRL_CHARS_MAX, type Roster, type RosterCrl, type RosterRevocation } from "../wire/roster.ts";
import type { Signer } from "./signer.ts";

/** Some 100 000 characters of PEM. A mesh that takes back more within two months lists the latest. */
export const CRL_ENTRIES_MAX = 1500;
/** RFC 5280 section 3.3: a certificate stays on the list until one was issued after its end. */
const LISTED_FOR = LEAF_LIFE + CRL_LIFE;
/** RFC 5280 section 5.3.1: of an authority's certificate. */
const VOIDED = "cACompromise";
/** A list from later than this was made while the clock was wrong. */
const AHEAD_MAX = days(1);

/** Of a mesh that is being made: a root's list needs its key, which is at hand only now. */
export const firstCrls = (
  root: Issuer & { readonly pin: string },
  signer: Issuer,
  now: WallTime,
): readonly RosterCrl[] => {
  const pem = signerCrl(signer, [], numberAt(now), now) + rootCrl(root, [], numberAt(now), now);
  return [{ root: root.pin, pem }];
};

/**
 * With the root's list made anew, on which the signers of these certificates (PEM) are, too. For whoever
 * has the root's key just now: who promotes or rotates. The signer's own list follows by `nextCrls`.
 */
export function withVoided(
  crls: readonly RosterCrl[],
  root: Issuer & { readonly pin: string },
  voided: readonly string[],
  now: WallTime,
): readonly RosterCrl[] {
  const publicKey = createPublicKey(root.key);
  const lists = listsOf(crls, root.pin);
  const [before] = latestBy(publicKey, lists);
  const known = (before?.entries ?? []).map(({ serial, at }): CrlEntry => ({ serial, at, reason: VOIDED }));
  const added = voided.flatMap((pem): readonly CrlEntry[] => {
    const parsed = parseCertificate(pem);
    return parsed.ok ? [{ serial: certificateFacts(parsed.value).serial, at: now, reason: VOIDED }] : [];
  });
  const entries = new Map([...added, ...known].map((entry) => [entry.serial, entry]));
  const number = Math.max(numberAt(now), (before?.number ?? 0) + 1);
  const others = lists.filter((list) => !list.isSignedBy(publicKey)).map(({ pem }) => pem);
  const pem = [rootCrl(root, [...entries.values()], number, now), ...others].join("");
  return [...crls.filter((each) => each.root !== root.pin), { root: root.pin, pem }];
}

/**
 * For the roster that is about to be signed, whose `crls` are those of the one before; the same array
 * where nothing is due. A list is made anew when a revocation came, or half of its time is over.
 */
export function nextCrls(
  roster: Pick<Roster, "roots" | "succession" | "revoked" | "crls">,
  signer: Signer,
  now: WallTime,
): readonly RosterCrl[] {
  const publicKey = createPublicKey(signer.key);
  const held = roster.roots.map(({ pin }) => listsOf(roster.crls, pin));
  const own = held.flat().filter((list) => list.isSignedBy(publicKey));
  const entries = entriesOf(roster.revoked, now);
  const everywhere = held.every((lists) => lists.some((list) => list.isSignedBy(publicKey)));
  const isSame = roster.crls.length === roster.roots.length && everywhere;
  if (isSame && own.every((list) => isCurrent(list, entries, now))) return roster.crls;
  const number = Math.max(numberAt(now), ...own.map((list) => list.number + 1));
  const list = signerCrl(signer, entries, number, now);
  return roster.roots.map(({ pin, certificate }, at) => {
    const others = othersLists(held[at] ?? [], { roster, root: certificate, signer, now });
    return { root: pin, pem: others.reduce((pem, each) => withRoom(pem, each.pem), list) };
  });
}

/**
 * With the root's own list made anew, which only its key can do: of the signing keys that are void. The
 * other lists stay.
 */
export function withRootList(
  { crls, revoked }: Pick<Roster, "crls" | "revoked">,
  root: Issuer & { readonly pin: string },
  now: WallTime,
): readonly RosterCrl[] {
  const publicKey = createPublicKey(root.key);
  const lists = listsOf(crls, root.pin);
  const own = lists.filter((list) => list.isSignedBy(publicKey));
  const number = Math.max(numberAt(now), ...own.map((list) => list.number + 1));
  const made = rootCrl(root, voidedSigners(revoked), number, now);
  const others = lists.filter((list) => !own.includes(list));
  const pem = others.reduce((text, each) => withRoom(text, each.pem), made);
  return [...crls.filter((each) => each.root !== root.pin), { root: root.pin, pem }];
}

/** For as long as the mesh remembers them: their certificates live as long as the root. */
const voidedSigners = (revoked: readonly RosterRevocation[]): readonly CrlEntry[] =>
  revoked.flatMap(({ kind, serials = [], at, suspected }) =>
    kind !== "signer"
      ? []
      : serials.map((serial): CrlEntry => {
          const reason = suspected === true ? "cACompromise" : "cessationOfOperation";
          return { serial, at: wallTime(Date.parse(at)), reason };
        }),
  );

/** In seconds since 1970: a list's number grows even where the signer's earlier ones are unknown. */
const numberAt = (now: WallTime): number => Math.floor(now / 1000);

const withRoom = (pem: string, more: string): string =>
  pem.length + more.length <= CRL_CHARS_MAX ? pem + more : pem;

const listsOf = (crls: readonly RosterCrl[], root: string): readonly ReadCrl[] => {
  const pem = crls.find((each) => each.root === root)?.pem;
  const lists = pem === undefined ? undefined : readCrls(pem);
  return lists?.ok === true ? lists.value : [];
};

/** The root's own, which only its key can replace, and those of standbys whose certificates are still about. */
function othersLists(
  lists: readonly ReadCrl[],
  about: {
    readonly roster: Pick<Roster, "succession">;
    readonly root: string;
    readonly signer: Signer;
    readonly now: WallTime;
  },
): readonly ReadCrl[] {
  const others = about.roster.succession.filter(({ pin }) => pin !== about.signer.pin);
  const keys = [about.root, ...others.map(({ certificate }) => certificate)].flatMap((pem) => {
    const parsed = parseCertificate(pem);
    return parsed.ok ? [parsed.value.publicKey] : [];
  });
  return keys.flatMap((key) => latestBy(key, lists)).filter((list) => list.nextUpdate > about.now);
}

/** The one with the highest number, if there is any. */
const latestBy = (key: KeyObject, lists: readonly ReadCrl[]): readonly ReadCrl[] =>
  lists
    .filter((list) => list.isSignedBy(key))
    .toSorted((one, two) => two.number - one.number)
    .slice(0, 1);

function isCurrent(list: ReadCrl, entries: readonly CrlEntry[], now: WallTime): boolean {
  const half = list.thisUpdate + (list.nextUpdate - list.thisUpdate) / 2;
  if (now >= half || list.thisUpdate > now + AHEAD_MAX) return false;
  const listed = new Map(list.entries.map((entry) => [entry.serial, entry.reason]));
  return entries.every((entry) => listed.get(entry.serial) === entry.reason);
}

/** Newest first as far as there is room, each serial number once. */
function entriesOf(revoked: readonly RosterRevocation[], now: WallTime): readonly CrlEntry[] {
  const entries = new Map<string, CrlEntry>();
  for (const { kind, at, serials = [], suspected } of [...revoked].reverse()) {
    const since = Date.parse(at);
    if (kind === "signer" || now > since + LISTED_FOR) continue;
    const reason = suspected === true ? "keyCompromise" : "cessationOfOperation";
    for (const serial of serials) {
      if (entries.size === CRL_ENTRIES_MAX) return [...entries.values()];
      if (!entries.has(serial)) entries.set(serial, { serial, at: wallTime(since), reason });
    }
  }
  return [...entries.values()];
}
