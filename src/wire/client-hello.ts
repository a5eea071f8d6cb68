/**
 * Reads the ALPN names out of a TLS ClientHello (RFC 8446 section 4.1.2, RFC 7301) without
 * taking part in the handshake, so that a connection can be routed before TLS ends anywhere.
 */
import { failure, ok, type Result } from "../kit/result.ts";

/** A ClientHello with a post-quantum key share takes 1.8 KB; more than this is refused. */
export const CLIENT_HELLO_BYTES_MAX: number = 8192;
const RECORD_HEADER_BYTES = 5;
const RECORD_HANDSHAKE = 22;
const TLS_MAJOR = 3;
/** RFC 8446 section 5.1: 2^14 bytes of plaintext. */
const RECORD_BYTES_MAX = 16_384;
const HANDSHAKE_CLIENT_HELLO = 1;
const HANDSHAKE_HEADER_BYTES = 4;
const EXTENSION_ALPN = 16;
const ALPN_NAMES_MAX = 16;

const NOT_TLS = "a connection does not begin with a TLS ClientHello";

/** What the bytes so far say. `incomplete`: reading again makes sense once that many have come. */
export type AlpnReading =
  | { readonly state: "complete"; readonly names: readonly string[] }
  | { readonly state: "incomplete"; readonly bytesNeeded: number };

/** The names in the client's order, none when it offers none. Never throws. */
export function readAlpn(bytes: Uint8Array): Result<AlpnReading> {
  const joined = joinRecords(bytes);
  if (!joined.ok) return joined;
  if (typeof joined.value === "number") {
    return joined.value > CLIENT_HELLO_BYTES_MAX
      ? failure("limit-reached", `a TLS ClientHello is longer than ${CLIENT_HELLO_BYTES_MAX} bytes`)
      : ok({ state: "incomplete", bytesNeeded: joined.value });
  }
  const extensions = findExtensions(new Reader(joined.value));
  const names = extensions === undefined ? undefined : findAlpn(extensions);
  if (names === undefined) return failure("protocol-violation", "a TLS ClientHello is malformed");
  return ok({ state: "complete", names });
}

/** The body of the ClientHello, which may be cut into several records; or how many bytes it takes to go on. */
function joinRecords(bytes: Uint8Array): Result<Uint8Array | number> {
  const message = new Uint8Array(CLIENT_HELLO_BYTES_MAX);
  let filled = 0;
  let at = 0;
  for (;;) {
    const [type, major, , high, low] = bytes.subarray(at, at + RECORD_HEADER_BYTES);
    const isTls = (type ?? RECORD_HANDSHAKE) === RECORD_HANDSHAKE && (major ?? TLS_MAJOR) === TLS_MAJOR;
    if (!isTls) return failure("protocol-violation", NOT_TLS);
    if (high === undefined || low === undefined) return ok(at + RECORD_HEADER_BYTES);
    const length = high * 256 + low;
    if (length === 0 || length > RECORD_BYTES_MAX) return failure("protocol-violation", NOT_TLS);
    const end = at + RECORD_HEADER_BYTES + length;
    const fragment = bytes.subarray(at + RECORD_HEADER_BYTES, end);
    if (filled + fragment.length > message.length) return ok(CLIENT_HELLO_BYTES_MAX + 1);
    message.set(fragment, filled);
    filled += fragment.length;
    const [kind, l2, l1, l0] = message.subarray(0, filled);
    if (kind !== undefined && kind !== HANDSHAKE_CLIENT_HELLO) return failure("protocol-violation", NOT_TLS);
    if (l2 !== undefined && l1 !== undefined && l0 !== undefined) {
      const bodyEnd = HANDSHAKE_HEADER_BYTES + l2 * 65_536 + l1 * 256 + l0;
      if (bodyEnd > CLIENT_HELLO_BYTES_MAX) return ok(CLIENT_HELLO_BYTES_MAX + 1);
      if (filled >= bodyEnd) return ok(message.subarray(HANDSHAKE_HEADER_BYTES, bodyEnd));
    }
    if (bytes.length < end) return ok(end);
    at = end;
  }
}

/** Skips version, random, session id, cipher suites and compression methods. */
function findExtensions(hello: Reader): Reader | undefined {
  hello.skip(2 + 32);
  hello.block(1);
  hello.block(2);
  hello.block(1);
  if (hello.broken) return undefined;
  if (hello.done) return new Reader(new Uint8Array(0));
  const extensions = hello.block(2);
  return hello.broken ? undefined : new Reader(extensions);
}

function findAlpn(extensions: Reader): readonly string[] | undefined {
  while (!extensions.done) {
    const type = extensions.number(2);
    const body = extensions.block(2);
    if (extensions.broken) return undefined;
    if (type === EXTENSION_ALPN) return readNames(new Reader(body));
  }
  return [];
}

function readNames(body: Reader): readonly string[] | undefined {
  const list = new Reader(body.block(2));
  const names: string[] = [];
  while (!list.done && names.length < ALPN_NAMES_MAX) {
    names.push(String.fromCharCode(...list.block(1)));
    if (list.broken) return undefined;
  }
  return body.broken ? undefined : names;
}

/** Reads big-endian numbers and length-prefixed blocks; past the end it yields nothing and is `broken`. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  broken = false;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }
  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#bytes.length) this.broken = true;
  }
  number(width: 1 | 2): number {
    let value = 0;
    for (let index = 0; index < width; index += 1) value = value * 256 + (this.#bytes[this.#at + index] ?? 0);
    this.skip(width);
    return value;
  }
  block(width: 1 | 2): Uint8Array {
    const length = this.number(width);
    const start = this.#at;
    this.skip(length);
    return this.broken ? new Uint8Array(0) : this.#bytes.subarray(start, start + length);
  }
}
