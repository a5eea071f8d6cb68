/**
 * The roster on the wire and on disk. What is signed is a JSON text, carried
 * verbatim in `body`, so that fields a release does not know survive relaying and
 * the signature never depends on how somebody else prints JSON.
 */
import * as z from "zod";
import type { RosterRank } from "../core/types.ts";
import { sha256Hex } from "../kit/hash.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type RecoveryFile, recoveryFile } from "./recovery-file.ts";
import { contradictionIn } from "./roster-contradictions.ts";

export const ROSTER_BYTES_MAX: number = 1_048_576;
export const ROSTER_NODES_MAX: number = 200;
/** So that a node that missed this many epochs can still check the chain; 140 bytes each. */
export const ROSTER_ANCESTORS_MAX: number = 256;
export const ROSTER_REVOKED_MAX: number = 1000;
export const REVOCATION_REASON_CHARS_MAX: number = 200;
/** Certificates of one node that hold at a time: three when all goes well. */
export const REVOCATION_SERIALS_MAX: number = 16;
export const SHARED_CONFIG_CHARS_MAX: number = 262_144;
export const NODE_ADDRESSES_MAX: number = 8;
/** Signing keys that an opening names as void, whatever they sign. */
export const OPENING_VOIDS_MAX: number = 256;
/** Root rotations that a node may have missed and still come back. */
export const ROSTER_HANDOVERS_MAX: number = 8;
/** PEM; a list of a thousand revocations has half as many. */
export const CRL_CHARS_MAX: number = 131_072;
/** 48 bits of a key's pin: enough to tell two signers apart, short enough for each beat. */
export const OPENER_CHARS = 8;
export const ROSTER_ROOTS_MAX: number = 4;
export const ROSTER_SUCCESSION_MAX: number = 8;
const CERTIFICATE_CHARS_MAX = 4096;

export interface RosterNode {
  readonly id: string;
  /** RFC 1123 label, lower case. */
  readonly name: string;
  /** `IP:PORT`, IPv6 in brackets. */
  readonly addresses: readonly string[];
  /** base64url SHA-256 of the node's SubjectPublicKeyInfo (DER); this is what makes it a peer. */
  readonly pin: string;
  /** ISO 8601. */
  readonly added: string;
  /** ISO 8601; when the certificate last issued ends. Absent when the keymaster does not know. */
  readonly certificateExpires?: string | undefined;
  /** ISO 8601; when it begins. */
  readonly certificateBegins?: string | undefined;
  /** Its serial number, in hex. */
  readonly certificateSerial?: string | undefined;
  /** Pin of the root that it leads to. */
  readonly root?: string | undefined;
}

export interface RosterRoot {
  readonly pin: string;
  /** PEM. */
  readonly certificate: string;
}

/** A key that may sign rosters, with the root-signed certificate that says so. */
export interface RosterSuccessor {
  readonly node: string;
  readonly pin: string;
  /** PEM of the intermediate. */
  readonly certificate: string;
}

export interface RosterRevocation {
  readonly pin: string;
  readonly node: string;
  readonly name: string;
  readonly at: string;
  readonly reason: string;
  /** Of its certificates that had not run out, in hex; absent when the keymaster knew of none. */
  readonly serials?: readonly string[] | undefined;
  /** Somebody else may have the key. */
  readonly suspected?: true | undefined;
  /** A key that signed, or might have: `node` and `name` are whose it was. Absent: a node's own key. */
  readonly kind?: "signer" | undefined;
}

export interface RosterAncestor extends RosterRank {
  readonly hash: string;
}

/**
 * The root key's word that a generation begins, by a signature over `openingText`. Every roster of the
 * generation carries it, whoever signs: whoever reads one can tell that the root stands behind its lineage.
 */
export interface RosterOpening {
  /** Pin of the root key. */
  readonly root: string;
  readonly generation: number;
  /** The term it opened; later ones of the generation were opened by standbys. */
  readonly term: number;
  /** Pin of the key that signs that term. */
  readonly signer: string;
  /** Pins of signing keys that may sign nothing of this generation, not even for who has not heard of their end. */
  readonly voids: readonly string[];
  readonly signature: string;
}

/** The old root's word, by a signature over `handoverText`, that whoever trusts it may trust this one. */
export interface RosterHandover {
  /** Pins of the two root keys. */
  readonly from: string;
  readonly to: string;
  /** The new root's, in PEM: it may be gone from `roots` when the next one has followed it. */
  readonly certificate: string;
  readonly signature: string;
}

/** Certificate revocation lists for other tools; the mesh itself goes by `revoked`. */
export interface RosterCrl {
  /** Pin of the root that what they revoke leads to. */
  readonly root: string;
  /** One list or several: the signer's, and the root's own. */
  readonly pem: string;
}

/** A change of roots that is under way. */
export interface RosterRotation {
  /** `announced`: the nodes learn of the new root. `issuing`: they have their certificates renewed under it. */
  readonly phase: "announced" | "issuing";
  /** Pin of the new one. */
  readonly root: string;
  /** ISO 8601. */
  readonly since: string;
  /** Ids of nodes that are not waited for. */
  readonly waived: readonly string[];
}

export interface Roster {
  readonly schema: 1;
  readonly mesh: string;
  /** Counts the terms opened with a root key. */
  readonly generation: number;
  /** Counts the signers' reigns, whoever opened them. */
  readonly term: number;
  /** Counts the rosters of one signer in one term. */
  readonly epoch: number;
  /** SHA-256 (hex) of the body before this one; null in the first. */
  readonly previous: string | null;
  /** The bodies before this one, newest first, `previous` included. */
  readonly ancestors: readonly RosterAncestor[];
  /** ISO 8601. */
  readonly issuedAt: string;
  /** Id of the node that signs. */
  readonly keymaster: string;
  readonly opening: RosterOpening;
  readonly roots: readonly RosterRoot[];
  readonly handovers: readonly RosterHandover[];
  readonly rotation?: RosterRotation | undefined;
  readonly succession: readonly RosterSuccessor[];
  readonly nodes: readonly RosterNode[];
  readonly revoked: readonly RosterRevocation[];
  readonly crls: readonly RosterCrl[];
  /** The sealed root key, so that every host holds a copy. */
  readonly recovery?: RecoveryFile | undefined;
  /** Shared configuration as YAML text; version 0 and '' before the first `config apply`. */
  readonly config: { readonly version: number; readonly text: string };
}

export interface SignedRoster {
  /** The exact JSON text that was signed. */
  readonly body: string;
  /** ECDSA P-256 with SHA-256 over `body` as UTF-8, r and s as 64 bytes (IEEE P1363), base64url. */
  readonly signature: string;
  /** Pin of the signing key. */
  readonly signer: string;
}

export interface ParsedRoster {
  readonly signed: SignedRoster;
  readonly roster: Roster;
  /** SHA-256 (hex) of the body: the roster's identity. */
  readonly hash: string;
  /** The text this was parsed from, to be stored and handed on. */
  readonly encoded: string;
}

/** Base64url of 32 bytes. */
export const pinText: z.ZodType<string> = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "not a key pin");
export const uuidText: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "not a lower-case uuid");
/** RFC 1123 label: it becomes a word in messages, file names and metric labels. */
export const nodeNameText: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "not a host name (a-z, 0-9, inner hyphens, 63 at most)");
/** The shape only; whoever binds or dials it checks the address itself. */
export const addressText: z.ZodType<string> = z
  .string()
  .max(64)
  .regex(/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:.]{2,45}\]):\d{1,5}$/, "not an IP:PORT address");
const hashText = z.string().regex(/^[0-9a-f]{64}$/, "not a SHA-256 in hex");
const signatureText = z.string().regex(/^[A-Za-z0-9_-]{86}$/, "not a signature");
const timeText = z.iso.datetime();
/** RFC 5280 section 4.1.2.2: 20 bytes at most. */
export const serialText: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{1,40}$/, "not a serial number in hex");
const certificateText = z.string().max(CERTIFICATE_CHARS_MAX);
/** The beginning of a pin. */
export const openerText: z.ZodType<string> = z.string().regex(/^[A-Za-z0-9_-]{8}$/, "not an opener");
const rank = z.number().int().positive().max(Number.MAX_SAFE_INTEGER);

const rosterNode: z.ZodType<RosterNode> = z.object({
  id: uuidText,
  name: nodeNameText,
  addresses: z.array(addressText).min(1).max(NODE_ADDRESSES_MAX),
  pin: pinText,
  added: timeText,
  certificateExpires: timeText.optional(),
  certificateBegins: timeText.optional(),
  certificateSerial: serialText.optional(),
  root: pinText.optional(),
});

const rosterAncestor: z.ZodType<RosterAncestor> = z.object({
  generation: rank,
  term: rank,
  opener: openerText,
  epoch: rank,
  hash: hashText,
});

const rosterOpening: z.ZodType<RosterOpening> = z.object({
  root: pinText,
  generation: rank,
  term: rank,
  signer: pinText,
  voids: z.array(pinText).max(OPENING_VOIDS_MAX),
  signature: signatureText,
});

const rosterHandover: z.ZodType<RosterHandover> = z.object({
  from: pinText,
  to: pinText,
  certificate: certificateText,
  signature: signatureText,
});

const rosterRotation: z.ZodType<RosterRotation> = z.object({
  phase: z.enum(["announced", "issuing"]),
  root: pinText,
  since: timeText,
  waived: z.array(uuidText).max(ROSTER_NODES_MAX),
});

const rosterRevocation: z.ZodType<RosterRevocation> = z.object({
  pin: pinText,
  node: uuidText,
  name: nodeNameText,
  at: timeText,
  reason: z.string().max(REVOCATION_REASON_CHARS_MAX),
  serials: z.array(serialText).max(REVOCATION_SERIALS_MAX).optional(),
  suspected: z.literal(true).optional(),
  kind: z.literal("signer").optional(),
});

const rosterShape: z.ZodType<Roster> = z.object({
  schema: z.literal(1),
  mesh: uuidText,
  generation: rank,
  term: rank,
  epoch: rank,
  previous: hashText.nullable(),
  ancestors: z.array(rosterAncestor).max(ROSTER_ANCESTORS_MAX),
  issuedAt: timeText,
  keymaster: uuidText,
  opening: rosterOpening,
  roots: z
    .array(z.object({ pin: pinText, certificate: certificateText }))
    .min(1)
    .max(ROSTER_ROOTS_MAX),
  handovers: z.array(rosterHandover).max(ROSTER_HANDOVERS_MAX),
  rotation: rosterRotation.optional(),
  succession: z
    .array(z.object({ node: uuidText, pin: pinText, certificate: certificateText }))
    .min(1)
    .max(ROSTER_SUCCESSION_MAX),
  nodes: z.array(rosterNode).min(1).max(ROSTER_NODES_MAX),
  revoked: z.array(rosterRevocation).max(ROSTER_REVOKED_MAX),
  crls: z.array(z.object({ root: pinText, pem: z.string().max(CRL_CHARS_MAX) })).max(ROSTER_ROOTS_MAX),
  recovery: recoveryFile.optional(),
  config: z.object({
    version: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
    text: z.string().max(SHARED_CONFIG_CHARS_MAX),
  }),
});

export const signedRoster: z.ZodType<SignedRoster> = z.object({
  body: z.string().max(ROSTER_BYTES_MAX),
  signature: signatureText,
  signer: pinText,
});

/** The identity of a roster: what `previous` of the next one holds. */
export const rosterHash = (body: string): string => sha256Hex(body);

/** How a signing key is named in a rank, by its pin. */
export const openerOf = (pin: string): string => pin.slice(0, OPENER_CHARS);

export const rankOf = ({ roster, signed }: Pick<ParsedRoster, "roster" | "signed">): RosterRank => ({
  generation: roster.generation,
  term: roster.term,
  opener: openerOf(signed.signer),
  epoch: roster.epoch,
});

/** What the root key signs to begin a generation with a signing key. */
export const openingText = (
  mesh: string,
  { generation, term, signer, voids }: Omit<RosterOpening, "root" | "signature">,
): string =>
  `balefire-term/1\n${mesh}\n${generation}\n${term}\n${signer}\n${voids.map((pin) => `${pin}\n`).join("")}`;

/** What the old root key signs. `fingerprint`: SHA-256 of the new root's certificate (DER), in hex. */
export const handoverText = (mesh: string, fingerprint: string): string =>
  `balefire-handover/1\n${mesh}\n${fingerprint}\n`;

export const encodeSigned = (signed: SignedRoster): string =>
  JSON.stringify({ body: signed.body, signature: signed.signature, signer: signed.signer });

/** Fails with `roster-refused` (shape, bounds, contradictions) or `version-unsupported`. Signatures are checked elsewhere. */
export function parseSigned(encoded: string): Result<ParsedRoster> {
  if (encoded.length > ROSTER_BYTES_MAX) return refused(`it is longer than ${ROSTER_BYTES_MAX} characters`);
  const outer = signedRoster.safeParse(jsonOf(encoded));
  if (!outer.success) return refused(firstIssue(outer.error));
  const content = jsonOf(outer.data.body);
  if (isNewer(content)) {
    return failure(
      "version-unsupported",
      "the roster is written in a newer format",
      "Update Balefire on this host.",
    );
  }
  const inner = rosterShape.safeParse(content);
  if (!inner.success) return refused(firstIssue(inner.error));
  const contradiction = contradictionIn(inner.data, outer.data.signer);
  if (contradiction !== undefined) return refused(contradiction);
  return ok({ signed: outer.data, roster: inner.data, hash: rosterHash(outer.data.body), encoded });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isNewer = (content: unknown): boolean =>
  typeof content === "object" &&
  content !== null &&
  "schema" in content &&
  typeof content.schema === "number" &&
  content.schema > 1;

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? "it is malformed" : `${issue.path.join(".") || "it"}: ${issue.message}`;
}

const refused = (why: string): Result<never> => failure("roster-refused", `not a valid roster: ${why}`);
