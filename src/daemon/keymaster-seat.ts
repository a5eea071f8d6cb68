/** Whether this node signs: it changes with the roster, while the daemon runs. */
import type { StateFolder } from "../adapters/state/folder.ts";
import { type Failure, ok, type Result } from "../kit/result.ts";
import type { Keymaster } from "./keymaster.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { Serial } from "./serial.ts";
import {
  certifiedBy,
  findSigner,
  installSigner,
  makePendingSigner,
  noSigner,
  pendingSigner,
  type Signer,
  type SigningKey,
} from "./signer.ts";
import { isDamage, isUnread } from "./spare-file.ts";
import { SIGNER_CERTIFICATE_FILE } from "./state-files.ts";

export type SeatListener = (keymaster: Keymaster | undefined) => void;

export class KeymasterSeat {
  readonly #folder: StateFolder;
  readonly #keeper: RosterKeeper;
  readonly #office: Keymaster;
  readonly #serial = new Serial();
  readonly #listeners = new Set<SeatListener>();
  #taken: boolean;
  /** What is wrong with the files of a signing key that this node does not need now. */
  #trouble: Failure | undefined;

  private constructor(folder: StateFolder, keeper: RosterKeeper, office: Keymaster) {
    this.#folder = folder;
    this.#keeper = keeper;
    this.#office = office;
    this.#taken = office.signs();
    keeper.onChange(() => {
      this.#look();
      void this.settle();
    });
  }

  /**
   * Changes nothing. A node that signs needs its key: fails with `state-missing`, `state-corrupt` or
   * `state-permissions`, naming the file.
   */
  static async load(
    folder: StateFolder,
    self: string,
    keeper: RosterKeeper,
    office: Keymaster,
  ): Promise<Result<KeymasterSeat>> {
    const { roster } = keeper.current();
    const found = await findSigner(folder, roster);
    const isNeeded = roster.keymaster === self;
    if (isNeeded && !found.ok) return found;
    if (isNeeded && found.ok && found.value === undefined) return noSigner(folder);
    office.useSigner(found.ok ? found.value : undefined);
    const seat = new KeymasterSeat(folder, keeper, office);
    if (!found.ok) seat.#trouble = found.error;
    return ok(seat);
  }

  /** The keymaster, while that is this node. */
  current(): Keymaster | undefined {
    return this.#office.signs() ? this.#office : undefined;
  }

  /** What this node would sign with, though it may not sign now. For who opens a term. */
  get office(): Keymaster {
    return this.#office;
  }

  /** Called when this node begins to sign, or ceases to. Returns how to stop it. */
  onChange(listener: SeatListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The key of this node that the roster lets take over. Fails with what is wrong with its files. */
  standby(): Result<Signer | undefined> {
    const { signer } = this.#office;
    if (signer === undefined)
      return this.#trouble === undefined ? ok(undefined) : { ok: false, error: this.#trouble };
    return ok(certifiedBy(this.#keeper.current().roster, signer) === undefined ? undefined : signer);
  }

  /** The key that waits for a certificate; one is made where there is none. It never leaves this host. */
  pendingKey(): Promise<Result<SigningKey>> {
    return this.#serial.run(async () => {
      const found = await pendingSigner(this.#folder);
      // The roster may have its certificate by now: only what is worth nothing is written over.
      if (!found.ok && !isDamage(found.error)) return found;
      if (!found.ok || found.value === undefined || this.#isRevoked(found.value.pin))
        return makePendingSigner(this.#folder);
      return ok(found.value);
    });
  }

  /** Another certificate of the key in use, by another root: from now on it goes with what is issued. */
  recertify(certificate: string): Promise<Result<void>> {
    return this.#serial.run(async () => {
      const { signer } = this.#office;
      if (signer === undefined) return noSigner(this.#folder);
      const written = await this.#folder.writeText(SIGNER_CERTIFICATE_FILE, certificate);
      if (written.ok) this.#office.useSigner({ ...signer, certificate });
      return written;
    });
  }

  /**
   * Brings the disk to where the roster is: a key whose certificate has come is installed, and the join
   * tokens of a node that does not sign are void. Done at the start and after every roster.
   */
  settle(): Promise<Result<void>> {
    return this.#serial.run(async () => {
      await this.#findAgain();
      const installed = await this.#install();
      if (!installed.ok) return installed;
      if (this.#office.signs()) return ok(undefined);
      const voided = await this.#office.voidTokens();
      return voided.ok ? ok(undefined) : voided;
    });
  }

  /** What could not be read at the start may be readable now. */
  async #findAgain(): Promise<void> {
    if (this.#trouble === undefined || !isUnread(this.#trouble)) return;
    const found = await findSigner(this.#folder, this.#keeper.current().roster);
    this.#trouble = found.ok ? undefined : found.error;
    if (found.ok) this.#office.useSigner(found.value);
    this.#look();
  }

  async #install(): Promise<Result<void>> {
    const pending = await pendingSigner(this.#folder);
    if (!pending.ok) return this.#office.signer === undefined ? pending : ok(undefined);
    if (pending.value === undefined) return ok(undefined);
    const certified = certifiedBy(this.#keeper.current().roster, pending.value);
    if (certified === undefined) return ok(undefined);
    const installed = await installSigner(this.#folder, certified);
    if (!installed.ok) return installed;
    this.#trouble = undefined;
    this.#office.useSigner(certified);
    this.#look();
    return ok(undefined);
  }

  #isRevoked(pin: string): boolean {
    const { revoked, opening } = this.#keeper.current().roster;
    return opening.voids.includes(pin) || revoked.some((entry) => entry.pin === pin);
  }

  #look(): void {
    const current = this.current();
    if ((current !== undefined) === this.#taken) return;
    this.#taken = current !== undefined;
    for (const listener of this.#listeners) listener(current);
  }
}
