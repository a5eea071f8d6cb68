/** This node's signing key at work: whatever it signs is adopted here first, the way everybody does. */
import { signRoster } from "../adapters/pki/roster-signature.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { isoTime, type WallTime } from "../kit/time.ts";
import type { ParsedRoster, Roster } from "../wire/roster.ts";
import { nextCrls } from "./crl-desk.ts";
import { type IssuedCertificate, withCertificates } from "./membership.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { nextRoster, type RosterChanges } from "./roster-next.ts";
import { openTerm, type TermChanges, type TermRight } from "./roster-open.ts";
import { asIssuer, type Signer } from "./signer.ts";

/** What the next roster changes, or why there is none. Called with the roster that it builds on. */
export type RosterEdit = (roster: Roster) => Result<RosterChanges>;
export type TermEdit = (roster: Roster) => Result<TermChanges>;

/** Callers run one after the other what publishes or opens. */
export class SigningDesk {
  readonly #self: string;
  readonly #keeper: RosterKeeper;
  readonly #clock: () => WallTime;
  /** Issued since the roster was last signed, by node. */
  readonly #issued = new Map<string, IssuedCertificate>();
  #signer: Signer | undefined;

  /** `self`: this node's id. */
  constructor(self: string, keeper: RosterKeeper, clock: () => WallTime) {
    this.#self = self;
    this.#keeper = keeper;
    this.#clock = clock;
  }

  /** The key this node would sign with, whether or not it may now. */
  get signer(): Signer | undefined {
    return this.#signer;
  }

  use(signer: Signer | undefined): void {
    this.#signer = signer;
  }

  /** The roster is signed by this node, with this key: the next one is for it to sign, too. */
  signs(): boolean {
    const { roster, signed } = this.#keeper.current();
    return roster.keymaster === this.#self && signed.signer === this.#signer?.pin;
  }

  /** The key to sign with, while that is this node's to do. Fails with `not-keymaster`. */
  atWork(): Result<Signer> {
    if (this.#signer === undefined || !this.signs()) return notSigner();
    return ok(asIssuer(this.#keeper.current().roster, this.#signer));
  }

  /** Of what was issued and is not in the roster yet. */
  issuedTo(node: string): IssuedCertificate | undefined {
    return this.#issued.get(node);
  }

  hasNews(): boolean {
    return this.#issued.size > 0;
  }

  /** To be entered in the next roster. */
  note(node: string, certificate: IssuedCertificate): void {
    this.#issued.set(node, certificate);
  }

  forget(node: string): void {
    this.#issued.delete(node);
  }

  /** The next roster of this term. Fails with `not-keymaster`, with what `edit` says, or what the disk does. */
  async publish(edit: RosterEdit): Promise<Result<ParsedRoster>> {
    const signer = this.atWork();
    if (!signer.ok) return signer;
    const current = this.#keeper.current();
    const changes = edit(current.roster);
    if (!changes.ok) return changes;
    const nodes = withCertificates(changes.value.nodes ?? current.roster.nodes, this.#issued);
    const next = nextRoster(current, { ...changes.value, nodes }, isoTime(this.#clock()));
    const signed = this.#sign(next, signer.value);
    return signed.ok ? this.#adopt(signed.value) : signed;
  }

  /**
   * The first roster of a new term, which `signer` signs from then on: this node's key, wherever it was at
   * work before. Nothing has changed when it fails. `around` is given the roster that it builds on once
   * nothing but the disk can refuse the new one.
   */
  async openTerm(
    right: TermRight,
    edit: TermEdit,
    signer: Signer,
    around: (base: ParsedRoster, open: () => Promise<Result<ParsedRoster>>) => Promise<Result<ParsedRoster>>,
  ): Promise<Result<ParsedRoster>> {
    const current = this.#keeper.current();
    const changes = edit(current.roster);
    if (!changes.ok) return changes;
    const nodes = withCertificates(changes.value.nodes ?? current.roster.nodes, this.#issued);
    const changed = { ...changes.value, nodes, keymaster: this.#self };
    const signed = this.#sign(openTerm(current, right, changed, isoTime(this.#clock())), signer);
    if (!signed.ok) return signed;
    return around(current, async () => {
      const before = this.#signer;
      // Whoever hears of the new roster finds the key in use.
      this.#signer = signer;
      const adopted = await this.#adopt(signed.value);
      if (!adopted.ok) this.#signer = before;
      return adopted;
    });
  }

  /** Due, in the roster held now. */
  listsAreDue(): boolean {
    const { roster } = this.#keeper.current();
    const signer = this.atWork();
    return signer.ok && nextCrls(roster, signer.value, this.#clock()) !== roster.crls;
  }

  #sign(next: Roster, signer: Signer): Result<ParsedRoster> {
    const roster = { ...next, crls: nextCrls(next, signer, this.#clock()) };
    return signRoster(roster, signer.key, signer.pin);
  }

  async #adopt(signed: ParsedRoster): Promise<Result<ParsedRoster>> {
    const adopted = await this.#keeper.consider(signed.encoded, "own");
    if (!adopted.ok) return adopted;
    this.#issued.clear();
    return ok(signed);
  }
}

const notSigner = (): Result<never> =>
  failure("not-keymaster", "another node has become keymaster", "Run this on the keymaster.");
