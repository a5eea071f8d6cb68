/** Results of `crl show`, as `--json` prints them. */

export interface CrlEntryReport {
  /** Of the certificate that is taken back, in hex. */
  readonly serial: string;
  /** Whose it was: a node's name; null where the roster has forgotten. */
  readonly node: string | null;
  readonly at: string;
  /** As RFC 5280 section 5.3.1 has them: `keyCompromise`, `cessationOfOperation`. */
  readonly reason: string;
}
export interface CrlListReport {
  /** Name of who signed it, as its certificate has it. */
  readonly issuer: string;
  readonly number: number;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  readonly entries: readonly CrlEntryReport[];
}
export interface CrlRootReport {
  /** Pin of its key: its lists are at `/pki/crl/<root>.pem`. */
  readonly root: string;
  readonly lists: readonly CrlListReport[];
  /** All of them, one after the other. */
  readonly pem: string;
}
export interface CrlsReport {
  readonly schema: 1;
  readonly roots: readonly CrlRootReport[];
}
