/** Rosters this node went by that have lost, in `displaced.json`, until the new keymaster has them. */
import type { StateFolder } from "../adapters/state/folder.ts";
import { type Failure, ok, type Result } from "../kit/result.ts";
import { encodeSigned, type ParsedRoster, rosterHash, type SignedRoster } from "../wire/roster.ts";
import { isTooMuch } from "./lost-rosters.ts";
import { Serial } from "./serial.ts";
import { SpareFile } from "./spare-file.ts";
import { DISPLACED_FILE } from "./state-files.ts";

type Content = { readonly rosters: readonly SignedRoster[] };
type GivenUpListener = (lost: SignedRoster) => void;

/** Callers need not wait for one another. */
export class DisplacedBook {
  readonly #file: SpareFile<Content>;
  readonly #serial = new Serial();
  readonly #listeners = new Set<GivenUpListener>();
  #rosters: readonly SignedRoster[];

  private constructor(file: SpareFile<Content>, rosters: readonly SignedRoster[]) {
    this.#file = file;
    this.#rosters = rosters;
  }

  static async load(folder: StateFolder): Promise<Result<DisplacedBook>> {
    const opened = await SpareFile.open(folder, DISPLACED_FILE);
    if (!opened.ok) return opened;
    const { file, content } = opened.value;
    return ok(new DisplacedBook(file, content?.rosters ?? []));
  }

  /** Oldest first. */
  list(): readonly SignedRoster[] {
    return this.#rosters;
  }

  /** What was found damaged. */
  damage(): readonly Failure[] {
    return this.#file.damage === undefined ? [] : [this.#file.damage];
  }

  /** What could not be read until now is read. Fails, to be tried again, where it still cannot be. */
  putAsideDamaged(): Promise<Result<void>> {
    return this.#change(() => this.#file.mend(contentOf(this.#rosters)));
  }

  /** Called with each roster that has to give way to later ones. */
  onGivenUp(listener: GivenUpListener): void {
    this.#listeners.add(listener);
  }

  /** On disk when it resolves to ok. It is never full: a node must be able to go over to what won. */
  keep({ signed }: Pick<ParsedRoster, "signed">): Promise<Result<void>> {
    return this.#change(async () => {
      if (this.#rosters.some(({ body }) => body === signed.body)) return ok(undefined);
      const all = [...this.#rosters, signed];
      const from = all.findIndex((_, at) => !isTooMuch(all.slice(at).map(lengthOf)));
      const written = await this.#replace(all.slice(from));
      if (!written.ok) return written;
      for (const lost of all.slice(0, from)) for (const listener of this.#listeners) listener(lost);
      return written;
    });
  }

  /** The keymaster has it. */
  forget(hash: string): Promise<Result<void>> {
    return this.#change(() => this.#replace(this.#rosters.filter(({ body }) => rosterHash(body) !== hash)));
  }

  #change(operation: () => Promise<Result<void>>): Promise<Result<void>> {
    return this.#serial.run(async () => {
      const read = await this.#file.readAgain();
      if (!read.ok) return read;
      if (read.value !== undefined) this.#rosters = read.value.content?.rosters ?? [];
      return operation();
    });
  }

  async #replace(rosters: readonly SignedRoster[]): Promise<Result<void>> {
    const written = await this.#file.write(contentOf(rosters));
    if (written.ok) this.#rosters = rosters;
    return written;
  }
}

const contentOf = (rosters: readonly SignedRoster[]): Content | undefined =>
  rosters.length === 0 ? undefined : { rosters };

const lengthOf = (signed: SignedRoster): number => encodeSigned(signed).length;
