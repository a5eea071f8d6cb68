import { type KeyObject, randomUUID } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { certificateEnds, certificatePin, parseCertificate } from "../adapters/pki/certificates.ts";
import { csrKey, issueLeaf } from "../adapters/pki/issue.ts";
import { keyMatches, parsePrivateKey, spkiPin } from "../adapters/pki/keys.ts";
import { signRoster } from "../adapters/pki/roster-signature.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { sha256Hex } from "../kit/hash.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type WallTime, wallTime } from "../kit/time.ts";
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
import { parseOwnAddresses } from "./own-addresses.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { nextRoster } from "./roster-next.ts";
import { Serial } from "./serial.ts";
import { SIGNER_CERTIFICATE_FILE, SIGNER_KEY_FILE, type TokenRecord } from "./state-files.ts";
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

const SIGNER_REMEDY = "Restore the file from a backup of this host.";

interface Signer {
  readonly key: KeyObject;
  readonly certificate: string;
  readonly pin: string;
}
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
  readonly #serial = new Serial();
  readonly #desk: JoinDesk;

  private constructor(
    self: Self,
    keeper: RosterKeeper,
    signer: Signer,
    tokens: TokenBook,
    clock: () => WallTime,
  ) {
    this.#self = self;
    this.#keeper = keeper;
    this.#signer = signer;
    this.#tokens = tokens;
    this.#clock = clock;
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
    return tokens.ok ? ok(new Keymaster(self, keeper, signer.value, tokens.value, clock)) : tokens;
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

  async #createToken(name: string, life: number): Promise<Result<CreatedToken>> {
    const valid = nodeNameText.safeParse(name);
    if (!valid.success) return failure("usage", `${name.slice(0, 64)}: ${valid.error.issues[0]?.message}`);
    const { roster } = this.#keeper.current();
    if (roster.nodes.some((node) => node.name === name)) {
      return failure(
        "name-taken",
        `the mesh has a node ${name} already`,
        "Choose another name: removing a node is not built yet.",
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
    if (current.signed.signer !== this.#signer.pin) {
      return failure("not-keymaster", "another node has become keymaster", "Run this on the keymaster.");
    }
    const roster = nextRoster(current, changes, new Date(this.#clock()).toISOString());
    const signed = signRoster(roster, this.#signer.key, this.#signer.pin);
    if (!signed.ok) return signed;
    const adopted = await this.#keeper.consider(signed.value.encoded);
    return adopted.ok ? ok(roster) : adopted;
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
    const names = { mesh: this.#self.mesh, node: newcomer.id };
    const leaf = await issueLeaf(names, key, this.#signer, this.#clock());
    const parsed = parseCertificate(leaf);
    if (!parsed.ok) return parsed;
    const certificateExpires = new Date(certificateEnds(parsed.value)).toISOString();
    const others = this.#keeper.current().roster.nodes.filter((node) => node.id !== newcomer.id);
    const published = await this.#publish({ nodes: [...others, { ...newcomer, certificateExpires }] });
    if (!published.ok) return published;
    return ok({ certificate: leaf + this.#signer.certificate, roster: this.#keeper.current().encoded });
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
    const neighbour = others.find((node) =>
      node.addresses.some((address) => addresses.value.includes(address)),
    );
    if (neighbour !== undefined) {
      const shared = neighbour.addresses.find((address) => addresses.value.includes(address));
      const message = `${request.name} cannot have address ${shared}: node ${neighbour.name} has it`;
      return failure("join-refused", message, "Join with this host's own addresses.");
    }
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

async function loadSigner(folder: StateFolder): Promise<Result<Signer>> {
  const keyPath = `${folder.path}/${SIGNER_KEY_FILE}`;
  const certificatePath = `${folder.path}/${SIGNER_CERTIFICATE_FILE}`;
  const remedy = SIGNER_REMEDY;
  const pem = await folder.readSecret(SIGNER_KEY_FILE);
  if (!pem.ok) return pem;
  const certificate = await folder.readText(SIGNER_CERTIFICATE_FILE);
  if (!certificate.ok) return certificate;
  if (pem.value === undefined)
    return failure("state-missing", `${keyPath} is missing, and this node is the keymaster`, remedy);
  if (certificate.value === undefined)
    return failure("state-missing", `${certificatePath} is missing`, remedy);
  const key = parsePrivateKey(pem.value, keyPath);
  if (!key.ok) return key;
  const parsed = parseCertificate(certificate.value);
  if (!parsed.ok) return failure("state-corrupt", `${certificatePath}: ${parsed.error.message}`, remedy);
  if (!keyMatches(key.value, parsed.value.publicKey)) {
    return failure("state-corrupt", `${keyPath} and ${certificatePath} do not belong together`, remedy);
  }
  return ok({ key: key.value, certificate: certificate.value, pin: certificatePin(parsed.value) });
}
