/** What lies in the state folder. `node.json` is written last: it is what makes a folder an identity. */
import * as z from "zod";
import { type RecoveryFile, recoveryFile } from "../adapters/pki/recovery.ts";
import type { StateFile } from "../adapters/state/folder.ts";
import { addressText, nodeNameText, pinText, type SignedRoster, uuidText } from "../wire/roster.ts";
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

export const RECOVERY_STATE_FILE: StateFile<RecoveryFile> = {
  name: "recovery.balefire",
  kind: "recovery",
  shape: recoveryFile,
  remedy: "Use another copy of the recovery file.",
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
  RECOVERY_STATE_FILE.name,
  TOKENS_FILE.name,
];
