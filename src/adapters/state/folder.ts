/**
 * The state folder. Every file is replaced atomically (temporary file, fsync, rename,
 * fsync of the folder) and readable by its owner only. JSON files carry a checksum, so
 * that what a disk or an editor did to them is said by name instead of being believed.
 */
import { createHash } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { failure, ok, type Result } from "../../kit/result.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** The largest is the roster: 1 MiB, its quotes escaped once more. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;
/** Beside each file; more say no more about the disk. */
const DAMAGED_FILES_KEPT = 4;

/** A JSON file as it lies on disk; `sha256` is over `JSON.stringify(content)`. */
interface FileEnvelope {
  readonly kind: string;
  readonly version: number;
  readonly sha256: string;
  readonly content: unknown;
}
const fileEnvelope: z.ZodType<FileEnvelope> = z.object({
  kind: z.string(),
  version: z.number().int(),
  sha256: z.string(),
  content: z.unknown(),
});

/** How one JSON file is read and written. `remedy` is what to do when it is damaged. */
export interface StateFile<T> {
  readonly name: string;
  readonly kind: string;
  readonly shape: z.ZodType<T>;
  readonly remedy: string;
  /** It holds a key: refused while others can read it. */
  readonly secret?: true;
}

/**
 * Called with a name after each step that changes the disk. Exists so that tests can end the
 * process at every one of them; nothing else may depend on it.
 */
export type Checkpoint = (step: string) => void;

const VERSION = 1;

/** Node's own recursive mkdir never ends where the kernel says ENOENT for ever, as in /proc. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolders(dirname(path));
    await mkdir(path, { mode: FOLDER_MODE });
  }
}

export class StateFolder {
  readonly path: string;
  readonly #checkpoint: Checkpoint;

  constructor(path: string, checkpoint: Checkpoint = () => {}) {
    this.path = path;
    this.#checkpoint = checkpoint;
  }

  /** Makes the folder, or checks that nobody else can write into it. */
  async prepare(): Promise<Result<void>> {
    try {
      await makeFolders(this.path);
    } catch (error) {
      return this.#unusable(`cannot create ${this.path}`, error);
    }
    return this.check();
  }

  /** Fails with `state-missing`, `state-permissions` or `permission-denied`. */
  async check(): Promise<Result<void>> {
    try {
      const found = await stat(this.path);
      if (!found.isDirectory()) return failure("state-corrupt", `${this.path} is not a folder`);
      if ((found.mode & 0o022) === 0) return ok(undefined);
    } catch (error) {
      if (codeOf(error) === "ENOENT") {
        return failure(
          "state-missing",
          `${this.path} does not exist`,
          "Run `balefire init` or `balefire join`.",
        );
      }
      return this.#unusable(`cannot read ${this.path}`, error);
    }
    return failure("state-permissions", `${this.path} can be written by others`, `chmod 700 ${this.path}`);
  }

  /** The file's text; undefined when it does not exist. */
  async readText(name: string): Promise<Result<string | undefined>> {
    const path = join(this.path, name);
    try {
      const size = (await stat(path)).size;
      if (size > FILE_BYTES_MAX) return failure("state-corrupt", `${path}: ${size} bytes cannot be right`);
      return ok(await readFile(path, "utf8"));
    } catch (error) {
      return codeOf(error) === "ENOENT" ? ok(undefined) : this.#unusable(`cannot read ${path}`, error);
    }
  }

  /** As readText, but refuses a key that others can read. */
  async readSecret(name: string): Promise<Result<string | undefined>> {
    const path = join(this.path, name);
    const mode = await stat(path).then(
      (found) => found.mode,
      () => 0,
    );
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, "0");
      return failure("state-permissions", `${path} is open to others (mode ${shown})`, `chmod 600 ${path}`);
    }
    return this.readText(name);
  }

  /** The checked content; undefined when the file does not exist. Fails with `state-corrupt` naming the file. */
  async readJson<T>(file: StateFile<T>): Promise<Result<T | undefined>> {
    const text = file.secret ? await this.readSecret(file.name) : await this.readText(file.name);
    if (!text.ok || text.value === undefined) return text as Result<undefined>;
    const envelope = fileEnvelope.safeParse(jsonOf(text.value));
    if (!envelope.success) return this.#damaged(file, "it is torn, or not a Balefire state file");
    const { kind, version, sha256, content } = envelope.data;
    if (kind !== file.kind) return this.#damaged(file, "it is another kind of file");
    if (version > VERSION) {
      const message = `${join(this.path, file.name)}: written by a newer release`;
      return failure("version-unsupported", message, "Update Balefire on this host.");
    }
    if (digest(content) !== sha256) return this.#damaged(file, "its checksum does not match its content");
    const parsed = file.shape.safeParse(content);
    return parsed.success ? ok(parsed.data) : this.#damaged(file, "its content makes no sense");
  }

  async writeJson<T>(file: StateFile<T>, content: T): Promise<Result<void>> {
    const envelope: FileEnvelope = { kind: file.kind, version: VERSION, sha256: digest(content), content };
    return this.writeText(file.name, `${JSON.stringify(envelope, undefined, 1)}\n`);
  }

  /** Atomic and durable when it resolves to ok. */
  async writeText(name: string, text: string): Promise<Result<void>> {
    const path = join(this.path, name);
    const temporary = `${path}.tmp`;
    try {
      const handle = await open(temporary, "w", FILE_MODE);
      try {
        await handle.chmod(FILE_MODE);
        await handle.writeFile(text);
        this.#checkpoint(`written ${name}`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
      this.#checkpoint(`renamed ${name}`);
      await this.#syncFolder();
      return ok(undefined);
    } catch (error) {
      return this.#unusable(`cannot write ${path}`, error);
    }
  }

  async remove(name: string): Promise<Result<void>> {
    const path = join(this.path, name);
    try {
      await rm(path, { force: true });
      this.#checkpoint(`removed ${name}`);
      await this.#syncFolder();
      return ok(undefined);
    } catch (error) {
      return this.#unusable(`cannot remove ${path}`, error);
    }
  }

  /**
   * A damaged file is kept for a person to look at, under another name too; gives that, or nothing where the file
   * is gone. Of those names the last one gives way where all are taken. The file itself stays until it is
   * written or removed: what is good in it must not be missing in between.
   */
  async copyAside(name: string): Promise<Result<string | undefined>> {
    const names = Array.from({ length: DAMAGED_FILES_KEPT }, (_, index) => `${name}.damaged-${index + 1}`);
    let aside = "";
    for (aside of names) if (!(await this.exists(aside))) break;
    const path = join(this.path, name);
    try {
      await rm(join(this.path, aside), { force: true });
      await link(path, join(this.path, aside));
      this.#checkpoint(`put aside ${name}`);
      await this.#syncFolder();
      return ok(aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return ok(undefined);
      return this.#unusable(`cannot put aside ${path}`, error);
    }
  }

  async exists(name: string): Promise<boolean> {
    return stat(join(this.path, name)).then(
      () => true,
      () => false,
    );
  }

  async #syncFolder(): Promise<void> {
    const handle = await open(this.path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  #damaged<T>(file: StateFile<T>, why: string): Result<never> {
    return failure("state-corrupt", `${join(this.path, file.name)}: ${why}`, file.remedy);
  }

  #unusable(what: string, error: unknown): Result<never> {
    const code = codeOf(error);
    if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
      return failure("permission-denied", `${what} (${code})`, "Run as the user that owns the state folder.");
    }
    if (code === "ENOTDIR") return failure("state-corrupt", `${what}: a file is in the way`);
    return failure(
      "internal",
      `${what} (${code})`,
      "Check the disk: space, quota, errors in the kernel log.",
      true,
    );
  }
}

const digest = (content: unknown): string =>
  createHash("sha256").update(JSON.stringify(content)).digest("hex");

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown error";
