/** Issuing leaves: each is entered in the book before it leaves, so that all of a node's can be taken back. */
import type { KeyObject } from "node:crypto";
import { certificateFacts, parseCertificate } from "../adapters/pki/certificates.ts";
import { issueLeaf } from "../adapters/pki/issue.ts";
import { rootAbove } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { civilTime, type Duration, type WallTime } from "../kit/time.ts";
import { REVOCATION_SERIALS_MAX, type Roster, type RosterNode } from "../wire/roster.ts";
import { IssuedBook } from "./issued-book.ts";
import type { IssuedCertificate } from "./membership.ts";
import type { Signer } from "./signer.ts";

export interface LeafDeskOptions {
  readonly mesh: string;
  /** The key at work; fails where this node does not sign. */
  readonly signer: () => Result<Signer>;
  readonly roots: () => Roster["roots"];
  readonly clock: () => WallTime;
  /** Of what is issued. */
  readonly life: Duration;
}

/** Callers run one after the other what changes anything. */
export class LeafDesk {
  readonly #options: LeafDeskOptions;
  readonly #book: IssuedBook;

  private constructor(options: LeafDeskOptions, book: IssuedBook) {
    this.#options = options;
    this.#book = book;
  }

  static async load(folder: StateFolder, options: LeafDeskOptions): Promise<Result<LeafDesk>> {
    const book = await IssuedBook.load(folder);
    return book.ok ? ok(new LeafDesk(options, book.value)) : book;
  }

  /** In PEM. Fails with `limit-reached`, or with what the disk says. */
  async issue(
    node: string,
    key: KeyObject,
  ): Promise<Result<{ readonly pem: string; readonly facts: IssuedCertificate }>> {
    const { mesh, roots, clock, life } = this.#options;
    const signer = this.#options.signer();
    if (!signer.ok) return signer;
    const now = clock();
    const trusted = roots();
    const root = rootAbove(signer.value.certificate, trusted);
    const next = this.#book.nextAt(node, root, now);
    if (next !== undefined) {
      const message = "too many certificates of that node have not run out yet";
      return failure("limit-reached", message, `It can have the next one at ${civilTime(next)}.`, true);
    }
    const pem = await issueLeaf({ mesh, node }, key, signer.value, now, life);
    const parsed = parseCertificate(pem);
    if (!parsed.ok) return parsed;
    const facts = { ...certificateFacts(parsed.value), root };
    const pins = trusted.map(({ pin }) => pin);
    const entered = await this.#book.enter(node, facts, now, pins);
    return entered.ok ? ok({ pem, facts }) : entered;
  }

  /** Of all its certificates that have not run out, as far as this node knows: the last one is in the roster, too. */
  serialsOf({ id, certificateSerial }: RosterNode): readonly string[] {
    const listed = certificateSerial === undefined ? [] : [certificateSerial];
    const known = new Set([...listed, ...this.#book.serialsOf(id, this.#options.clock())]);
    return [...known].slice(-REVOCATION_SERIALS_MAX);
  }

  forget(node: string): Promise<Result<void>> {
    return this.#book.forget(node);
  }
}
