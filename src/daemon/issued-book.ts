/**
 * What the keymaster has issued, in `issued.json`. A renewal leaves the certificate before it valid: a
 * revocation list that names only the last one would leave a thief the others.
 */
import type { StateFolder } from "../adapters/state/folder.ts";
import { ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import { REVOCATION_SERIALS_MAX } from "../wire/roster.ts";
import type { IssuedCertificate } from "./membership.ts";
import { ISSUED_FILE, ISSUED_RECORDS_MAX, type IssuedRecord } from "./state-files.ts";

/** So many in a row under one root are somebody's trials or a full disk; after that they have to last. */
const AT_ONCE_MAX = REVOCATION_SERIALS_MAX / 2;

/**
 * Under a root that is trusted no more a certificate is worth nothing to anyone; one that has run out is
 * gone for whoever's clock is right, and this host's may be wrong. Earlier versions did not note the root.
 */
function worthOf({ root, expires }: IssuedRecord, now: WallTime, roots: readonly string[]): number {
  if (root !== undefined && !roots.includes(root)) return 0;
  return expires > now ? 2 : 1;
}

/** So many of them, in the order in which they are: of those that are worth the same the latest. */
function worthiest(
  records: readonly IssuedRecord[],
  most: number,
  worth: (record: IssuedRecord) => number,
): readonly IssuedRecord[] {
  const excess = Math.max(0, records.length - most);
  const gone = new Set([...records].sort((a, b) => worth(a) - worth(b)).slice(0, excess));
  return records.filter((record) => !gone.has(record));
}

/** Callers serialize the changes. */
export class IssuedBook {
  readonly #folder: StateFolder;
  #records: readonly IssuedRecord[];

  private constructor(folder: StateFolder, records: readonly IssuedRecord[]) {
    this.#folder = folder;
    this.#records = records;
  }

  static async load(folder: StateFolder): Promise<Result<IssuedBook>> {
    const file = await folder.readJson(ISSUED_FILE);
    return file.ok ? ok(new IssuedBook(folder, file.value?.certificates ?? [])) : file;
  }

  /** Oldest first, in hex. */
  serialsOf(node: string, now: WallTime): readonly string[] {
    return this.#live(now)
      .filter((record) => record.node === node)
      .map(({ serial }) => serial);
  }

  /**
   * Undefined: at once; else when it may have one under `root`. Never later than an eighth of a certificate's
   * life, so that whoever could not keep the ones before still gets one in time. Those under another root do
   * not count: a change of roots waits for everyone's next certificate.
   */
  nextAt(node: string, root: string | undefined, now: WallTime): WallTime | undefined {
    const live = this.#live(now).filter((record) => record.node === node && record.root === root);
    const last = live.at(-1);
    if (last === undefined || live.length < AT_ONCE_MAX) return undefined;
    const at = last.issued + (last.expires - last.issued) / (REVOCATION_SERIALS_MAX - AT_ONCE_MAX);
    // A clock that was set back must not keep anyone waiting for the time that was.
    return at <= now || last.issued > now ? undefined : (at as WallTime);
  }

  /**
   * On disk when it resolves to ok; only then may the certificate leave. `roots`: pins of those that the mesh
   * trusts now. Where there are too many, those give way first that no list can take back any more.
   */
  async enter(
    node: string,
    { serial, notAfter, root }: Pick<IssuedCertificate, "serial" | "notAfter" | "root">,
    now: WallTime,
    roots: readonly string[],
  ): Promise<Result<void>> {
    const worth = (record: IssuedRecord): number => worthOf(record, now, roots);
    const others = this.#records.filter((record) => record.node !== node);
    const own = this.#records.filter((record) => record.node === node);
    const record = { node, serial, issued: now, expires: notAfter };
    const added: IssuedRecord = root === undefined ? record : { ...record, root };
    const kept = worthiest(own, REVOCATION_SERIALS_MAX - 1, worth);
    return this.#replace([...worthiest([...others, ...kept], ISSUED_RECORDS_MAX - 1, worth), added]);
  }

  /** Its serial numbers are in the roster by now. */
  async forget(node: string): Promise<Result<void>> {
    if (!this.#records.some((record) => record.node === node)) return ok(undefined);
    return this.#replace(this.#records.filter((record) => record.node !== node));
  }

  #live(now: WallTime): readonly IssuedRecord[] {
    return this.#records.filter(({ expires }) => expires > now);
  }

  async #replace(records: readonly IssuedRecord[]): Promise<Result<void>> {
    const written = await this.#folder.writeJson(ISSUED_FILE, { certificates: records });
    if (written.ok) this.#records = records;
    return written;
  }
}
