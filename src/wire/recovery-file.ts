/** The recovery file: the sealed root key, as it lies on disk and in the roster. Sealing is in adapters/pki/recovery.ts. */
import * as z from "zod";

export interface RecoveryFile {
  readonly version: 1;
  readonly mesh: string;
  /** PEM. */
  readonly rootCertificate: string;
  readonly salt: string;
  readonly nonce: string;
  /** Cipher text and tag, base64url. */
  readonly sealed: string;
}

export const recoveryFile: z.ZodType<RecoveryFile> = z.object({
  version: z.literal(1),
  mesh: z.string().max(64),
  rootCertificate: z.string().max(4096),
  salt: z.string().max(64),
  nonce: z.string().max(64),
  sealed: z.string().max(4096),
});
