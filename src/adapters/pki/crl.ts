/**
 * Making certificate revocation lists (RFC 5280 section 5) by hand, for tools other than Balefire: the
 * mesh itself goes by the roster. Certificate libraries take ten times as long over a thousand entries: more
 * than a beat may wait.
 */
import { X509Certificate } from "node:crypto";
import { type Duration, days, minutes, type WallTime } from "../../kit/time.ts";
import { contextTag, der, derInteger, derTime, pemOf, TAG } from "./der.ts";
import { ECDSA_SHA256, signedDer } from "./signed-der.ts";
import { authorityKeyIdentifier, extension, type Issuer, issuerFields, OID } from "./x509-parts.ts";

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
  const { subject, keyId } = issuerFields(issuer.certificate);
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

function crlNumber(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return extension(OID.crlNumber, derInteger(bytes));
}
