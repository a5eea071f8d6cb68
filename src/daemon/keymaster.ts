import { type KeyObject, randomUUID } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { type CertificateFacts, certificateFacts, parseCertificate } from "../adapters/pki/certificates.ts";
import { csrKey, issueLeaf, LEAF_LIFE } from "../adapters/pki/issue.ts";
import { spkiPin } from "../adapters/pki/keys.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { sha256Hex } from "../kit/hash.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, ms, type WallTime, wallTime } from "../kit/time.ts";
import { type JoinRequest, joinProofText } from "../wire/join.ts";
import {
  nodeNameText,
  ROSTER_NODES_MAX,
  type Roster,
  type RosterNode,
  SHARED_CONFIG_CHARS_MAX,
} from "../wire/roster.ts";
import { encodeToken } from "../wire/token.ts";
import { type Admission, JoinDesk } from "./join-desk.ts";
import { certificateFields, checkFree, readdressed, withCertificates, withoutNode } from "./membership.ts";
import { parseOwnAddresses } from "./own-addresses.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { nextRoster } from "./roster-next.ts";
import { Serial } from "./serial.ts";
import { loadSigner, SIGNER_REMEDY, type Signer } from "./signer.ts";
import { SIGNER_CERTIFICATE_FILE, type TokenRecord } from "./state-files.ts";
import { judgeToken, provenToken, TokenBook, type TokenState, tokenState } from "./tokens.ts";

export interface CreatedToken {
  /** The one line for the new host; holds the secret. */
  readonly token: string;
  readonly id: string;
  readonly name: string;
  readonly expires: WallTime;
}
export interface ListedToken {
  readonly id: string;
  readonly name: string;
  readonly created: WallTime;
  readonly expires: WallTime;
  readonly state: TokenState;
}
export interface AppliedConfig {
  readonly term: number;
  readonly epoch: number;
  /** Counts the shared configurations of this mesh. */
  readonly version: number;
  readonly changed: boolean;
}

/** The roster after a removal or a change of addresses, and whom it was about. */
export interface ChangedNode {
  readonly term: number;
  readonly epoch: number;
  readonly node: RosterNode;
}

/** Renewals are entered in the roster together: each roster is sent to every node. */
const PUBLISH_RENEWALS_AFTER: Duration = ms(600_000);
/** A member may not keep the keymaster busy with signing. */
const ASKED_AGAIN_AFTER: Duration = ms(500);

interface Self {
  readonly mesh: string;
  readonly id: string;
  /** Pin of this node's TLS key: what joiners will see. */
  readonly pin: string;
}

/** What only the node that signs can do. Whatever makes a roster runs one after the other. */
export class Keymaster {
  readonly #self: Self;
  readonly #keeper: RosterKeeper;
  readonly #signer: Signer;
  readonly #tokens: TokenBook;
  readonly #clock: () => WallTime;
  readonly #leafLife: Duration;
  readonly #serial = new Serial();
  readonly #desk: JoinDesk;
  /** Issued since the roster was last signed, by node. */
  readonly #issued = new Map<string, CertificateFacts>();
  readonly #askedAt = new Map<string, WallTime>();
  #publishing: NodeJS.Timeout | undefined;

  private constructor(
    self: Self,
    keeper: RosterKeeper,
    signer: Signer,
    tokens: TokenBook,
    clock: () => WallTime,
    leafLife: Duration,
  ) {
    this.#self = self;
    this.#keeper = keeper;
    this.#signer = signer;
    this.#tokens = tokens;
    this.#clock = clock;
    this.#leafLife = leafLife;
    const root = keeper.current().roster.roots[0]?.certificate ?? "";
    this.#desk = new JoinDesk({ schema: 1, intermediate: signer.certificate, root }, (request, exporterHex) =>
      this.#serial.run(() => this.#admit(request, exporterHex)),
    );
  }

  /** Undefined when this node holds no signing key, or the roster has another signer by now. */
  static async load(
    folder: StateFolder,
    self: Self,
    keeper: RosterKeeper,
    clock: () => WallTime,
    leafLife: Duration = LEAF_LIFE,
  ): Promise<Result<Keymaster | undefined>> {
    const { roster, signed } = keeper.current();
    if (roster.keymaster !== self.id) return ok(undefined);
    const signer = await loadSigner(folder);
    if (!signer.ok) return signer;
    if (signer.value.pin !== signed.signer) return ok(undefined);
    const listed = roster.succession.find((successor) => successor.pin === signed.signer);
    if (listed?.certificate.trim() !== signer.value.certificate.trim()) {
      const message = `${folder.path}/${SIGNER_CERTIFICATE_FILE} is not the certificate that the roster lists`;
      return failure("state-corrupt", message, SIGNER_REMEDY);
    }
    const tokens = await TokenBook.load(folder);
    return tokens.ok ? ok(new Keymaster(self, keeper, signer.value, tokens.value, clock, leafLife)) : tokens;
  }

  /** `life` in milliseconds. Fails with `name-taken`, `usage` or `limit-reached`. */
  createToken(name: string, life: number): Promise<Result<CreatedToken>> {
    return this.#serial.run(() => this.#createToken(name, life));
  }

  listTokens(): readonly ListedToken[] {
    return this.#tokens.list().map((record) => this.#listed(record));
  }

  revokeToken(id: string): Promise<Result<ListedToken>> {
    return this.#serial.run(async () => {
      const revoked = await this.#tokens.revoke(id);
      return revoked.ok ? ok(this.#listed(revoked.value)) : revoked;
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
  issuedTo(node: string): CertificateFacts | undefined {
    return this.#issued.get(node);
  }

  /** Signs the roster that no longer holds the node; `why` is kept in it. Fails with `node-unknown` or `usage`. */
  removeNode(named: string, why: string): Promise<Result<ChangedNode>> {
    return this.#serial.run(async () => {
      const without = withoutNode(this.#keeper.current().roster, named, { why, at: this.#clock() });
      if (!without.ok) return without;
      const published = await this.#publish(without.value.changes);
      if (!published.ok) return published;
      const { term, epoch } = published.value;
      this.#issued.delete(without.value.removed.id);
      return ok({ term, epoch, node: without.value.removed });
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
      return ok({ term: published.value.term, epoch: published.value.epoch, node: moved.value.node });
    });
  }

  /** Enters what was renewed in the roster; without that it is done a few minutes after the first renewal. */
  publishRenewals(): Promise<Result<void>> {
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    return this.#serial.run(async () => {
      if (this.#issued.size === 0) return ok(undefined);
      const published = await this.#publish({});
      return published.ok ? ok(undefined) : published;
    });
  }

  async #renew(node: string, csr: string): Promise<Result<string>> {
    const { roster, signed } = this.#keeper.current();
    if (signed.signer !== this.#signer.pin) return notSigner();
    const member = roster.nodes.find(({ id }) => id === node);
    if (member === undefined) return failure("node-unknown", "the roster holds no such node");
    const now = this.#clock();
    const last = this.#askedAt.get(node);
    if (last !== undefined && Math.abs(now - last) < ASKED_AGAIN_AFTER) {
      return failure("limit-reached", `${member.name} has asked for a certificate just now`, undefined, true);
    }
    this.#askedAt.set(node, now);
    const key = await csrKey(csr);
    if (!key.ok) return key;
    if (spkiPin(key.value) !== member.pin) {
      const message = `the request is for another key than the roster has for ${member.name}`;
      return failure("certificate-invalid", message, "Remove the node and join it anew for another key.");
    }
    const leaf = await this.#issue(node, key.value);
    if (!leaf.ok) return leaf;
    this.#issued.set(node, leaf.value.facts);
    const wait = Math.min(PUBLISH_RENEWALS_AFTER, this.#leafLife / 10);
    this.#publishing ??= setTimeout(() => void this.publishRenewals(), wait).unref();
    return ok(leaf.value.pem + this.#signer.certificate);
  }

  async #issue(
    node: string,
    key: KeyObject,
  ): Promise<Result<{ readonly pem: string; readonly facts: CertificateFacts }>> {
    const names = { mesh: this.#self.mesh, node };
    const pem = await issueLeaf(names, key, this.#signer, this.#clock(), this.#leafLife);
    const parsed = parseCertificate(pem);
    return parsed.ok ? ok({ pem, facts: certificateFacts(parsed.value) }) : parsed;
  }

  async #createToken(name: string, life: number): Promise<Result<CreatedToken>> {
    const valid = nodeNameText.safeParse(name);
    if (!valid.success) return failure("usage", `${name.slice(0, 64)}: ${valid.error.issues[0]?.message}`);
    const { roster } = this.#keeper.current();
    if (roster.nodes.some((node) => node.name === name)) {
      return failure(
        "name-taken",
        `the mesh has a node ${name} already`,
        `Choose another name, or remove it first: \`balefire node remove ${name}\`.`,
      );
    }
    const made = await this.#tokens.create(name, life, this.#clock());
    if (!made.ok) return made;
    const { record, secret } = made.value;
    const token = encodeToken({
      mesh: this.#self.mesh,
      root: roster.roots[0]?.pin ?? "",
      keymaster: this.#self.pin,
      addresses: roster.nodes.find((node) => node.id === this.#self.id)?.addresses ?? [],
      id: record.id,
      secret,
      name,
      expires: wallTime(record.expires),
    });
    return ok({ token, id: record.id, name, expires: wallTime(record.expires) });
  }

  #listed(record: TokenRecord): ListedToken {
    const { id, name } = record;
    const state = tokenState(record, this.#clock());
    return { id, name, created: wallTime(record.created), expires: wallTime(record.expires), state };
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
    const { term, epoch, config } = published.value;
    return ok({ term, epoch, version: config.version, changed: true });
  }

  /** Signs the next roster and adopts it the way everybody does. */
  async #publish(changes: Partial<Pick<Roster, "nodes" | "revoked" | "config">>): Promise<Result<Roster>> {
    const current = this.#keeper.current();
    if (current.signed.signer !== this.#signer.pin) return notSigner();
    const nodes = withCertificates(changes.nodes ?? current.roster.nodes, this.#issued);
    const roster = nextRoster(current, { ...changes, nodes }, new Date(this.#clock()).toISOString());
    const signed = signRoster(roster, this.#signer.key, this.#signer.pin);
    if (!signed.ok) return signed;
    const adopted = await this.#keeper.consider(signed.value.encoded);
    if (!adopted.ok) return adopted;
    this.#issued.clear();
    return ok(roster);
  }

  /** The token is consumed on disk before anything is signed; a repeat with the same key ends the same. */
  async #admit(request: JoinRequest, exporterHex: string): Promise<Result<Admission>> {
    const proofText = joinProofText({ ...request, exporterHex, csrSha256: sha256Hex(request.csr) });
    const token = provenToken(this.#tokens.find(request.token), proofText, request.proof);
    if (!token.ok) return token;
    const key = await csrKey(request.csr);
    if (!key.ok) return key;
    const pin = spkiPin(key.value);
    const judged = judgeToken(token.value, { name: request.name, pin }, this.#clock());
    if (!judged.ok) return judged;
    const id = token.value.used?.node ?? randomUUID();
    const newcomer = this.#newcomer(request, { id, pin });
    if (!newcomer.ok) return newcomer;
    if (token.value.used === null) {
      const consumed = await this.#tokens.consume(request.token, { pin, node: id, at: this.#clock() });
      if (!consumed.ok) return consumed;
    }
    return this.#welcome(newcomer.value, key.value);
  }

  async #welcome(newcomer: RosterNode, key: KeyObject): Promise<Result<Admission>> {
    const leaf = await this.#issue(newcomer.id, key);
    if (!leaf.ok) return leaf;
    const others = this.#keeper.current().roster.nodes.filter((node) => node.id !== newcomer.id);
    const published = await this.#publish({
      nodes: [...others, { ...newcomer, ...certificateFields(leaf.value.facts) }],
    });
    if (!published.ok) return published;
    return ok({
      certificate: leaf.value.pem + this.#signer.certificate,
      roster: this.#keeper.current().encoded,
    });
  }

  /** The newcomer's entry, or why the roster cannot take it. Nothing has been consumed yet. */
  #newcomer(request: JoinRequest, { id, pin }: { id: string; pin: string }): Result<RosterNode> {
    const { roster } = this.#keeper.current();
    const addresses = parseOwnAddresses(request.addresses);
    if (!addresses.ok) return addresses;
    const others = roster.nodes.filter((node) => node.id !== id);
    if (others.length >= ROSTER_NODES_MAX)
      return failure("limit-reached", `a mesh has ${ROSTER_NODES_MAX} nodes at most`);
    if (others.some((node) => node.name === request.name)) {
      return failure(
        "name-taken",
        `the mesh has a node ${request.name} already`,
        "Make a token for another name.",
      );
    }
    const free = checkFree(request.name, addresses.value, others);
    if (!free.ok) return failure("join-refused", free.error.message, "Join with this host's own addresses.");
    if ([...others, ...roster.revoked].some((entry) => entry.pin === pin)) {
      return failure(
        "join-refused",
        "the key of the request is known to the mesh already",
        "Join from an empty state folder.",
      );
    }
    const added = roster.nodes.find((node) => node.id === id)?.added ?? new Date(this.#clock()).toISOString();
    return ok({ id, name: request.name, addresses: addresses.value, pin, added });
  }
}

const notSigner = (): Result<never> =>
  failure("not-keymaster", "another node has become keymaster", "Run this on the keymaster.");
