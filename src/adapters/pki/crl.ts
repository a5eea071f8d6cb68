/**
 * Making certificate revocation lists (RFC 5280 section 5) by hand, for tools other than Balefire: the
 * mesh itself goes by the roster. The certificate library makes them as well, but over a thousand entries
 * it takes ten times as long: more than a beat may wait.
 */
import { X509Certificate } from "node:crypto";
import { assert } from "../../kit/assert.ts";
import { type Duration, days, minutes, type WallTime } from "../../kit/time.ts";
import {
  contextPlainTag,
  contextTag,
  type DerValue,
  der,
  derInteger,
  derTime,
  pemOf,
  readDer,
  TAG,
} from "./der.ts";
import type { Issuer } from "./issue.ts";
import { ECDSA_SHA256, signedDer } from "./signed-der.ts";

/** Until then other tools may go by a signer's list. */
export const CRL_LIFE: Duration = days(30);
/** A host whose clock is a little behind takes a list for "not yet valid", and with it refuses everyone. */
const BACKDATED: Duration = minutes(5);
/** The one that OpenSSL and everything else that reads PEM expects. */
export const CRL_LABEL = "X509 CRL";

/** RFC 5280 section 5.3.1, those that are used here, by their numbers. */
export const CRL_REASONS = {
  keyCompromise: 1,
  cACompromise: 2,
  superseded: 4,
  cessationOfOperation: 5,
} as const;
export type CrlReason = keyof typeof CRL_REASONS;

export interface CrlEntry {
  /** Hex. */
  readonly serial: string;
  readonly at: WallTime;
  readonly reason: CrlReason;
}

/** Object identifiers (X.520, RFC 5280), tag and length included. */
export const OID: Readonly<
  Record<"commonName" | "subjectKeyIdentifier" | "crlNumber" | "crlReason" | "authorityKeyIdentifier", Buffer>
> = {
  commonName: Buffer.from("0603550403", "hex"),
  subjectKeyIdentifier: Buffer.from("0603551d0e", "hex"),
  crlNumber: Buffer.from("0603551d14", "hex"),
  crlReason: Buffer.from("0603551d15", "hex"),
  authorityKeyIdentifier: Buffer.from("0603551d23", "hex"),
};

/** Version 2, as INTEGER. */
export const CRL_VERSION: Buffer = Buffer.from("020101", "hex");

/** What a signer has issued and its mesh takes back, for 30 days; in PEM. `number` must grow from list to list. */
export const signerCrl = (
  signer: Issuer,
  entries: readonly CrlEntry[],
  number: number,
  now: WallTime,
): string => makeCrl(signer, entries, number, { from: now, until: now + CRL_LIFE });

/**
 * The signers that a root takes back, in PEM. Its key is sealed, so that nobody could make the next one
 * in time: the list holds as long as the root.
 */
export const rootCrl = (
  root: Issuer,
  entries: readonly CrlEntry[],
  number: number,
  now: WallTime,
): string => {
  const until = new X509Certificate(root.certificate).validToDate.getTime();
  return makeCrl(root, entries, number, { from: now, until });
};

function makeCrl(
  issuer: Issuer,
  entries: readonly CrlEntry[],
  number: number,
  { from, until }: { readonly from: number; readonly until: number },
): string {
  const { subject, keyId } = issuerFields(new X509Certificate(issuer.certificate));
  // RFC 5280 section 5.1.2.6: the list of nothing is absent, not empty.
  const revoked = entries.length === 0 ? [] : [der(TAG.sequence, ...entries.map(entryDer))];
  const content = der(
    TAG.sequence,
    CRL_VERSION,
    ECDSA_SHA256,
    subject,
    derTime(from - BACKDATED),
    derTime(until),
    ...revoked,
    der(contextTag(0), der(TAG.sequence, authorityKeyIdentifier(keyId), crlNumber(number))),
  );
  return pemOf(CRL_LABEL, signedDer(content, issuer.key));
}

const entryDer = ({ serial, at, reason }: CrlEntry): Buffer =>
  der(
    TAG.sequence,
    derInteger(Buffer.from(serial.padStart(serial.length + (serial.length % 2), "0"), "hex")),
    derTime(at),
    der(TAG.sequence, extension(OID.crlReason, der(TAG.enumerated, Buffer.from([CRL_REASONS[reason]])))),
  );

const extension = (oid: Buffer, value: Buffer): Buffer => der(TAG.sequence, oid, der(TAG.octetString, value));

/** `[0]` inside: the key's identifier, without the issuer's own serial number. */
const authorityKeyIdentifier = (keyId: Buffer): Buffer =>
  extension(OID.authorityKeyIdentifier, der(TAG.sequence, der(contextPlainTag(0), keyId)));

function crlNumber(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return extension(OID.crlNumber, derInteger(bytes));
}

/** Where a certificate's content has its values, counted behind the version. */
const SUBJECT = 4;
const EXTENSIONS_TAG = contextTag(3);

/** An issuer's name and the identifier of its key, as they stand in its certificate. */
function issuerFields(certificate: X509Certificate): { readonly subject: Buffer; readonly keyId: Buffer } {
  const [, ...fields] = inside(inside(readDer(certificate.raw)?.[0])[0]);
  const subject = fields[SUBJECT]?.whole;
  const extensions = inside(inside(fields.find(({ tag }) => tag === EXTENSIONS_TAG))[0]);
  const keyId = extensions
    .map((each) => inside(each))
    .find(([oid]) => oid?.whole.equals(OID.subjectKeyIdentifier))
    ?.at(-1);
  const value = keyId === undefined ? undefined : readDer(keyId.content)?.[0]?.content;
  assert(subject !== undefined && value !== undefined, "an issuer's certificate has a name and a key id");
  return { subject, keyId: value };
}

const inside = (value: DerValue | undefined): readonly DerValue[] =>
  value === undefined ? [] : (readDer(value.content) ?? []);
