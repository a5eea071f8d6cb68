/** DER (ITU-T X.690), as much of it as requests, certificates and revocation lists need. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  enumerated: 0x0a,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** `[number]`, its content made of values. */
export const contextTag = (number: number): number => 0xa0 | number;
/** `[number]` in place of a plain value's own tag. */
export const contextPlainTag = (number: number): number => 0x80 | number;

export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag and length included. */
  readonly whole: Buffer;
}

/** Three bytes of length: 16 MB, more than anything here. */
const LENGTH_BYTES_MAX = 3;

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...parts]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

/** `magnitude`: big-endian, not negative. */
export function derInteger(magnitude: Buffer): Buffer {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.from([0]) : magnitude.subarray(first);
  return ((digits[0] ?? 0) & 0x80) === 0
    ? der(TAG.integer, digits)
    : der(TAG.integer, Buffer.from([0]), digits);
}

/** One byte before a bit string's content: none of its bits are unused. */
export const derBitString = (content: Buffer): Buffer => der(TAG.bitString, Buffer.from([0]), content);

/** Two digits for the year through 2049, four from 2050 on (RFC 5280 section 4.1.2.5); whole seconds. */
export function derTime(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/\.\d+|[-:T]/g, "");
  return new Date(at).getUTCFullYear() < 2050
    ? der(TAG.utcTime, Buffer.from(digits.slice(2)))
    : der(TAG.generalizedTime, Buffer.from(digits));
}

/** Undefined when it is no time, or not in the form that `derTime` writes. */
export function readTime({ tag, content }: DerValue): number | undefined {
  const text = content.toString("latin1");
  const year =
    tag === TAG.utcTime ? fullYear(text) : tag === TAG.generalizedTime ? text.slice(0, 4) : undefined;
  const rest = /(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (year === undefined || rest === null || text.length !== (tag === TAG.utcTime ? 13 : 15))
    return undefined;
  const [, month, day, hour, minute, second] = rest;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : at;
}

const fullYear = (text: string): string => `${Number(text.slice(0, 2)) < 50 ? 20 : 19}${text.slice(0, 2)}`;

/** All values of a text of bytes, one after the other; undefined when something else is in it. */
export function readDer(bytes: Buffer): readonly DerValue[] | undefined {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const value = valueAt(bytes, at);
    if (value === undefined) return undefined;
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

function valueAt(bytes: Buffer, at: number): DerValue | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || more > LENGTH_BYTES_MAX || at + 2 + more > bytes.length) return undefined;
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
  const begin = at + 2 + more;
  if (begin + length > bytes.length) return undefined;
  return { tag, content: bytes.subarray(begin, begin + length), whole: bytes.subarray(at, begin + length) };
}

const PEM_LINE_CHARS = 64;

/** RFC 7468. */
export function pemOf(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(new RegExp(`.{1,${PEM_LINE_CHARS}}`, "g")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
