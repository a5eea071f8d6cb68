/** Every node's certificate as this node knows it: its own, what peers have shown, and what the roster says. */

import type { X509Certificate } from "node:crypto";
import { certificateFacts } from "../adapters/pki/certificates.ts";
import { certificateState, renewalDueAt } from "../core/pki/renewal.ts";
import { isoTime, type WallTime, wallTime } from "../kit/time.ts";
import type { CertificateReport } from "../wire/key-reports.ts";
import type { Roster, RosterNode } from "../wire/roster.ts";
import type { OwnCertificate } from "./own-certificate.ts";
import type { Renewal } from "./renewal.ts";

interface Known {
  readonly serial: string;
  readonly issuer?: string;
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
  readonly source: "own" | "session" | "roster";
}

export interface CertSources {
  readonly self: string;
  readonly own: OwnCertificate;
  readonly renewal: Renewal;
  readonly roster: Roster;
  /** By node: shown when its session began, which may be long ago. */
  readonly shown: ReadonlyMap<string, X509Certificate>;
  readonly wall: WallTime;
}

export const certificateReports = (sources: CertSources): readonly CertificateReport[] =>
  sources.roster.nodes.map((node) => {
    const isOwn = node.id === sources.self;
    const report = reportOf(
      node,
      isOwn ? { ...sources.own.facts, source: "own" } : knownOf(node, sources),
      sources.wall,
    );
    return isOwn ? { ...report, ...triesOf(sources.renewal) } : report;
  });

/** Of two the later one: a session may be older than the last renewal, and the roster too. */
function knownOf(node: RosterNode, { shown }: CertSources): Known | undefined {
  const leaf = shown.get(node.id);
  const seen: Known | undefined = leaf && { ...certificateFacts(leaf), source: "session" };
  const { certificateSerial: serial, certificateBegins: begins, certificateExpires: ends } = node;
  if (serial === undefined || begins === undefined || ends === undefined) return seen;
  const listed: Known = {
    serial,
    notBefore: wallTime(Date.parse(begins)),
    notAfter: wallTime(Date.parse(ends)),
    source: "roster",
  };
  return seen !== undefined && seen.notBefore >= listed.notBefore ? seen : listed;
}

function reportOf(node: RosterNode, known: Known | undefined, wall: WallTime): CertificateReport {
  const { name, id } = node;
  const none = { lastTry: null, nextTry: null };
  if (known === undefined) {
    const unseen = { serial: null, issuer: null, notBefore: null, notAfter: null, renewalDue: null };
    return { node: name, id, ...unseen, state: "unknown", source: "none", ...none };
  }
  return {
    node: name,
    id,
    serial: known.serial,
    issuer: known.issuer ?? null,
    notBefore: isoTime(known.notBefore),
    notAfter: isoTime(known.notAfter),
    state: certificateState(known, known.serial, wall),
    source: known.source,
    renewalDue: isoTime(renewalDueAt(known, known.serial)),
    ...none,
  };
}

function triesOf(renewal: Renewal): Pick<CertificateReport, "lastTry" | "nextTry"> {
  const last = renewal.lastTry();
  return {
    lastTry: last === undefined ? null : { at: isoTime(last.at), failure: last.failure?.message ?? null },
    nextTry: isoTime(renewal.nextTryAt()),
  };
}
