/**
 * The join token: one line for a person to carry from the keymaster to a new host.
 *
 * `balefire-join-` and, in base64url: version (1 byte), mesh id (16), root pin (32),
 * keymaster's TLS key pin (32), token id (8), secret (16), expiry in ms since 1970
 * (6, big endian), node name, number of addresses (1) and each address; texts are
 * ASCII after a length byte; last, the first 4 bytes of the SHA-256 of all before.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { failure, ok, type Result } from "../kit/result.ts";
import { type WallTime, wallTime } from "../kit/time.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";
import { addressText, NODE_ADDRESSES_MAX, nodeNameText } from "./roster.ts";

export const TOKEN_PREFIX = "balefire-join-";
export const TOKEN_CHARS_MAX: number = 2048;
export const TOKEN_SECRET_BYTES: number = 16;
const VERSION = 1;
const CHECKSUM_BYTES = 4;
const EXPIRY_BYTES = 6;
const TOKEN_ID_BYTES = 8;

export interface JoinToken {
  readonly mesh: string;
  /** Pins: base64url SHA-256 of SubjectPublicKeyInfo. */
  readonly root: string;
  readonly keymaster: string;
  readonly addresses: readonly string[];
  /** 16 hex digits; not secret. */
  readonly id: string;
  /** 128 bits; never logged, never stored by the mesh. */
  readonly secret: Uint8Array;
  readonly name: string;
  readonly expires: WallTime;
}

export const tokenIdShape: RegExp = /^[0-9a-f]{16}$/;

export function encodeToken(token: JoinToken): string {
  const bytes = [
    VERSION,
    ...hexToBytes(token.mesh.replaceAll("-", "")),
    ...pinBytes(token.root),
    ...pinBytes(token.keymaster),
    ...hexToBytes(token.id),
    ...token.secret,
    ...numberBytes(token.expires),
    ...textBytes(token.name),
    token.addresses.length,
    ...token.addresses.flatMap((address) => textBytes(address)),
  ];
  const checksum = sha256(Uint8Array.from(bytes)).subarray(0, CHECKSUM_BYTES);
  return TOKEN_PREFIX + toBase64url(Uint8Array.from([...bytes, ...checksum]));
}

/** Accepts surrounding white space. Never repeats the token in its failures: it holds a secret. */
export function parseToken(text: string): Result<JoinToken> {
  const trimmed = text.trim();
  if (!trimmed.startsWith(TOKEN_PREFIX)) return invalid(`it does not begin with ${TOKEN_PREFIX}`);
  if (trimmed.length > TOKEN_CHARS_MAX) return invalid("it is too long");
  const bytes = fromBase64url(trimmed.slice(TOKEN_PREFIX.length));
  if (bytes === undefined || bytes.length <= CHECKSUM_BYTES)
    return invalid("it is cut off or has foreign characters");
  const content = bytes.subarray(0, -CHECKSUM_BYTES);
  if (
    bytesToHex(sha256(content).subarray(0, CHECKSUM_BYTES)) !== bytesToHex(bytes.subarray(-CHECKSUM_BYTES))
  ) {
    return invalid("its checksum does not match, so a part is missing or mistyped");
  }
  if (content[0] !== VERSION) {
    return failure(
      "version-unsupported",
      "the join token is of another version",
      "Use the same Balefire release on both hosts.",
    );
  }
  const token = tokenIn(new Reader(content.subarray(1)));
  return token === undefined ? invalid("its content makes no sense") : ok(token);
}

function tokenIn(reader: Reader): JoinToken | undefined {
  const mesh = uuidOf(bytesToHex(reader.take(16)));
  const root = toBase64url(reader.take(32));
  const keymaster = toBase64url(reader.take(32));
  const id = bytesToHex(reader.take(TOKEN_ID_BYTES));
  const secret = reader.take(TOKEN_SECRET_BYTES);
  const expires = wallTime(Number.parseInt(bytesToHex(reader.take(EXPIRY_BYTES)) || "0", 16));
  const name = reader.text();
  const addresses: string[] = [];
  const count = reader.take(1)[0] ?? 0;
  if (count > NODE_ADDRESSES_MAX) return undefined;
  for (let index = 0; index < count; index += 1) addresses.push(reader.text());
  const sound =
    reader.atEnd() &&
    addresses.length > 0 &&
    nodeNameText.safeParse(name).success &&
    addresses.every((address) => addressText.safeParse(address).success);
  return sound ? { mesh, root, keymaster, id, secret, expires, name, addresses } : undefined;
}

/** Reads on past the end as nothing and remembers that it did: one check at the end instead of one a field. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  take(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }
  text(): string {
    return String.fromCharCode(...this.take(this.take(1)[0] ?? 0));
  }
  atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
}

const uuidOf = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");

const pinBytes = (pin: string): Uint8Array => fromBase64url(pin) ?? new Uint8Array();
const textBytes = (text: string): number[] => [
  text.length,
  ...[...text].map((letter) => letter.charCodeAt(0)),
];
const numberBytes = (value: number): Uint8Array =>
  hexToBytes(
    Math.floor(value)
      .toString(16)
      .padStart(EXPIRY_BYTES * 2, "0"),
  );

const invalid = (why: string): Result<never> =>
  failure(
    "token-invalid",
    `not a join token: ${why}`,
    "Copy the whole line that `balefire token create` printed.",
  );
