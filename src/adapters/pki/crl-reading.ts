/** Reading revocation lists, whoever made them. */
import type { KeyObject } from "node:crypto";
import { failure, ok, type Result } from "../../kit/result.ts";
import { type WallTime, wallTime } from "../../kit/time.ts";
import { CRL_CHARS_MAX } from "../../wire/roster.ts";
import { CRL_LABEL, CRL_REASONS, CRL_VERSION } from "./crl.ts";
import { contextTag, type DerValue, readDer, readTime, TAG } from "./der.ts";
import { isSignedBy } from "./signed-der.ts";
import { OID } from "./x509-parts.ts";

const LISTS_MAX = 8;
/** RFC 5280 section 4.1.2.2. */
const SERIAL_BYTES_MAX = 20;
/** It is shown to people. */
const ISSUER_SHAPE = /^[\x20-\x7e]{1,100}$/;

export interface ReadCrlEntry {
  /** Hex, lower case. */
  readonly serial: string;
  readonly at: WallTime;
  /** A name of RFC 5280 section 5.3.1; `unspecified` for those that are not used here, too. */
  readonly reason: string;
}

export interface ReadCrl {
  /** The issuer's common name. */
  readonly issuer: string;
  readonly number: number;
  readonly thisUpdate: WallTime;
  readonly nextUpdate: WallTime;
  readonly entries: readonly ReadCrlEntry[];
  /** This list alone, in PEM. */
  readonly pem: string;
  readonly isSignedBy: (publicKey: KeyObject) => boolean;
}

/** All lists of a PEM text in order. Fails with `certificate-invalid`. */
export function readCrls(pem: string): Result<readonly ReadCrl[]> {
  if (pem.length > CRL_CHARS_MAX) return refused("it is too long");
  const blocks = pem.match(new RegExp(`-----BEGIN ${CRL_LABEL}-----[^-]+-----END ${CRL_LABEL}-----`, "g"));
  if (blocks === null || blocks.length > LISTS_MAX)
    return refused(`expected 1 to ${LISTS_MAX} lists in PEM, found ${blocks?.length ?? 0}`);
  const lists: ReadCrl[] = [];
  for (const block of blocks) {
    const list = readCrl(block);
    if (list === undefined) return refused("a list cannot be decoded");
    if (new Set(list.entries.map(({ serial }) => serial)).size < list.entries.length)
      return refused("a serial number is on a list twice");
    lists.push(list);
  }
  return ok(lists);
}

const refused = (why: string): Result<never> =>
  failure("certificate-invalid", `not a revocation list: ${why}`);

function readCrl(pem: string): ReadCrl | undefined {
  const [whole, ...more] = readDer(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64")) ?? [];
  const parts = inside(whole, TAG.sequence);
  const [version, , issuer, from, until, ...rest] = inside(parts?.[0], TAG.sequence) ?? [];
  if (more.length > 0 || parts?.length !== 3 || version?.whole.equals(CRL_VERSION) !== true) return undefined;
  const hasEntries = rest[0]?.tag === TAG.sequence;
  const entries = hasEntries ? inside(rest[0], TAG.sequence)?.map(readEntry) : [];
  const number = readNumber(rest[hasEntries ? 1 : 0]);
  const name = commonName(issuer);
  const [thisUpdate, nextUpdate] = [timeOf(from), timeOf(until)];
  if (name === undefined || !ISSUER_SHAPE.test(name)) return undefined;
  if (thisUpdate === undefined || nextUpdate === undefined) return undefined;
  if (entries === undefined || number === undefined || rest.length > 2) return undefined;
  const read = entries.filter((entry) => entry !== undefined);
  if (read.length !== entries.length) return undefined;
  return {
    issuer: name,
    number,
    thisUpdate,
    nextUpdate,
    entries: read,
    pem: `${pem}\n`,
    isSignedBy: (publicKey) => isSignedBy(parts, publicKey),
  };
}

function readEntry(value: DerValue): ReadCrlEntry | undefined {
  const [serial, at, extensions] = inside(value, TAG.sequence) ?? [];
  const revoked = timeOf(at);
  if (serial?.tag !== TAG.integer || revoked === undefined) return undefined;
  const digits = serial.content.toString("hex").replace(/^(00)+(?=..)/, "");
  if (digits.length === 0 || digits.length > 2 * SERIAL_BYTES_MAX) return undefined;
  const code = extensionOf(extensions, OID.crlReason);
  const known = Object.entries(CRL_REASONS).find(([, number]) => code?.content.equals(Buffer.from([number])));
  return { serial: digits, at: revoked, reason: known?.[0] ?? "unspecified" };
}

function readNumber(extensions: DerValue | undefined): number | undefined {
  const [list] = inside(extensions, contextTag(0)) ?? [];
  const number = extensionOf(list, OID.crlNumber);
  if (number?.tag !== TAG.integer || number.content.length === 0 || number.content.length > 8)
    return undefined;
  const value = Number(BigInt(`0x${number.content.toString("hex")}`));
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The value of one extension of a list of them. */
function extensionOf(list: DerValue | undefined, oid: Buffer): DerValue | undefined {
  for (const each of inside(list, TAG.sequence) ?? []) {
    const [name, ...values] = inside(each, TAG.sequence) ?? [];
    const value = values.at(-1);
    if (name?.whole.equals(oid) === true && value !== undefined) return readDer(value.content)?.[0];
  }
  return undefined;
}

function commonName(name: DerValue | undefined): string | undefined {
  for (const relative of inside(name, TAG.sequence) ?? []) {
    for (const attribute of inside(relative, TAG.set) ?? []) {
      const [oid, value] = inside(attribute, TAG.sequence) ?? [];
      if (oid?.whole.equals(OID.commonName) === true && value !== undefined)
        return value.content.toString("utf8");
    }
  }
  return undefined;
}

function timeOf(value: DerValue | undefined): WallTime | undefined {
  const at = value === undefined ? undefined : readTime(value);
  return at === undefined ? undefined : wallTime(at);
}

const inside = (value: DerValue | undefined, tag: number): readonly DerValue[] | undefined =>
  value?.tag === tag ? readDer(value.content) : undefined;
