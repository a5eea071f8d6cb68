import { heldRoster, rosterFacts, verifyFirstRoster } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import type { RosterView } from "../core/io.ts";
import { decideRoster } from "../core/roster.ts";
import type { Member } from "../core/types.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { wallTime } from "../kit/time.ts";
import type { TrustView } from "../ports/transport.ts";
import { encodeSigned, type ParsedRoster, parseSigned, type RosterNode, rankOf } from "../wire/roster.ts";
import { DisplacedBook } from "./displaced.ts";
import { Serial } from "./serial.ts";
import { ROSTER_FILE } from "./state-files.ts";

/**
 * `displaced`: the roster held until now, where the new one does not name it among its ancestors. Some
 * of what it changed may be lost, then. A chain that no longer reaches that far back cannot name it either.
 */
export type RosterListener = (current: ParsedRoster, displaced?: ParsedRoster) => void;

/** Holds the roster this node goes by, on disk and in memory, and is the only way to replace it. */
export class RosterKeeper {
  readonly #folder: StateFolder;
  readonly #serial = new Serial();
  readonly #listeners = new Set<RosterListener>();
  readonly #heralds = new Set<(next: ParsedRoster) => void>();
  readonly #displaced: DisplacedBook;
  #current: ParsedRoster;

  private constructor(folder: StateFolder, current: ParsedRoster, displaced: DisplacedBook) {
    this.#folder = folder;
    this.#current = current;
    this.#displaced = displaced;
  }

  /** Fails with `state-missing`, `state-corrupt` or `roster-refused`, naming the file. */
  static async load(folder: StateFolder, mesh: string): Promise<Result<RosterKeeper>> {
    const signed = await folder.readJson(ROSTER_FILE);
    if (!signed.ok) return signed;
    const path = `${folder.path}/${ROSTER_FILE.name}`;
    if (signed.value === undefined) return failure("state-missing", `${path} is missing`, ROSTER_FILE.remedy);
    const parsed = parseSigned(encodeSigned(signed.value));
    const verified = parsed.ok ? verifyFirstRoster(parsed.value, mesh) : parsed;
    const displaced = await DisplacedBook.load(folder);
    if (!displaced.ok) return displaced;
    if (verified.ok) return ok(new RosterKeeper(folder, verified.value, displaced.value));
    return failure("state-corrupt", `${path}: ${verified.error.message}`, ROSTER_FILE.remedy);
  }

  current(): ParsedRoster {
    return this.#current;
  }

  /** Those that the keymaster does not have yet. */
  get displaced(): DisplacedBook {
    return this.#displaced;
  }

  /** What the core decides with. */
  view(): RosterView {
    const { roster, encoded } = this.#current;
    return {
      mesh: roster.mesh,
      ...rankOf(this.#current),
      keymaster: roster.keymaster,
      members: roster.nodes.map(memberOf),
      signed: encoded,
    };
  }

  /** Whom the transport lets in; of those only whom `among` has with the same key. */
  trustView(self: string, among: readonly Pick<RosterNode, "pin">[] = this.#current.roster.nodes): TrustView {
    const { roster, encoded } = this.#current;
    const pins = new Set(among.map(({ pin }) => pin));
    const keymaster = roster.nodes.find((node) => node.id === roster.keymaster);
    return {
      mesh: roster.mesh,
      self,
      peers: roster.nodes
        .filter(({ id, pin }) => id !== self && pins.has(pin))
        .map(({ id, name, pin }) => ({ id, name, pin })),
      roots: roster.roots.map((root) => root.certificate),
      issuers: roster.succession.map((successor) => successor.certificate),
      ...(keymaster === undefined || keymaster.id === self
        ? {}
        : { keymaster: { id: keymaster.id, addresses: keymaster.addresses } }),
      dismissal: encoded,
      removed: roster.revoked.filter(({ suspected }) => suspected !== true).map(({ pin }) => pin),
      untold: [
        this.#current.signed.signer,
        ...roster.revoked.filter(({ suspected }) => suspected === true).map(({ pin }) => pin),
      ],
    };
  }

  /**
   * Verifies, decides, writes, and only then replaces. `same` when it is the one held.
   * Fails with `roster-refused` and the reason, or with what kept it from being written.
   */
  consider(encoded: string, by: "own" | "others" = "others"): Promise<Result<"adopted" | "same">> {
    return this.#serial.run(() => this.#consider(encoded, by));
  }

  /** Called after each replacement, in order. Returns how to stop it. */
  onChange(listener: RosterListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Called with a roster of others that will replace the one held, before it is written: for what must not wait for
   * a disk. One of this node's own is nobody's while it is not written.
   */
  beforeChange(herald: (next: ParsedRoster) => void): void {
    this.#heralds.add(herald);
  }

  async #consider(encoded: string, by: "own" | "others"): Promise<Result<"adopted" | "same">> {
    const parsed = parseSigned(encoded);
    if (!parsed.ok) return parsed;
    const facts = rosterFacts(parsed.value, this.#current.roster.roots);
    const decision = decideRoster(heldRoster(this.#current), facts);
    if (decision.decision === "same") return ok("same");
    if (decision.decision === "refuse") {
      return failure("roster-refused", `roster refused (${decision.reason}): ${decision.why}`);
    }
    if (by === "others") for (const herald of this.#heralds) herald(parsed.value);
    const held = this.#current;
    const isKept = parsed.value.roster.ancestors.some(({ hash }) => hash === held.hash);
    // First, so that a crash between the two loses nothing: handed in without need, it is found to be held.
    const kept = isKept ? ok(undefined) : await this.#displaced.keep(held);
    if (!kept.ok) return kept;
    const written = await this.#folder.writeJson(ROSTER_FILE, parsed.value.signed);
    if (!written.ok) return written;
    this.#current = parsed.value;
    for (const listener of this.#listeners) listener(parsed.value, isKept ? undefined : held);
    return ok("adopted");
  }
}

const memberOf = ({ id, name, addresses, certificateExpires: ends }: RosterNode): Member =>
  ends === undefined
    ? { id, name, addresses }
    : { id, name, addresses, certificateExpires: wallTime(Date.parse(ends)) };
