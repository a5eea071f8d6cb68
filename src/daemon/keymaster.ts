import { type KeyObject, randomUUID } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { csrKey } from "../adapters/pki/csr.ts";
import { LEAF_LIFE } from "../adapters/pki/issue.ts";
import { spkiPin } from "../adapters/pki/keys.ts";
import { rootAbove } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import type { RosterRank } from "../core/types.ts";
import { sha256Hex } from "../kit/hash.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, hours, isoTime, ms, type WallTime } from "../kit/time.ts";
import { type JoinHello, type JoinRequest, joinProofText } from "../wire/join.ts";
import { type ParsedRoster, type RosterNode, rankOf, SHARED_CONFIG_CHARS_MAX } from "../wire/roster.ts";
import { type Admission, JoinDesk } from "./join-desk.ts";
import { LeafDesk } from "./leaf-desk.ts";
import {
  certificateFields,
  entryFor,
  type IssuedCertificate,
  readdressed,
  withoutNode,
} from "./membership.ts";
import { parseOwnAddresses } from "./own-addresses.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import type { RosterChanges } from "./roster-next.ts";
import { type TermRight, withoutSignersOf } from "./roster-open.ts";
import { Serial } from "./serial.ts";
import { SetAsideBook } from "./set-aside.ts";
import type { Signer } from "./signer.ts";
import { type RosterEdit, SigningDesk, type TermEdit } from "./signing-desk.ts";
import { type CreatedToken, createToken, type ListedToken, listedToken } from "./token-desk.ts";
import { judgeToken, provenToken, TokenBook } from "./tokens.ts";

export interface AppliedConfig {
  readonly term: number;
  readonly epoch: number;
  /** Counts the shared configurations of this mesh. */
  readonly version: number;
  readonly changed: boolean;
}

/** The roster after a removal or a change of addresses, and whom it was about. */
export interface ChangedNode {
  readonly rank: RosterRank;
  readonly node: RosterNode;
}

/** Renewals are entered in the roster together: each roster is sent to every node. */
const PUBLISH_RENEWALS_AFTER: Duration = ms(600_000);
/** Revocation lists for other tools are renewed when half of their thirty days is over. */
const LISTS_LOOKED_AT_EVERY: Duration = hours(6);
/** A member may not keep the keymaster busy with signing. */
const ASKED_AGAIN_AFTER: Duration = ms(500);

interface Self {
  readonly mesh: string;
  readonly id: string;
  /** Pin of this node's TLS key: what joiners will see. */
  readonly pin: string;
}

/**
 * What only the node that signs can do. Every node has one, at rest: keymaster-seat.ts says which is at
 * work. Whatever makes a roster runs one after the other.
 */
export class Keymaster {
  readonly #self: Self;
  readonly #keeper: RosterKeeper;
  readonly #signing: SigningDesk;
  readonly #tokens: TokenBook;
  readonly #clock: () => WallTime;
  readonly #leaves: LeafDesk;
  readonly #leafLife: Duration;
  readonly #serial = new Serial();
  readonly #desk: JoinDesk;
  readonly #askedAt = new Map<string, WallTime>();
  /** What lost against rosters of this node's. */
  readonly setAside: SetAsideBook;
  #publishing: NodeJS.Timeout | undefined;

  private constructor(
    self: Self,
    keeper: RosterKeeper,
    signing: SigningDesk,
    tokens: TokenBook,
    leaves: LeafDesk,
    setAside: SetAsideBook,
    clock: () => WallTime,
    leafLife: Duration,
  ) {
    this.#self = self;
    this.#keeper = keeper;
    this.#signing = signing;
    this.#tokens = tokens;
    this.#leaves = leaves;
    this.setAside = setAside;
    this.#clock = clock;
    this.#leafLife = leafLife;
    this.#desk = new JoinDesk(
      () => this.#hello(),
      (request, exporterHex) => this.#serial.run(() => this.#admit(request, exporterHex)),
    );
    setInterval(() => void this.publishLists(), LISTS_LOOKED_AT_EVERY).unref();
  }

  /** Fails with what the disk or the files say. */
  static async load(
    folder: StateFolder,
    self: Self,
    keeper: RosterKeeper,
    clock: () => WallTime,
    leafLife: Duration = LEAF_LIFE,
  ): Promise<Result<Keymaster>> {
    const tokens = await TokenBook.load(folder);
    if (!tokens.ok) return tokens;
    const signing = new SigningDesk(self.id, keeper, clock);
    const roots = () => keeper.current().roster.roots;
    const issuing = { mesh: self.mesh, signer: () => signing.atWork(), roots, clock, life: leafLife };
    const leaves = await LeafDesk.load(folder, issuing);
    if (!leaves.ok) return leaves;
    const setAside = await SetAsideBook.load(folder, () => keeper.current());
    if (!setAside.ok) return setAside;
    const books = [tokens.value, leaves.value, setAside.value] as const;
    return ok(new Keymaster(self, keeper, signing, ...books, clock, leafLife));
  }

  /** The key this node would sign with, whether or not it may now. */
  get signer(): Signer | undefined {
    return this.#signing.signer;
  }

  /** Another certificate of the same key, or another key altogether. */
  useSigner(signer: Signer | undefined): void {
    this.#signing.use(signer);
  }

  /** It is this node that signs the next roster. */
  signs(): boolean {
    return this.#signing.signs();
  }

  /** Signs the next roster of this term with what `edit` makes of the one before, and adopts it. */
  publish(edit: RosterEdit): Promise<Result<ParsedRoster>> {
    return this.#serial.run(() => this.#signing.publish(edit));
  }

  /**
   * Signs the first roster of a new term with this key of this node, and adopts it: from then on this node
   * signs. `keymaster` need not be among the changes.
   */
  openTerm(right: TermRight, edit: TermEdit, signer: Signer): Promise<Result<ParsedRoster>> {
    return this.#serial.run(() =>
      this.#signing.openTerm(right, edit, signer, (base, open) => this.setAside.buildingOn(base, open)),
    );
  }

  /** Nothing is signed here until it is over. */
  while<T>(operation: () => Promise<Result<T>>): Promise<Result<T>> {
    return this.#serial.run(operation);
  }

  /** Nobody joins by these any more: they name this node's key as the keymaster's. Gives how many were open. */
  voidTokens(): Promise<Result<number>> {
    return this.#serial.run(() => this.#tokens.revokeOpen(this.#clock()));
  }

  /** `life` in milliseconds. Fails with `name-taken`, `usage` or `limit-reached`. */
  createToken(name: string, life: number): Promise<Result<CreatedToken>> {
    return this.#serial.run(async () => {
      const signer = this.#signing.atWork();
      if (!signer.ok) return signer;
      const { roster } = this.#keeper.current();
      return createToken(this.#tokens, { name, life, roster, self: this.#self, now: this.#clock() });
    });
  }

  listTokens(): readonly ListedToken[] {
    return this.#tokens.list().map((record) => listedToken(record, this.#clock()));
  }

  revokeToken(id: string): Promise<Result<ListedToken>> {
    return this.#serial.run(async () => {
      const revoked = await this.#tokens.revoke(id);
      return revoked.ok ? ok(listedToken(revoked.value, this.#clock())) : revoked;
    });
  }

  /** Serves one connection accepted with ALPN `balefire-join/1`; owns the socket. Never rejects for what a joiner does. */
  handleJoin(socket: TLSSocket): Promise<void> {
    return this.#desk.handle(socket);
  }

  /**
   * Makes `text` the shared configuration; whoever calls has checked its content. With
   * `expectVersion` only if nobody else has changed it since (compare-and-set).
   */
  applyConfig(
    text: string,
    options: { readonly expectVersion?: number } = {},
  ): Promise<Result<AppliedConfig>> {
    return this.#serial.run(() => this.#applyConfig(text, options.expectVersion));
  }

  /**
   * A new certificate for a member's key, leaf then intermediate. Whoever calls has made sure that the
   * member itself asks; of the request its key counts, and it must be the one the roster pins. Fails
   * with `certificate-invalid`, `node-unknown`, `not-keymaster` or `limit-reached`.
   */
  renew(node: string, csr: string): Promise<Result<string>> {
    return this.#serial.run(() => this.#renew(node, csr));
  }

  /** What this node has last issued to a member, as far as it remembers. */
  issuedTo(node: string): IssuedCertificate | undefined {
    return this.#signing.issuedTo(node);
  }

  /**
   * Signs the roster that no longer holds the node; `why` is kept in it. `suspected`: its key may be in
   * other hands. Fails with `node-unknown` or `usage`.
   */
  removeNode(named: string, why: string, suspected = false): Promise<Result<ChangedNode>> {
    return this.#serial.run(async () => {
      const without = withoutNode(this.#keeper.current().roster, named, {
        why,
        suspected,
        at: this.#clock(),
        serialsOf: (node) => this.#leaves.serialsOf(node),
      });
      if (!without.ok) return without;
      const { removed, changes } = without.value;
      const about = { why, at: isoTime(this.#clock()), suspected };
      const { roster } = this.#keeper.current();
      const published = await this.#publish({
        ...changes,
        ...withoutSignersOf({ ...roster, ...changes }, removed, about),
      });
      if (!published.ok) return published;
      this.#signing.forget(removed.id);
      await this.#leaves.forget(removed.id);
      return ok({ rank: rankOf(published.value), node: removed });
    });
  }

  /** The same node at other addresses. Fails with `node-unknown` or `address-invalid`. */
  readdressNode(named: string, texts: readonly string[]): Promise<Result<ChangedNode>> {
    return this.#serial.run(async () => {
      const addresses = parseOwnAddresses(texts);
      if (!addresses.ok) return addresses;
      const moved = readdressed(this.#keeper.current().roster, named, addresses.value);
      if (!moved.ok) return moved;
      const published = await this.#publish(moved.value.changes);
      if (!published.ok) return published;
      return ok({ rank: rankOf(published.value), node: moved.value.node });
    });
  }

  /** Enters what was renewed in the roster; without that it is done a few minutes after the first renewal. */
  publishRenewals(): Promise<Result<void>> {
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    return this.#serial.run(async () => {
      if (!this.#signing.hasNews()) return ok(undefined);
      const published = await this.#publish({});
      return published.ok ? ok(undefined) : published;
    });
  }

  /** Has the revocation lists in the roster made anew where they are due; every removal does so itself. */
  publishLists(): Promise<Result<void>> {
    return this.#serial.run(async () => {
      if (!this.#signing.listsAreDue()) return ok(undefined);
      const published = await this.#publish({});
      return published.ok ? ok(undefined) : published;
    });
  }

  async #renew(node: string, csr: string): Promise<Result<string>> {
    const signer = this.#signing.atWork();
    if (!signer.ok) return signer;
    const { roster } = this.#keeper.current();
    const member = roster.nodes.find(({ id }) => id === node);
    if (member === undefined) return failure("node-unknown", "the roster holds no such node");
    const now = this.#clock();
    const last = this.#askedAt.get(node);
    if (last !== undefined && Math.abs(now - last) < ASKED_AGAIN_AFTER) {
      return failure("limit-reached", `${member.name} has asked for a certificate just now`, undefined, true);
    }
    this.#askedAt.set(node, now);
    const key = csrKey(csr);
    if (!key.ok) return key;
    if (spkiPin(key.value) !== member.pin) {
      const message = `the request is for another key than the roster has for ${member.name}`;
      return failure("certificate-invalid", message, "Remove the node and join it anew for another key.");
    }
    const leaf = await this.#leaves.issue(node, key.value);
    if (!leaf.ok) return leaf;
    this.#signing.note(node, leaf.value.facts);
    const wait = Math.min(PUBLISH_RENEWALS_AFTER, this.#leafLife / 10);
    this.#publishing ??= setTimeout(() => void this.publishRenewals(), wait).unref();
    return ok(leaf.value.pem + signer.value.certificate);
  }

  async #applyConfig(text: string, expectVersion: number | undefined): Promise<Result<AppliedConfig>> {
    const { roster } = this.#keeper.current();
    const { version } = roster.config;
    if (text.length > SHARED_CONFIG_CHARS_MAX) {
      return failure(
        "limit-reached",
        `the shared configuration is longer than ${SHARED_CONFIG_CHARS_MAX} characters`,
      );
    }
    if (expectVersion !== undefined && expectVersion !== version) {
      const message = `the shared configuration is at version ${version} by now, not ${expectVersion}`;
      return failure("roster-refused", message, "Look at the current one and apply again.");
    }
    if (text === roster.config.text)
      return ok({ term: roster.term, epoch: roster.epoch, version, changed: false });
    const published = await this.#publish({ config: { version: version + 1, text } });
    if (!published.ok) return published;
    const { term, epoch, config } = published.value.roster;
    return ok({ term, epoch, version: config.version, changed: true });
  }

  #publish(changes: RosterChanges): Promise<Result<ParsedRoster>> {
    return this.#signing.publish(() => ok(changes));
  }

  /** What a joiner is shown first; undefined while this node does not sign. */
  #hello(): JoinHello | undefined {
    const signer = this.#signing.atWork();
    if (!signer.ok) return undefined;
    const { roots } = this.#keeper.current().roster;
    const above = rootAbove(signer.value.certificate, roots);
    const root = roots.find(({ pin }) => pin === above)?.certificate ?? "";
    return { schema: 1, intermediate: signer.value.certificate, root };
  }

  /** The token is consumed on disk before anything is signed; a repeat with the same key ends the same. */
  async #admit(request: JoinRequest, exporterHex: string): Promise<Result<Admission>> {
    const proofText = joinProofText({ ...request, exporterHex, csrSha256: sha256Hex(request.csr) });
    const token = provenToken(this.#tokens.find(request.token), proofText, request.proof);
    if (!token.ok) return token;
    const key = csrKey(request.csr);
    if (!key.ok) return key;
    const pin = spkiPin(key.value);
    const judged = judgeToken(token.value, { name: request.name, pin }, this.#clock());
    if (!judged.ok) return judged;
    const id = token.value.used?.node ?? randomUUID();
    const { roster } = this.#keeper.current();
    const newcomer = entryFor(roster, { ...request, id, pin }, this.#clock());
    if (!newcomer.ok) return newcomer;
    if (token.value.used === null) {
      const consumed = await this.#tokens.consume(request.token, { pin, node: id, at: this.#clock() });
      if (!consumed.ok) return consumed;
    }
    return this.#welcome(newcomer.value, key.value);
  }

  async #welcome(newcomer: RosterNode, key: KeyObject): Promise<Result<Admission>> {
    const signer = this.#signing.atWork();
    if (!signer.ok) return signer;
    const leaf = await this.#leaves.issue(newcomer.id, key);
    if (!leaf.ok) return leaf;
    const others = this.#keeper.current().roster.nodes.filter((node) => node.id !== newcomer.id);
    const published = await this.#publish({
      nodes: [...others, { ...newcomer, ...certificateFields(leaf.value.facts) }],
    });
    if (!published.ok) return published;
    return ok({
      certificate: leaf.value.pem + signer.value.certificate,
      roster: this.#keeper.current().encoded,
    });
  }
}
