/** What keymasters that lost have signed, in `set-aside.json`, until a person confirms or drops it. */
import { formerRoots, rosterFacts } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { isBuiltOn, outranks } from "../core/roster.ts";
import { type Failure, failure, ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import { encodeSigned, type ParsedRoster, parseSigned, rankOf, type SignedRoster } from "../wire/roster.ts";
import { isDecided, reignOf, withDecided } from "./decided-reigns.ts";
import { isTooMuch, isTooMuchOfOne } from "./lost-rosters.ts";
import { Serial } from "./serial.ts";
import { type LostChange, lostChanges } from "./set-aside-changes.ts";
import { SpareFile } from "./spare-file.ts";
import {
  type DecidedReign,
  SET_ASIDE_FILE,
  type SetAsideContent,
  type SetAsideRecord,
  TERM_BASE_FILE,
} from "./state-files.ts";

const ID_CHARS = 8;

export interface SetAside {
  /** The beginning of its hash. */
  readonly id: string;
  readonly at: WallTime;
  readonly lost: ParsedRoster;
  readonly changes: readonly LostChange[];
}

interface Held {
  /** When it came. */
  readonly at: number;
  readonly parsed: ParsedRoster;
}

/** What `set-aside.json` holds. */
interface Listed {
  /** Nobody has decided about these. Oldest first. */
  readonly held: readonly Held[];
  readonly decided: readonly DecidedReign[];
}

interface Files {
  readonly list: SpareFile<SetAsideContent>;
  readonly base: SpareFile<SignedRoster>;
}

export class SetAsideBook {
  readonly #files: Files;
  readonly #current: () => ParsedRoster;
  readonly #serial = new Serial();
  #listed: Listed;
  #base: ParsedRoster | undefined;

  private constructor(
    files: Files,
    current: () => ParsedRoster,
    listed: Listed,
    base: ParsedRoster | undefined,
  ) {
    this.#files = files;
    this.#current = current;
    this.#listed = listed;
    this.#base = base;
  }

  /** `current`: the roster in force. Files that are damaged, or cannot be read yet, count as not there. */
  static async load(folder: StateFolder, current: () => ParsedRoster): Promise<Result<SetAsideBook>> {
    const list = await SpareFile.open(folder, SET_ASIDE_FILE);
    if (!list.ok) return list;
    const base = await SpareFile.open(folder, TERM_BASE_FILE);
    if (!base.ok) return base;
    const files = { list: list.value.file, base: base.value.file };
    const listed = listedIn(files.list, list.value.content);
    return ok(new SetAsideBook(files, current, listed, baseIn(files.base, base.value.content)));
  }

  /** What was found damaged. */
  damage(): readonly Failure[] {
    const { list, base } = this.#files;
    return [list.damage, base.damage].filter((damage) => damage !== undefined);
  }

  /**
   * What can still be read of them stays, and what could not be read until now is read. Fails, to be tried
   * again, where it still cannot be.
   */
  putAsideDamaged(): Promise<Result<void>> {
    return this.#change(async () => {
      const base = await this.#files.base.mend(this.#base?.signed);
      const list = await this.#files.list.mend(contentOf(this.#listed));
      return base.ok ? list : base;
    });
  }

  /**
   * This node opens a term that builds on `base`: on disk before the term is, and as before where that
   * fails.
   */
  async buildingOn<T>(base: ParsedRoster, open: () => Promise<Result<T>>): Promise<Result<T>> {
    const write = (roster: ParsedRoster | undefined): Promise<Result<void>> =>
      this.#files.base.write(roster?.signed);
    const written = await this.#change(() => write(base));
    if (!written.ok) return written;
    const opened = await open();
    if (opened.ok) this.#base = base;
    else await this.#change(() => write(this.#base));
    return opened;
  }

  /** What is to be confirmed or dropped, as it differs from the roster in force now. */
  list(): readonly SetAside[] {
    return this.#listed.held
      .filter(({ parsed }) => !this.#isPast(parsed))
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
   * with `limit-reached`, to be tried again, while a person has too many to decide about, or too many of its
   * signer's.
   */
  take(signed: SignedRoster, now: WallTime): Promise<Result<"listed" | "nothing-new">> {
    return this.#change(() => this.#take(signed, now));
  }

  /** A person has decided: it is listed no more, however often it comes, nor is what it holds all of. */
  settle({ lost }: SetAside): Promise<Result<void>> {
    return this.#change(() => {
      const { held, decided } = this.#listed;
      return this.#replace({ held: without(held, lost.hash), decided: withDecided(decided, lost) });
    });
  }

  /** What nobody has decided about: where another node signs, that one is to list it. */
  undecided(): readonly SignedRoster[] {
    return this.#listed.held.map(({ parsed }) => parsed.signed);
  }

  /** Another node lists it; unless `isNeeded` by then, because this node signs again. */
  forget(hash: string, isNeeded: () => boolean): Promise<Result<void>> {
    return this.#change(async () => {
      if (isNeeded()) return ok(undefined);
      return this.#replace({ ...this.#listed, held: without(this.#listed.held, hash) });
    });
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
    const { held, decided } = this.#listed;
    const others = held.filter(({ parsed }) => !covers(lost, parsed) && !this.#isPast(parsed));
    const kept = [...others, { at: now, parsed: lost }];
    const room = roomFor(kept, lost.signed.signer);
    if (!room.ok) return room;
    const written = await this.#replace({ held: kept, decided });
    return written.ok ? ok("listed") : written;
  }

  /** What is in force was built on it, or on a later one of the same reign. */
  #isPast(lost: ParsedRoster): boolean {
    const { roster, hash } = this.#current();
    return isBuiltOn({ hash, ancestors: roster.ancestors }, { ...rankOf(lost), hash: lost.hash });
  }

  /** A later one of its reign is here already, or was decided about. */
  #isCovered(lost: ParsedRoster): boolean {
    const { held, decided } = this.#listed;
    return isDecided(decided, lost) || held.some(({ parsed }) => covers(parsed, lost));
  }

  #changesOf(lost: ParsedRoster): readonly LostChange[] {
    const base = this.#base;
    const isCommon = base !== undefined && lost.roster.ancestors.some(({ hash }) => hash === base.hash);
    return lostChanges(lost.roster, this.#current().roster, isCommon ? base.roster : undefined);
  }

  /** One after the other, and never over what could not be read yet. */
  #change<T>(operation: () => Promise<Result<T>>): Promise<Result<T>> {
    return this.#serial.run(async () => {
      const read = await this.#readAgain();
      return read.ok ? operation() : read;
    });
  }

  async #readAgain(): Promise<Result<void>> {
    const { list, base } = this.#files;
    const listed = await list.readAgain();
    if (!listed.ok) return listed;
    if (listed.value !== undefined) this.#listed = listedIn(list, listed.value.content);
    const built = await base.readAgain();
    if (!built.ok) return built;
    if (built.value !== undefined) this.#base = baseIn(base, built.value.content);
    return ok(undefined);
  }

  async #replace(listed: Listed): Promise<Result<void>> {
    const written = await this.#files.list.write(contentOf(listed));
    if (written.ok) this.#listed = listed;
    return written;
  }
}

const without = (held: readonly Held[], hash: string): readonly Held[] =>
  held.filter(({ parsed }) => parsed.hash !== hash);

const contentOf = ({ held, decided }: Listed): SetAsideContent | undefined =>
  held.length + decided.length === 0
    ? undefined
    : { rosters: held.map(({ at, parsed: { signed } }) => ({ at, signed, settled: false })), decided };

/** What of it makes no sense is told of, and the others stay. */
function listedIn(file: SpareFile<SetAsideContent>, content: SetAsideContent | undefined): Listed {
  const { rosters, decided = [] } = content ?? { rosters: [] };
  const read = rosters.flatMap((record): (SetAsideRecord & Held)[] => {
    const parsed = parseSigned(encodeSigned(record.signed));
    return parsed.ok ? [{ ...record, parsed: parsed.value }] : [];
  });
  const unread = rosters.length - read.length;
  if (unread > 0) file.spoilt(`${unread} of ${rosters.length} rosters in it cannot be read`);
  return {
    held: read.filter(({ settled }) => !settled).map(({ at, parsed }) => ({ at, parsed })),
    // Earlier versions kept the whole roster of these, too.
    decided: read
      .filter(({ settled }) => settled)
      .reduce((reigns, { parsed }) => withDecided(reigns, parsed), decided),
  };
}

function baseIn(file: SpareFile<SignedRoster>, signed: SignedRoster | undefined): ParsedRoster | undefined {
  if (signed === undefined) return undefined;
  const parsed = parseSigned(encodeSigned(signed));
  if (parsed.ok) return parsed.value;
  file.spoilt(parsed.error.message);
  return undefined;
}

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
const covers = (later: ParsedRoster, earlier: ParsedRoster): boolean =>
  later.signed.signer === earlier.signed.signer &&
  (later.roster.ancestors.some(({ hash }) => hash === earlier.hash) || isDecided([reignOf(later)], earlier));

/** Whether a person is to decide about all of these, of which the last is `signer`'s. */
function roomFor(held: readonly Held[], signer: string): Result<void> {
  const lengths = (each: readonly Held[]): readonly number[] =>
    each.map(({ parsed }) => parsed.encoded.length);
  const remedy = "See `balefire keymaster show`.";
  if (isTooMuchOfOne(lengths(held.filter(({ parsed }) => parsed.signed.signer === signer)))) {
    const message = "too many rosters of its signer that lost are undecided about already";
    return failure("limit-reached", message, remedy, true);
  }
  if (!isTooMuch(lengths(held))) return ok(undefined);
  return failure("limit-reached", "too many rosters that lost are undecided about already", remedy, true);
}
