/** What keymasters that lost have signed, in `set-aside.json`, until a person confirms or drops it. */
import { rosterFacts } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { compareRanks, outranks } from "../core/roster.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import { encodeSigned, type ParsedRoster, parseSigned, rankOf, type SignedRoster } from "../wire/roster.ts";
import { Serial } from "./serial.ts";
import { type LostChange, lostChanges } from "./set-aside-changes.ts";
import { SET_ASIDE_FILE, type SetAsideRecord, TERM_BASE_FILE } from "./state-files.ts";

/** One a signer; who has had more keymasters than this that lost has other worries. */
const SET_ASIDE_MAX = 8;
/** So that the file stays readable, whose quotes are escaped. The oldest go first, settled ones before. */
const SET_ASIDE_CHARS_MAX = 2_500_000;
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

export class SetAsideBook {
  readonly #folder: StateFolder;
  readonly #current: () => ParsedRoster;
  readonly #serial = new Serial();
  #held: readonly Held[];
  #base: ParsedRoster | undefined;

  private constructor(
    folder: StateFolder,
    current: () => ParsedRoster,
    held: readonly Held[],
    base: ParsedRoster | undefined,
  ) {
    this.#folder = folder;
    this.#current = current;
    this.#held = held;
    this.#base = base;
  }

  /** `current`: the roster in force. */
  static async load(folder: StateFolder, current: () => ParsedRoster): Promise<Result<SetAsideBook>> {
    const file = await folder.readJson(SET_ASIDE_FILE);
    if (!file.ok) return file;
    const base = await folder.readJson(TERM_BASE_FILE);
    if (!base.ok) return base;
    const held = (file.value?.rosters ?? []).flatMap((record): Held[] => {
      const parsed = parseSigned(encodeSigned(record.signed));
      return parsed.ok ? [{ ...record, parsed: parsed.value }] : [];
    });
    const parsed = base.value === undefined ? undefined : parseSigned(encodeSigned(base.value));
    return ok(new SetAsideBook(folder, current, held, parsed?.ok ? parsed.value : undefined));
  }

  /** This node is about to open a term that builds on it. */
  async beginOn(base: ParsedRoster): Promise<Result<void>> {
    const written = await this.#folder.writeJson(TERM_BASE_FILE, base.signed);
    if (written.ok) this.#base = base;
    return written;
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
   * `roster-refused` when no key of this mesh has signed it, or it has not lost.
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

  /** Another node signs now: it is to list them. Those that nobody has decided about. */
  handOver(): Promise<readonly ParsedRoster[]> {
    return this.#serial.run(async () =>
      this.#held.filter(({ settled }) => !settled).map(({ parsed }) => parsed),
    );
  }

  async #take(signed: SignedRoster, now: WallTime): Promise<Result<"listed" | "nothing-new">> {
    const parsed = parseSigned(encodeSigned(signed));
    if (!parsed.ok) return parsed;
    const lost = parsed.value;
    const current = this.#current();
    const facts = rosterFacts(lost, current.roster.roots);
    if (facts.mesh !== current.roster.mesh || !facts.signatureValid)
      return failure("roster-refused", "it is not signed by a key of this mesh");
    if (compareRanks(rankOf(lost), rankOf(current)) > 0)
      return failure("roster-refused", "it has not lost: it outranks the roster in force");
    if (this.#isPast(lost) || this.#isCovered(lost) || this.#changesOf(lost).length === 0)
      return ok("nothing-new");
    const others = this.#held.filter(({ parsed }) => parsed.signed.signer !== signed.signer);
    const record = { at: now, signed, settled: false, parsed: lost };
    const written = await this.#replace([...others, record]);
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

  /** Its signer's last one is here already, decided about or not. */
  #isCovered(lost: ParsedRoster): boolean {
    return this.#held.some(
      ({ parsed }) => parsed.signed.signer === lost.signed.signer && !outranks(rankOf(lost), rankOf(parsed)),
    );
  }

  #changesOf(lost: ParsedRoster): readonly LostChange[] {
    const base = this.#base;
    const isCommon = base !== undefined && lost.roster.ancestors.some(({ hash }) => hash === base.hash);
    return lostChanges(lost.roster, this.#current().roster, isCommon ? base.roster : undefined);
  }

  async #replace(held: readonly Held[]): Promise<Result<void>> {
    const kept = withinLimits(held);
    const rosters = kept.map(({ at, signed, settled }) => ({ at, signed, settled }));
    const written = await this.#folder.writeJson(SET_ASIDE_FILE, { rosters });
    if (written.ok) this.#held = kept;
    return written;
  }
}

function withinLimits(held: readonly Held[]): readonly Held[] {
  const kept = [...held];
  const isTooMuch = (): boolean =>
    kept.length > SET_ASIDE_MAX ||
    kept.reduce((sum, { parsed }) => sum + parsed.encoded.length, 0) > SET_ASIDE_CHARS_MAX;
  while (kept.length > 1 && isTooMuch()) {
    const settled = kept.findIndex((each) => each.settled);
    kept.splice(Math.max(settled, 0), 1);
  }
  return kept;
}
