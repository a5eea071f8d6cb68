/**
 * The join conversation, over TLS 1.3 with ALPN `balefire-join/1`: one JSON line a
 * turn. The keymaster speaks first and shows its chain, so that the joiner can check
 * root and key before it says anything; then the request; then the answer.
 */
import * as z from "zod";
import { ERROR_CODES } from "../kit/errors.ts";
import { type Failure, failure, ok, type Result } from "../kit/result.ts";
import { addressText, NODE_ADDRESSES_MAX, nodeNameText } from "./roster.ts";
import { tokenIdShape } from "./token.ts";

export const JOIN_ALPN = "balefire-join/1";
/** RFC 8446 section 7.5; the label is private use. */
export const JOIN_EXPORTER_LABEL = "EXPORTER-balefire-join";
export const JOIN_EXPORTER_BYTES: number = 32;
export const JOIN_HELLO_BYTES_MAX: number = 65_536;
export const JOIN_REQUEST_BYTES_MAX: number = 65_536;
/** A roster of 1 MiB doubles when its quotes are escaped once more. */
export const JOIN_ANSWER_BYTES_MAX: number = 4_194_304;
const CERTIFICATE_CHARS_MAX = 16_384;
const CSR_CHARS_MAX = 8192;

export interface JoinHello {
  readonly schema: 1;
  /** PEM of the keymaster's intermediate and of its root. */
  readonly intermediate: string;
  readonly root: string;
}

export interface JoinRequest {
  readonly schema: 1;
  readonly token: string;
  readonly name: string;
  readonly addresses: readonly string[];
  /** PKCS #10 in PEM; its signature counts, its names do not. */
  readonly csr: string;
  /** Ed25519 signature by the token's key over `joinProofText`, base64url. */
  readonly proof: string;
}

export type JoinAnswer =
  | {
      readonly schema: 1;
      readonly ok: true;
      /** PEM: leaf, then intermediate. */
      readonly certificate: string;
      readonly roster: string;
    }
  | { readonly schema: 1; readonly ok: false; readonly error: Failure };

const joinHello: z.ZodType<JoinHello> = z.object({
  schema: z.literal(1),
  intermediate: z.string().max(CERTIFICATE_CHARS_MAX),
  root: z.string().max(CERTIFICATE_CHARS_MAX),
});

const joinRequest: z.ZodType<JoinRequest> = z.object({
  schema: z.literal(1),
  token: z.string().regex(tokenIdShape, "not a token id"),
  name: nodeNameText,
  addresses: z.array(addressText).min(1).max(NODE_ADDRESSES_MAX),
  csr: z.string().max(CSR_CHARS_MAX),
  proof: z.string().regex(/^[A-Za-z0-9_-]{86}$/, "not a signature"),
});

const joinAnswer: z.ZodType<JoinAnswer> = z.discriminatedUnion("ok", [
  z.object({
    schema: z.literal(1),
    ok: z.literal(true),
    certificate: z.string().max(CERTIFICATE_CHARS_MAX),
    roster: z.string(),
  }),
  z.object({
    schema: z.literal(1),
    ok: z.literal(false),
    error: z.object({
      code: z.enum(ERROR_CODES).catch("join-refused"),
      message: z.string().max(1000),
      remedy: z.string().max(1000).exactOptional(),
      retry: z.boolean(),
    }),
  }),
]);

/**
 * What the token's key signs: the request and this very TLS session, so that it can
 * be neither replayed nor relayed by somebody who ends TLS in between. No field can
 * hold a line break (their shapes forbid it), so the text is unambiguous.
 */
export const joinProofText = (proof: {
  readonly exporterHex: string;
  /** SHA-256 (hex) of the CSR's PEM text as sent. */
  readonly csrSha256: string;
  readonly token: string;
  readonly name: string;
  readonly addresses: readonly string[];
}): string =>
  [
    "balefire-join/1",
    proof.exporterHex,
    proof.csrSha256,
    proof.token,
    proof.name,
    ...proof.addresses,
    "",
  ].join("\n");

export const parseJoinHello = (line: string): Result<JoinHello> =>
  parseLine(line, joinHello, JOIN_HELLO_BYTES_MAX);
export const parseJoinRequest = (line: string): Result<JoinRequest> =>
  parseLine(line, joinRequest, JOIN_REQUEST_BYTES_MAX);
export const parseJoinAnswer = (line: string): Result<JoinAnswer> =>
  parseLine(line, joinAnswer, JOIN_ANSWER_BYTES_MAX);
export const encodeJoinLine = (message: JoinHello | JoinRequest | JoinAnswer): string =>
  `${JSON.stringify(message)}\n`;

function parseLine<T>(line: string, shape: z.ZodType<T>, charsMax: number): Result<T> {
  if (line.length > charsMax) return failure("protocol-violation", "the line is too long for a join");
  let content: unknown;
  try {
    content = JSON.parse(line);
  } catch {
    return failure("protocol-violation", "the line is not JSON");
  }
  const parsed = shape.safeParse(content);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  return failure(
    "protocol-violation",
    `join: ${issue?.path.join(".") ?? ""} ${issue?.message ?? "malformed"}`,
  );
}
