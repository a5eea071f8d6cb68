/** A state file that a node can watch without: what is damaged of it is put aside, and it begins anew. */
import type { StateFile, StateFolder } from "../adapters/state/folder.ts";
import type { ErrorCode } from "../kit/errors.ts";
import { type Failure, ok, type Result } from "../kit/result.ts";

/** What a bad disk or an editor does. Of what a newer release wrote, or another user owns, nothing is lost yet. */
const DAMAGE: readonly ErrorCode[] = ["state-corrupt", "internal"];

/** Callers run one after the other what changes anything. */
export class SpareFile<T> {
  readonly #folder: StateFolder;
  readonly #file: StateFile<T>;
  #damage: Failure | undefined;
  #isInPlace: boolean;

  private constructor(folder: StateFolder, file: StateFile<T>, damage: Failure | undefined) {
    this.#folder = folder;
    this.#file = file;
    this.#damage = damage;
    this.#isInPlace = damage !== undefined;
  }

  /** Changes nothing. Damaged, it counts as not there; fails only with what is not a damage. */
  static async open<T>(
    folder: StateFolder,
    file: StateFile<T>,
  ): Promise<Result<{ readonly file: SpareFile<T>; readonly content: T | undefined }>> {
    const read = await folder.readJson(file);
    if (read.ok) return ok({ file: new SpareFile(folder, file, undefined), content: read.value });
    if (!DAMAGE.includes(read.error.code)) return read;
    return ok({ file: new SpareFile(folder, file, read.error), content: undefined });
  }

  /** What was found wrong since the start, and where the file is now. */
  get damage(): Failure | undefined {
    return this.#damage;
  }

  /** Whoever looked into the content found some of it to make no sense. */
  spoilt(why: string): void {
    const { name, remedy } = this.#file;
    const message = `${this.#folder.path}/${name}: ${why}`;
    this.#damage = { code: "state-corrupt", message, remedy, retry: false };
    this.#isInPlace = true;
  }

  /** Where it is damaged and still in its place, it is kept under another name, and this is what is in its place. */
  async mend(content: T | undefined): Promise<Result<void>> {
    return this.#damage !== undefined && this.#isInPlace ? this.write(content) : ok(undefined);
  }

  async #copyAside(): Promise<Result<void>> {
    if (this.#damage === undefined || !this.#isInPlace) return ok(undefined);
    const copied = await this.#folder.copyAside(this.#file.name);
    if (!copied.ok) return copied;
    this.#isInPlace = false;
    const kept = copied.value === undefined ? "it is gone since" : `it is now ${copied.value}`;
    this.#damage = { ...this.#damage, message: `${this.#damage.message}; ${kept}` };
    return ok(undefined);
  }

  /** Undefined: there is none any more. */
  async write(content: T | undefined): Promise<Result<void>> {
    const aside = await this.#copyAside();
    if (!aside.ok) return aside;
    return content === undefined
      ? this.#folder.remove(this.#file.name)
      : this.#folder.writeJson(this.#file, content);
  }
}
