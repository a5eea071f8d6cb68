/** Results of the verbs about certificates and membership, as `--json` prints them. */
import type { RosterRank } from "../core/types.ts";

export interface CertificateReport {
  /** The node's name. */
  readonly node: string;
  readonly id: string;
  /** Hex; null where this node has not seen the certificate. */
  readonly serial: string | null;
  readonly issuer: string | null;
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** `late`: less than a third of its life is left. `unknown`: this node has not seen it. */
  readonly state: "early" | "valid" | "due" | "late" | "expired" | "unknown";
  /** How this node knows: its own file, what the peer has shown, or the roster. */
  readonly source: "own" | "session" | "roster" | "none";
  /** When its renewal is due. */
  readonly renewalDue: string | null;
  /** Of this node's own: the last try of this daemon, and the next. */
  readonly lastTry: { readonly at: string; readonly failure: string | null } | null;
  readonly nextTry: string | null;
}
export interface CertsReport {
  readonly schema: 1;
  readonly certificates: readonly CertificateReport[];
}
export interface CertsRenewReport {
  readonly schema: 1;
  readonly node: string;
  readonly serial: string;
  readonly notAfter: string;
}

/** Which nodes hold the new roster, a moment after it was signed. */
export interface SpreadReport extends RosterRank {
  /** Names of nodes. */
  readonly reached: readonly string[];
  readonly waiting: readonly string[];
}
export interface NodeRemoveReport extends SpreadReport {
  readonly schema: 1;
  readonly node: string;
  readonly id: string;
  readonly suspected: boolean;
}
export interface NodeReaddressReport extends SpreadReport {
  readonly schema: 1;
  readonly node: string;
  readonly id: string;
  readonly addresses: readonly string[];
}
