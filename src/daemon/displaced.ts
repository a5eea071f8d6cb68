/** Rosters this node went by that have lost, in `displaced.json`, until the new keymaster has them. */
import type { StateFolder } from "../adapters/state/folder.ts";
import { ok, type Result } from "../kit/result.ts";
import { encodeSigned, type ParsedRoster, rosterHash, type SignedRoster } from "../wire/roster.ts";
import { Serial } from "./serial.ts";
import { DISPLACED_FILE } from "./state-files.ts";

/** A roster may be a megabyte; a mesh where more have lost one after the other has told of the first ones before. */
const DISPLACED_MAX = 4;
/** So that the file stays readable, whose quotes are escaped. */
const DISPLACED_CHARS_MAX = 2_000_000;

/** Callers of `keep` and `forget` need not wait for one another. */
export class DisplacedBook {
  readonly #folder: StateFolder;
  readonly #serial = new Serial();
  #rosters: readonly SignedRoster[];

  private constructor(folder: StateFolder, rosters: readonly SignedRoster[]) {
    this.#folder = folder;
    this.#rosters = rosters;
  }

  static async load(folder: StateFolder): Promise<Result<DisplacedBook>> {
    const file = await folder.readJson(DISPLACED_FILE);
    return file.ok ? ok(new DisplacedBook(folder, file.value?.rosters ?? [])) : file;
  }

  /** Oldest first. */
  list(): readonly SignedRoster[] {
    return this.#rosters;
  }

  /** On disk when it resolves to ok. */
  keep({ signed }: Pick<ParsedRoster, "signed">): Promise<Result<void>> {
    return this.#serial.run(async () => {
      if (this.#rosters.some(({ body }) => body === signed.body)) return ok(undefined);
      const all = [...this.#rosters, signed].slice(-DISPLACED_MAX);
      return this.#replace(all.filter((_, at) => lengthOf(all.slice(at)) <= DISPLACED_CHARS_MAX));
    });
  }

  /** The keymaster has it. */
  forget(hash: string): Promise<Result<void>> {
    return this.#serial.run(() =>
      this.#replace(this.#rosters.filter(({ body }) => rosterHash(body) !== hash)),
    );
  }

  async #replace(rosters: readonly SignedRoster[]): Promise<Result<void>> {
    const written =
      rosters.length === 0
        ? await this.#folder.remove(DISPLACED_FILE.name)
        : await this.#folder.writeJson(DISPLACED_FILE, { rosters });
    if (written.ok) this.#rosters = rosters;
    return written;
  }
}

const lengthOf = (rosters: readonly SignedRoster[]): number =>
  rosters.reduce((sum, signed) => sum + encodeSigned(signed).length, 0);
