/**
 * The roster on the wire and on disk. What is signed is a JSON text, carried
 * verbatim in `body`, so that fields a release does not know survive relaying and
 * the signature never depends on how somebody else prints JSON.
 */
import * as z from "zod";
import { sha256Hex } from "../kit/hash.ts";
import { failure, ok, type Result } from "../kit/result.ts";

export const ROSTER_BYTES_MAX: number = 1_048_576;
export const ROSTER_NODES_MAX: number = 200;
/** So that a node that missed this many epochs can still check the chain; 100 bytes each. */
export const ROSTER_ANCESTORS_MAX: number = 256;
export const ROSTER_REVOKED_MAX: number = 1000;
export const REVOCATION_REASON_CHARS_MAX: number = 200;
export const SHARED_CONFIG_CHARS_MAX: number = 262_144;
export const NODE_ADDRESSES_MAX: number = 8;
const ROOTS_MAX = 4;
const SUCCESSION_MAX = 8;
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
  /** Of its last certificate, in hex; absent when the keymaster did not know it. */
  readonly serial?: string | undefined;
}

export interface RosterAncestor {
  readonly term: number;
  readonly epoch: number;
  readonly hash: string;
}

/** Who opened the term: the root key, by a signature over `termProofText`; or a standby, by signing the roster. */
export type TermProof =
  | { readonly by: "root"; readonly root: string; readonly signature: string }
  | { readonly by: "standby" };

export interface Roster {
  readonly schema: 1;
  readonly mesh: string;
  readonly term: number;
  readonly epoch: number;
  /** SHA-256 (hex) of the body before this one; null in the first. */
  readonly previous: string | null;
  /** The bodies before this one, newest first, `previous` included. */
  readonly ancestors: readonly RosterAncestor[];
  /** ISO 8601. */
  readonly issuedAt: string;
  /** Id of the node that signs. */
  readonly keymaster: string;
  readonly termProof: TermProof;
  readonly roots: readonly RosterRoot[];
  readonly succession: readonly RosterSuccessor[];
  readonly nodes: readonly RosterNode[];
  readonly revoked: readonly RosterRevocation[];
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
const serialText = z.string().regex(/^[0-9a-f]{1,40}$/, "not a serial number in hex");
const certificateText = z.string().max(CERTIFICATE_CHARS_MAX);
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
});

const termProof: z.ZodType<TermProof> = z.discriminatedUnion("by", [
  z.object({ by: z.literal("root"), root: pinText, signature: signatureText }),
  z.object({ by: z.literal("standby") }),
]);

const rosterShape: z.ZodType<Roster> = z.object({
  schema: z.literal(1),
  mesh: uuidText,
  term: rank,
  epoch: rank,
  previous: hashText.nullable(),
  ancestors: z.array(z.object({ term: rank, epoch: rank, hash: hashText })).max(ROSTER_ANCESTORS_MAX),
  issuedAt: timeText,
  keymaster: uuidText,
  termProof,
  roots: z
    .array(z.object({ pin: pinText, certificate: certificateText }))
    .min(1)
    .max(ROOTS_MAX),
  succession: z
    .array(z.object({ node: uuidText, pin: pinText, certificate: certificateText }))
    .min(1)
    .max(SUCCESSION_MAX),
  nodes: z.array(rosterNode).min(1).max(ROSTER_NODES_MAX),
  revoked: z
    .array(
      z.object({
        pin: pinText,
        node: uuidText,
        name: nodeNameText,
        at: timeText,
        reason: z.string().max(REVOCATION_REASON_CHARS_MAX),
        serial: serialText.optional(),
      }),
    )
    .max(ROSTER_REVOKED_MAX),
  config: z.object({
    version: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
    text: z.string().max(SHARED_CONFIG_CHARS_MAX),
  }),
});

const signedShape: z.ZodType<SignedRoster> = z.object({
  body: z.string().max(ROSTER_BYTES_MAX),
  signature: signatureText,
  signer: pinText,
});

/** The identity of a roster: what `previous` of the next one holds. */
export const rosterHash = (body: string): string => sha256Hex(body);

/** What the root key signs to open a term with a signing key. */
export const termProofText = (mesh: string, term: number, signer: string): string =>
  `balefire-term/1\n${mesh}\n${term}\n${signer}\n`;

export const encodeSigned = (signed: SignedRoster): string =>
  JSON.stringify({ body: signed.body, signature: signed.signature, signer: signed.signer });

/** Fails with `roster-refused` (shape, bounds, contradictions) or `version-unsupported`. Signatures are checked elsewhere. */
export function parseSigned(encoded: string): Result<ParsedRoster> {
  if (encoded.length > ROSTER_BYTES_MAX) return refused(`it is longer than ${ROSTER_BYTES_MAX} characters`);
  const outer = signedShape.safeParse(jsonOf(encoded));
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
  const contradiction = contradictionIn(inner.data);
  if (contradiction !== undefined) return refused(contradiction);
  return ok({ signed: outer.data, roster: inner.data, hash: rosterHash(outer.data.body), encoded });
}

/** What no schema says but every reader relies on. */
export function contradictionIn(roster: Roster): string | undefined {
  return (
    repeated(
      roster.nodes.map((node) => node.id),
      "node id",
    ) ??
    repeated(
      roster.nodes.map((node) => node.name),
      "node name",
    ) ??
    repeated(
      roster.nodes.map((node) => node.pin),
      "node key",
    ) ??
    repeated(
      roster.nodes.flatMap((node) => node.addresses),
      "address",
    ) ??
    repeated(
      roster.succession.map((successor) => successor.pin),
      "successor key",
    ) ??
    revokedMember(roster) ??
    (roster.previous !== (roster.ancestors[0]?.hash ?? null)
      ? "its previous is not its first ancestor"
      : undefined)
  );
}

function revokedMember(roster: Roster): string | undefined {
  const revoked = new Set(roster.revoked.map((entry) => entry.pin));
  const member = roster.nodes.find((node) => revoked.has(node.pin));
  return member === undefined ? undefined : `node ${member.name} has a revoked key`;
}

function repeated(values: readonly string[], what: string): string | undefined {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) return `the ${what} ${value} is in it twice`;
    seen.add(value);
  }
  return undefined;
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
