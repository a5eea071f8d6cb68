/** What lies in the state folder. `node.json` is written last: it is what makes a folder an identity. */
import * as z from "zod";
import type { StateFile } from "../adapters/state/folder.ts";
import type { RosterLink } from "../core/roster.ts";
import { type RecoveryFile, recoveryFile } from "../wire/recovery-file.ts";
import {
  addressText,
  nodeNameText,
  openerText,
  pinText,
  REVOCATION_SERIALS_MAX,
  ROSTER_NODES_MAX,
  type SignedRoster,
  serialText,
  uuidText,
} from "../wire/roster.ts";
import { tokenIdShape } from "../wire/token.ts";

export const NODE_KEY_FILE = "node.key";
/** Leaf, then intermediate. */
export const NODE_CERTIFICATE_FILE = "node.crt";
export const SIGNER_KEY_FILE = "signer.key";
export const SIGNER_CERTIFICATE_FILE = "signer.crt";
export const TOKENS_MAX = 200;

export interface NodeFile {
  readonly mesh: string;
  readonly id: string;
  readonly name: string;
  readonly addresses: readonly string[];
}
export const NODE_FILE: StateFile<NodeFile> = {
  name: "node.json",
  kind: "node",
  shape: z.object({
    mesh: uuidText,
    id: uuidText,
    name: nodeNameText,
    addresses: z.array(addressText).min(1),
  }),
  remedy: "Restore the file from a backup, or move the state folder aside and join again.",
};

export const ROSTER_FILE: StateFile<SignedRoster> = {
  name: "roster.json",
  kind: "roster",
  shape: z.object({ body: z.string(), signature: z.string(), signer: z.string() }),
  remedy: "Copy roster.json from another host of the mesh: it is the same on all of them, and signed.",
};

const signedRoster: z.ZodType<SignedRoster> = z.object({
  body: z.string(),
  signature: z.string(),
  signer: z.string(),
});

/** Rosters this node went by until another one won that does not build on them; the new keymaster is to have them. */
export const DISPLACED_FILE: StateFile<{ readonly rosters: readonly SignedRoster[] }> = {
  name: "displaced.json",
  kind: "displaced",
  shape: z.object({ rosters: z.array(signedRoster) }),
  remedy:
    "Check the disk's health. What keymasters that lost had signed may not be listed: see `balefire keymaster show`.",
};

/** The roster on which the term of this node's builds: what rosters that lost have changed is told by it. */
export const TERM_BASE_FILE: StateFile<SignedRoster> = {
  name: "term-base.json",
  kind: "term-base",
  shape: signedRoster,
  remedy:
    "Check the disk's health. What a roster that lost has changed is told by comparing it with the one in force.",
};

/** What a keymaster that lost has signed, for a person to confirm or drop. */
export interface SetAsideRecord {
  /** Milliseconds since 1970; when it came. */
  readonly at: number;
  readonly signed: SignedRoster;
  /** Confirmed or dropped; `decided` says so now, of more than fit in here whole. */
  readonly settled: boolean;
}
/** Up to where a person has decided about a reign of a signer's, which it counts by generation and term. */
export interface DecidedReign {
  /** Pin. */
  readonly signer: string;
  readonly generation: number;
  readonly term: number;
  readonly epoch: number;
}
export interface SetAsideContent {
  readonly rosters: readonly SetAsideRecord[];
  /** Oldest first; absent where an earlier version wrote it. */
  readonly decided?: readonly DecidedReign[] | undefined;
}
const count = z.number().int().positive();
export const SET_ASIDE_FILE: StateFile<SetAsideContent> = {
  name: "set-aside.json",
  kind: "set-aside",
  shape: z.object({
    rosters: z.array(z.object({ at: z.number(), signed: signedRoster, settled: z.boolean() })),
    decided: z.array(z.object({ signer: pinText, generation: count, term: count, epoch: count })).optional(),
  }),
  remedy: "Check the disk's health. What it listed can no longer be confirmed, nor dropped.",
};

export const RECOVERY_STATE_FILE: StateFile<RecoveryFile> = {
  name: "recovery.balefire",
  kind: "recovery",
  shape: recoveryFile,
  remedy: "Use another copy of the recovery file.",
};

/** The first roster that is known to have the key that `recovery.balefire` seals. */
export interface RecoverySince {
  /** SHA-256 of what it seals, in hex. */
  readonly seal: string;
  readonly roster: RosterLink;
}
const sha256Text = z.string().regex(/^[0-9a-f]{64}$/);
export const RECOVERY_SINCE_FILE: StateFile<RecoverySince> = {
  name: "recovery-since.json",
  kind: "recovery-since",
  shape: z.object({
    seal: sha256Text,
    roster: z.object({ generation: count, term: count, opener: openerText, epoch: count, hash: sha256Text }),
  }),
  remedy: "Delete it: it begins anew.",
};

export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  /** Ed25519, base64url; the secret was never stored. */
  readonly publicKey: string;
  /** Milliseconds since 1970, as the two below. */
  readonly created: number;
  readonly expires: number;
  readonly revoked: boolean;
  /** By which key; written before a certificate is signed. */
  readonly used: { readonly pin: string; readonly node: string; readonly at: number } | null;
}
export const TOKENS_FILE: StateFile<{ readonly tokens: readonly TokenRecord[] }> = {
  name: "tokens.json",
  kind: "tokens",
  shape: z.object({
    tokens: z
      .array(
        z.object({
          id: z.string().regex(tokenIdShape),
          name: nodeNameText,
          publicKey: pinText,
          created: z.number(),
          expires: z.number(),
          revoked: z.boolean(),
          used: z.object({ pin: pinText, node: uuidText, at: z.number() }).nullable(),
        }),
      )
      .max(TOKENS_MAX),
  }),
  remedy:
    "Restore the file, or delete it: open join tokens are lost with it, nodes that have joined are not affected.",
};

/** A certificate that the keymaster has issued. */
export interface IssuedRecord {
  readonly node: string;
  /** Hex. */
  readonly serial: string;
  /** Milliseconds since 1970, as the next. */
  readonly issued: number;
  readonly expires: number;
  /** Pin of the root above it; earlier versions did not note it. */
  readonly root?: string | undefined;
}
export const ISSUED_RECORDS_MAX: number = ROSTER_NODES_MAX * REVOCATION_SERIALS_MAX;
export const ISSUED_FILE: StateFile<{ readonly certificates: readonly IssuedRecord[] }> = {
  name: "issued.json",
  kind: "issued",
  shape: z.object({
    certificates: z
      .array(
        z.object({
          node: uuidText,
          serial: serialText,
          issued: z.number(),
          expires: z.number(),
          root: pinText.optional(),
        }),
      )
      .max(ISSUED_RECORDS_MAX),
  }),
  remedy:
    "Restore the file, or delete it: of a node that is removed, the revocation lists for other tools then name its last certificate only.",
};

/** The joiner's side of an unfinished join; holds its private key, so that the same command goes on with it. */
export interface PendingJoin {
  readonly mesh: string;
  /** The token's id, not the token. */
  readonly token: string;
  readonly key: string;
}
export const PENDING_JOIN_FILE: StateFile<PendingJoin> = {
  name: "pending-join.json",
  kind: "pending-join",
  shape: z.object({ mesh: uuidText, token: z.string().regex(tokenIdShape), key: z.string() }),
  remedy: "Delete it and join with a new token.",
  secret: true,
};

/**
 * A signing key that waits for its certificate: it has to appear in a roster's succession. It takes the
 * place of the one in `signer.key` only then.
 */
export const PENDING_SIGNER_FILE: StateFile<{ readonly key: string }> = {
  name: "pending-signer.json",
  kind: "pending-signer",
  shape: z.object({ key: z.string() }),
  remedy: "Delete it, and run the `balefire keymaster` command again that was interrupted.",
  secret: true,
};

/** Present while `init` is at work: what lies beside it may be replaced. */
export const PENDING_INIT_FILE: StateFile<{ readonly mesh: string }> = {
  name: "pending-init.json",
  kind: "pending-init",
  shape: z.object({ mesh: uuidText }),
  remedy: "Empty the state folder and run `balefire init` again.",
};

/** Files that only an identity has; found without `node.json` they are somebody's loss, not free space. */
export const IDENTITY_FILES: readonly string[] = [
  NODE_KEY_FILE,
  NODE_CERTIFICATE_FILE,
  ROSTER_FILE.name,
  SIGNER_KEY_FILE,
  SIGNER_CERTIFICATE_FILE,
  PENDING_SIGNER_FILE.name,
  RECOVERY_STATE_FILE.name,
  RECOVERY_SINCE_FILE.name,
  TOKENS_FILE.name,
  ISSUED_FILE.name,
  DISPLACED_FILE.name,
  TERM_BASE_FILE.name,
  SET_ASIDE_FILE.name,
];
