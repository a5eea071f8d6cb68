import { createCsr } from "../adapters/pki/csr.ts";
import { generateKey, keyPem, parsePrivateKey } from "../adapters/pki/keys.ts";
import { type Checkpoint, StateFolder } from "../adapters/state/folder.ts";
import { lockState } from "../adapters/state/lock.ts";
import { type Failure, fail, failure, ok, type Result } from "../kit/result.ts";
import { type WallTime, wallTime } from "../kit/time.ts";
import { type JoinToken, parseToken } from "../wire/token.ts";
import { wallNow } from "./clock.ts";
import { clockHints } from "./clock-hints.ts";
import { type Admitted, callKeymaster } from "./join-call.ts";
import { hintsAbout, parseAddress, parseOwnAddresses } from "./own-addresses.ts";
import { RosterKeeper } from "./roster-keeper.ts";
import {
  IDENTITY_FILES,
  NODE_CERTIFICATE_FILE,
  NODE_FILE,
  NODE_KEY_FILE,
  type NodeFile,
  PENDING_INIT_FILE,
  PENDING_JOIN_FILE,
  type PendingJoin,
  ROSTER_FILE,
} from "./state-files.ts";

export interface JoinOptions {
  readonly stateDir: string;
  /** The line `balefire token create` printed. */
  readonly token: string;
  /** Where to reach the keymaster, or a node that relays to it, instead of the token's addresses. */
  readonly via?: string;
  /** This host's own, `IP` or `IP:PORT`. */
  readonly addresses: readonly string[];
  readonly progress?: (text: string) => void;
  readonly clock?: () => WallTime;
  readonly checkpoint?: Checkpoint;
}

export interface JoinedMesh {
  readonly mesh: string;
  readonly node: string;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Nothing was done: this host is that node already. */
  readonly already: boolean;
}

/**
 * Makes this host a node of the token's mesh. The key is on disk before anything is sent, and
 * `node.json` is written last, so the same command goes on after a crash at any point.
 */
export async function joinMesh(options: JoinOptions): Promise<Result<JoinedMesh>> {
  const token = parseToken(options.token);
  if (!token.ok) return token;
  const addresses = parseOwnAddresses(options.addresses);
  if (!addresses.ok) return addresses;
  const via = options.via === undefined ? ok(undefined) : parseAddress(options.via);
  if (!via.ok) return via;
  const folder = new StateFolder(options.stateDir, options.checkpoint);
  const prepared = await folder.prepare();
  if (!prepared.ok) return prepared;
  const lock = lockState(options.stateDir);
  if (!lock.ok) return lock;
  try {
    const already = await findExisting(folder, token.value);
    if (!already.ok) return already;
    if (already.value !== undefined) return ok(already.value);
    const targets = via.value === undefined ? token.value.addresses : [via.value];
    return await join(folder, token.value, { ...options, addresses: addresses.value }, targets);
  } finally {
    lock.value.release();
  }
}

/** This host as that node already; undefined when there is room for it; fails when somebody else lives here. */
async function findExisting(folder: StateFolder, token: JoinToken): Promise<Result<JoinedMesh | undefined>> {
  const node = await folder.readJson(NODE_FILE);
  if (!node.ok) return node;
  if (node.value !== undefined) {
    const { mesh, id, name, addresses } = node.value;
    if (await wasRemoved(folder, node.value)) return ok(undefined);
    if (mesh !== token.mesh || name !== token.name) {
      const remedy = "To leave that mesh, stop the daemon and move the folder aside.";
      return failure("state-exists", `${folder.path} is node ${name} of mesh ${mesh} already`, remedy);
    }
    const tidied = await folder.remove(PENDING_JOIN_FILE.name);
    return tidied.ok ? ok({ mesh, node: id, name, addresses, already: true }) : tidied;
  }
  if (await folder.exists(PENDING_JOIN_FILE.name)) return ok(undefined);
  for (const file of [PENDING_INIT_FILE.name, ...IDENTITY_FILES]) {
    if (await folder.exists(file)) {
      return failure(
        "state-exists",
        `${folder.path} holds ${file} but no ${NODE_FILE.name}`,
        NODE_FILE.remedy,
      );
    }
  }
  return ok(undefined);
}

/**
 * The roster on disk is proof that this host is nobody's node any more: a new identity takes the place
 * of the old one, whose key nobody would let in.
 */
async function wasRemoved(folder: StateFolder, node: NodeFile): Promise<boolean> {
  const keeper = await RosterKeeper.load(folder, node.mesh);
  if (!keeper.ok) return false;
  const { roster } = keeper.value.current();
  const isMember = roster.nodes.some(({ id }) => id === node.id);
  return !isMember && roster.revoked.some((revoked) => revoked.node === node.id);
}

async function join(
  folder: StateFolder,
  token: JoinToken,
  options: JoinOptions,
  targets: readonly string[],
): Promise<Result<JoinedMesh>> {
  const progress = options.progress ?? (() => {});
  for (const hint of hintsAbout(options.addresses)) progress(hint);
  const pending = await pendingFor(folder, token, progress);
  if (!pending.ok) return pending;
  // There only when this host was removed before: what is still there of it is replaced at the end.
  const vacated = await folder.remove(NODE_FILE.name);
  if (!vacated.ok) return vacated;
  const key = parsePrivateKey(pending.value.key, `${folder.path}/${PENDING_JOIN_FILE.name}`);
  if (!key.ok) return key;
  const call = {
    token,
    addresses: options.addresses,
    key: key.value,
    csr: createCsr(key.value),
    progress,
  };
  options.checkpoint?.("before calling");
  const admitted = await callInTurn(targets, call);
  options.checkpoint?.("admitted");
  if (!admitted.ok) return admitted;
  const signedAt = wallTime(Date.parse(admitted.value.roster.roster.issuedAt));
  for (const hint of clockHints(signedAt, (options.clock ?? wallNow)())) progress(hint);
  return commit(folder, token, pending.value, admitted.value);
}

/** The key of this token's unfinished join, or a new one, on disk either way. */
async function pendingFor(
  folder: StateFolder,
  token: JoinToken,
  progress: (text: string) => void,
): Promise<Result<PendingJoin>> {
  const found = await folder.readJson(PENDING_JOIN_FILE);
  if (!found.ok) return found;
  if (found.value?.token === token.id && found.value.mesh === token.mesh) {
    progress("going on with the join that was interrupted");
    return ok(found.value);
  }
  const fresh: PendingJoin = { mesh: token.mesh, token: token.id, key: keyPem(generateKey()) };
  const written = await folder.writeJson(PENDING_JOIN_FILE, fresh);
  return written.ok ? ok(fresh) : written;
}

/** A keymaster that was reached and said no is not asked again at its other addresses. */
async function callInTurn(
  targets: readonly string[],
  call: Parameters<typeof callKeymaster>[1],
): Promise<Result<Admitted>> {
  const failures: Failure[] = [];
  for (const target of targets) {
    call.progress(`connecting to ${target}`);
    const result = await callKeymaster(target, call);
    if (result.ok || !isAboutAddress(result.error)) return result;
    failures.push(result.error);
  }
  const [first, ...more] = failures;
  if (first === undefined) return failure("token-invalid", "the join token names no address");
  if (more.length === 0) return fail(first);
  return fail({ ...first, message: failures.map((each) => each.message).join("; ") });
}

const isAboutAddress = (error: Failure): boolean =>
  error.code === "keymaster-unreachable" ||
  error.code === "certificate-invalid" ||
  error.code === "protocol-violation";

async function commit(
  folder: StateFolder,
  token: JoinToken,
  pending: PendingJoin,
  { certificatePem, roster, self }: Admitted,
): Promise<Result<JoinedMesh>> {
  const node = { mesh: token.mesh, id: self.id, name: self.name, addresses: self.addresses };
  const steps = [
    () => folder.writeText(NODE_KEY_FILE, pending.key),
    () => folder.writeText(NODE_CERTIFICATE_FILE, certificatePem),
    () => folder.writeJson(ROSTER_FILE, roster.signed),
    () => folder.writeJson(NODE_FILE, node),
    () => folder.remove(PENDING_JOIN_FILE.name),
  ];
  for (const step of steps) {
    const done = await step();
    if (!done.ok) return done;
  }
  return ok({ mesh: node.mesh, node: node.id, name: node.name, addresses: node.addresses, already: false });
}
