/**
 * From which roster on the sealed root key beside it has been the mesh's, in `recovery-since.json`. Where the
 * roster in force was built on one that had it, the mesh has renewed it; else a keymaster that lost had made it.
 */
import type { StateFolder } from "../adapters/state/folder.ts";
import { isBuiltOn } from "../core/roster.ts";
import { sha256Hex } from "../kit/hash.ts";
import { ok, type Result } from "../kit/result.ts";
import { type ParsedRoster, rankOf } from "../wire/roster.ts";
import { isDamage } from "./spare-file.ts";
import { RECOVERY_SINCE_FILE, type RecoverySince } from "./state-files.ts";

/** Callers run one after the other what is asked of it. */
export class SealLineage {
  readonly #folder: StateFolder;
  #isLoaded = false;
  /** The first roster that is known to have it. */
  #first: RecoverySince | undefined;
  /** The last one: a chain of rosters may no longer reach as far back as the first. */
  #latest: RecoverySince | undefined;

  constructor(folder: StateFolder) {
    this.#folder = folder;
  }

  /** To be called first. A damaged file counts as not there; fails, to be tried again, where it cannot be read. */
  async load(): Promise<Result<void>> {
    if (this.#isLoaded) return ok(undefined);
    const read = await this.#folder.readJson(RECOVERY_SINCE_FILE);
    if (!read.ok && !isDamage(read.error)) return read;
    this.#first = read.ok ? read.value : undefined;
    this.#isLoaded = true;
    return ok(undefined);
  }

  /** This roster has it. */
  async note(current: ParsedRoster, sealed: string): Promise<Result<void>> {
    const seal = sha256Hex(sealed);
    this.#latest = { seal, roster: { ...rankOf(current), hash: current.hash } };
    if (this.#first?.seal === seal) return ok(undefined);
    const written = await this.#folder.writeJson(RECOVERY_SINCE_FILE, this.#latest);
    if (written.ok) this.#first = this.#latest;
    return written;
  }

  /** Whether the roster in force was built on one that had it; undefined: nothing is known of it. */
  isBehind({ hash, roster: { ancestors } }: ParsedRoster, sealed: string): boolean | undefined {
    const seal = sha256Hex(sealed);
    const known = [this.#first, this.#latest].filter((each) => each?.seal === seal);
    if (known.length === 0) return undefined;
    return known.some((each) => each !== undefined && isBuiltOn({ hash, ancestors }, each.roster));
  }
}
