/** A state file that a node can watch without: what is damaged of it is put aside, and it begins anew. */
import type { StateFile, StateFolder } from "../adapters/state/folder.ts";
import { type Failure, fail, ok, type Result } from "../kit/result.ts";

/** What was read is wrong, as after a bad disk or an editor. */
export const isDamage = ({ code }: Failure): boolean => code === "state-corrupt";
/** Nobody knows what is in it: the disk, or too many open files, kept it from being read. */
export const isUnread = ({ code, retry }: Failure): boolean => code === "internal" && retry;

/** Callers run one after the other what changes anything. */
export class SpareFile<T> {
  readonly #folder: StateFolder;
  readonly #file: StateFile<T>;
  #damage: Failure | undefined;
  #isInPlace = false;
  #isUnread = false;

  private constructor(folder: StateFolder, file: StateFile<T>) {
    this.#folder = folder;
    this.#file = file;
  }

  /**
   * Changes nothing. Damaged, it counts as not there, and so does one that could not be read, until
   * `readAgain` has it. Fails with what is neither: of what a newer release wrote, or another user owns,
   * nothing is lost yet.
   */
  static async open<T>(
    folder: StateFolder,
    file: StateFile<T>,
  ): Promise<Result<{ readonly file: SpareFile<T>; readonly content: T | undefined }>> {
    const spare = new SpareFile(folder, file);
    const read = await spare.#read();
    if (!read.ok && !isUnread(read.error)) return read;
    return ok({ file: spare, content: read.ok ? read.value : undefined });
  }

  /** What was found wrong since the start, and where the file is now. */
  get damage(): Failure | undefined {
    return this.#damage;
  }

  /**
   * The content, where it could not be read until now; undefined where it was. To be called before each
   * change: what nobody has read is not written over. Fails while it still cannot be read.
   */
  async readAgain(): Promise<Result<{ readonly content: T | undefined } | undefined>> {
    if (!this.#isUnread) return ok(undefined);
    const read = await this.#read();
    return read.ok ? ok({ content: read.value }) : read;
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
    return this.#isInPlace ? this.write(content) : ok(undefined);
  }

  /** Undefined: there is none any more. */
  async write(content: T | undefined): Promise<Result<void>> {
    if (this.#isUnread && this.#damage !== undefined) return fail(this.#damage);
    const aside = await this.#copyAside();
    if (!aside.ok) return aside;
    return content === undefined
      ? this.#folder.remove(this.#file.name)
      : this.#folder.writeJson(this.#file, content);
  }

  async #read(): Promise<Result<T | undefined>> {
    const read = await this.#folder.readJson(this.#file);
    this.#isInPlace = !read.ok && isDamage(read.error);
    this.#isUnread = !read.ok && !this.#isInPlace;
    this.#damage = read.ok ? undefined : withLastResort(read.error);
    if (this.#damage === undefined) return read;
    return this.#isUnread ? fail(this.#damage) : ok(undefined);
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
}

function withLastResort(error: Failure): Failure {
  if (!isUnread(error)) return error;
  return {
    ...error,
    remedy: `${error.remedy ?? ""} It is tried again; moved away, the file begins anew.`.trim(),
  };
}
