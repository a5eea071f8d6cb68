/** What keymasters that lost have signed, in `set-aside.json`, until a person confirms or drops it. */
import { formerRoots, rosterFacts } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { compareRanks, outranks } from "../core/roster.ts";
import { type Failure, failure, ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import { encodeSigned, type ParsedRoster, parseSigned, rankOf, type SignedRoster } from "../wire/roster.ts";
import { isTooMuch } from "./lost-rosters.ts";
import { Serial } from "./serial.ts";
import { type LostChange, lostChanges } from "./set-aside-changes.ts";
import { SpareFile } from "./spare-file.ts";
import { SET_ASIDE_FILE, type SetAsideRecord, TERM_BASE_FILE } from "./state-files.ts";

const ID_CHARS = 8;

export interface SetAside {
  /** The beginning of its hash. */
  readonly id: string;
  readonly at: WallTime;
  readonly lost: ParsedRoster;
  readonly changes: readonly LostChange[];
}

interface Held extends SetAsideRecord {
  readonly parsed: ParsedRoster;
}

interface Files {
  readonly list: SpareFile<{ readonly rosters: readonly SetAsideRecord[] }>;
  readonly base: SpareFile<SignedRoster>;
}

export class SetAsideBook {
  readonly #files: Files;
  readonly #current: () => ParsedRoster;
  readonly #serial = new Serial();
  #held: readonly Held[];
  #base: ParsedRoster | undefined;

  private constructor(
    files: Files,
    current: () => ParsedRoster,
    held: readonly Held[],
    base: ParsedRoster | undefined,
  ) {
    this.#files = files;
    this.#current = current;
    this.#held = held;
    this.#base = base;
  }

  /** `current`: the roster in force. Damaged files count as not there. */
  static async load(folder: StateFolder, current: () => ParsedRoster): Promise<Result<SetAsideBook>> {
    const list = await SpareFile.open(folder, SET_ASIDE_FILE);
    if (!list.ok) return list;
    const base = await SpareFile.open(folder, TERM_BASE_FILE);
    if (!base.ok) return base;
    const records = list.value.content?.rosters ?? [];
    const held = records.flatMap((record): Held[] => {
      const parsed = parseSigned(encodeSigned(record.signed));
      return parsed.ok ? [{ ...record, parsed: parsed.value }] : [];
    });
    const unread = records.length - held.length;
    if (unread > 0) list.value.file.spoilt(`${unread} of ${records.length} rosters in it cannot be read`);
    const signed = base.value.content;
    const parsed = signed === undefined ? undefined : parseSigned(encodeSigned(signed));
    if (parsed?.ok === false) base.value.file.spoilt(parsed.error.message);
    const files = { list: list.value.file, base: base.value.file };
    return ok(new SetAsideBook(files, current, held, parsed?.ok ? parsed.value : undefined));
  }

  /** What was found damaged. */
  damage(): readonly Failure[] {
    const { list, base } = this.#files;
    return [list.damage, base.damage].filter((damage) => damage !== undefined);
  }

  /** What can still be read of them stays. */
  putAsideDamaged(): Promise<Result<unknown>> {
    return this.#serial.run(async () => {
      const base = await this.#files.base.mend(this.#base?.signed);
      const list = await this.#files.list.mend(this.#held.length === 0 ? undefined : recordsOf(this.#held));
      return base.ok ? list : base;
    });
  }

  /**
   * This node opens a term that builds on `base`: on disk before the term is, and as before where that
   * fails.
   */
  async buildingOn<T>(base: ParsedRoster, open: () => Promise<Result<T>>): Promise<Result<T>> {
    const before = this.#base;
    const write = (roster: ParsedRoster | undefined): Promise<Result<void>> =>
      this.#serial.run(() => this.#files.base.write(roster?.signed));
    const written = await write(base);
    if (!written.ok) return written;
    const opened = await open();
    if (opened.ok) this.#base = base;
    else await write(before);
    return opened;
  }

  /** What is to be confirmed or dropped, as it differs from the roster in force now. */
  list(): readonly SetAside[] {
    return this.#held
      .filter(({ settled, parsed }) => !settled && !this.#isPast(parsed))
      .map(({ parsed, at }) => ({
        id: parsed.hash.slice(0, ID_CHARS),
        at: at as WallTime,
        lost: parsed,
        changes: this.#changesOf(parsed),
      }));
  }

  /** Fails with `set-aside-unknown`. */
  find(id: string): Result<SetAside> {
    const found = this.list().find((each) => each.id === id);
    if (found !== undefined) return ok(found);
    const message = `nothing is set aside as ${id.slice(0, 64)}`;
    return failure("set-aside-unknown", message, "See `balefire keymaster show`.");
  }

  /**
   * A roster that lost. On disk, if there is anything to say of it, when it resolves to ok. Fails with
   * `roster-refused` when no key of this mesh has signed it, or (to be tried again) when it has not lost;
   * with `limit-reached`, to be tried again, while a person has too many to decide about.
   */
  take(signed: SignedRoster, now: WallTime): Promise<Result<"listed" | "nothing-new">> {
    return this.#serial.run(() => this.#take(signed, now));
  }

  /** A person has decided. */
  settle({ lost }: SetAside): Promise<Result<void>> {
    return this.#serial.run(() =>
      this.#replace(
        this.#held.map((each) => (each.parsed.hash === lost.hash ? { ...each, settled: true } : each)),
      ),
    );
  }

  /** What nobody has decided about: where another node signs, that one is to list it. */
  undecided(): readonly SignedRoster[] {
    return this.#held.filter(({ settled }) => !settled).map(({ signed }) => signed);
  }

  /** Another node lists it; unless `isNeeded` by then, because this node signs again. */
  forget(hash: string, isNeeded: () => boolean): Promise<Result<void>> {
    return this.#serial.run(async () =>
      isNeeded() ? ok(undefined) : this.#replace(this.#held.filter(({ parsed }) => parsed.hash !== hash)),
    );
  }

  async #take(signed: SignedRoster, now: WallTime): Promise<Result<"listed" | "nothing-new">> {
    const parsed = parseSigned(encodeSigned(signed));
    if (!parsed.ok) return parsed;
    const lost = parsed.value;
    const current = this.#current();
    if (!isGenuine(lost, current)) return failure("roster-refused", "it is not signed by a key of this mesh");
    if (outranks(rankOf(lost), rankOf(current))) {
      const message = "it has not lost: it outranks the roster in force";
      return failure("roster-refused", message, undefined, true);
    }
    if (this.#isPast(lost) || this.#isCovered(lost) || this.#changesOf(lost).length === 0)
      return ok("nothing-new");
    const others = this.#held.filter(({ parsed }) => !covers(lost, parsed) && !this.#isPast(parsed));
    const record = { at: now, signed, settled: false, parsed: lost };
    const kept = withRoomFor(others, record);
    if (kept === undefined) {
      const message = "too many rosters that lost are undecided about already";
      return failure("limit-reached", message, "See `balefire keymaster show`.", true);
    }
    const written = await this.#replace(kept);
    return written.ok ? ok("listed") : written;
  }

  /** What is in force was built on it, or on a later one of the same reign. */
  #isPast(lost: ParsedRoster): boolean {
    const { roster, hash } = this.#current();
    if (hash === lost.hash || roster.ancestors.some((link) => link.hash === lost.hash)) return true;
    const rank = rankOf(lost);
    return roster.ancestors.some(
      (link) => compareRanks({ ...link, epoch: rank.epoch }, rank) === 0 && link.epoch > rank.epoch,
    );
  }

  /** A later one of its reign is here already, decided about or not. */
  #isCovered(lost: ParsedRoster): boolean {
    return this.#held.some(({ parsed }) => covers(parsed, lost));
  }

  #changesOf(lost: ParsedRoster): readonly LostChange[] {
    const base = this.#base;
    const isCommon = base !== undefined && lost.roster.ancestors.some(({ hash }) => hash === base.hash);
    return lostChanges(lost.roster, this.#current().roster, isCommon ? base.roster : undefined);
  }

  async #replace(held: readonly Held[]): Promise<Result<void>> {
    const written = await this.#files.list.write(recordsOf(held));
    if (written.ok) this.#held = held;
    return written;
  }
}

const recordsOf = (
  held: readonly Held[],
): { readonly rosters: readonly Pick<Held, "at" | "signed" | "settled">[] } => ({
  rosters: held.map(({ at, signed, settled }) => ({ at, signed, settled })),
});

/**
 * Signed by a key of this mesh, void or not. A root that the mesh has left since may be the very one that
 * was not safe any more: by that one only the keys count that the mesh knows otherwise.
 */
function isGenuine(lost: ParsedRoster, { roster }: ParsedRoster): boolean {
  if (lost.roster.mesh !== roster.mesh) return false;
  if (rosterFacts(lost, roster.roots).signatureValid) return true;
  const { succession, revoked, opening } = roster;
  const known = [...[...succession, ...revoked].map(({ pin }) => pin), ...opening.voids];
  const isKnown = known.includes(lost.signed.signer);
  const former = formerRoots(lost.roster.roots, roster);
  return isKnown && rosterFacts(lost, [...roster.roots, ...former]).signatureValid;
}

/** The later one holds all that the earlier one does: the same signer built it on that, or in the same reign. */
function covers(later: ParsedRoster, earlier: ParsedRoster): boolean {
  if (later.signed.signer !== earlier.signed.signer) return false;
  if (later.roster.ancestors.some(({ hash }) => hash === earlier.hash)) return true;
  const [a, b] = [rankOf(later), rankOf(earlier)];
  return compareRanks({ ...a, epoch: b.epoch }, b) === 0 && a.epoch >= b.epoch;
}

/** Oldest first; those decided about give way. Undefined: the others leave no room. */
function withRoomFor(held: readonly Held[], added: Held): readonly Held[] | undefined {
  const kept = [...held, added];
  while (isTooMuch(kept.map(({ parsed }) => parsed.encoded.length))) {
    const settled = kept.findIndex((each) => each.settled);
    if (settled === -1) return undefined;
    kept.splice(settled, 1);
  }
  return kept;
}
