/**
 * What the keymaster has issued and has not run out, in `issued.json`. A renewal leaves the certificate
 * before it valid: a revocation list that names only the last one would leave a thief the others.
 */
import type { StateFolder } from "../adapters/state/folder.ts";
import { ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import { REVOCATION_SERIALS_MAX } from "../wire/roster.ts";
import type { IssuedCertificate } from "./membership.ts";
import { ISSUED_FILE, type IssuedRecord } from "./state-files.ts";

/** So many in a row under one root are somebody's trials or a full disk; after that they have to last. */
const AT_ONCE_MAX = REVOCATION_SERIALS_MAX / 2;

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

  /** On disk when it resolves to ok; only then may the certificate leave. */
  async enter(
    node: string,
    { serial, notAfter, root }: Pick<IssuedCertificate, "serial" | "notAfter" | "root">,
    now: WallTime,
  ): Promise<Result<void>> {
    const live = this.#live(now);
    const others = live.filter((record) => record.node !== node);
    const own = live.filter((record) => record.node === node).slice(1 - REVOCATION_SERIALS_MAX);
    const record = { node, serial, issued: now, expires: notAfter };
    return this.#replace([...others, ...own, root === undefined ? record : { ...record, root }]);
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
