import type { X509Certificate } from "node:crypto";
import {
  certificateEnds,
  certificatePin,
  issuedBy,
  nodeNamed,
  parseCertificates,
} from "../adapters/pki/certificates.ts";
import { keyMatches, parsePrivateKey } from "../adapters/pki/keys.ts";
import { type Checkpoint, StateFolder } from "../adapters/state/folder.ts";
import { lockState } from "../adapters/state/lock.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type WallTime, wallTime } from "../kit/time.ts";
import { Keymaster } from "./keymaster.ts";
import { RosterKeeper } from "./roster-keeper.ts";
import {
  NODE_CERTIFICATE_FILE,
  NODE_FILE,
  NODE_KEY_FILE,
  type NodeFile,
  PENDING_INIT_FILE,
  PENDING_JOIN_FILE,
} from "./state-files.ts";

export interface Identity {
  readonly stateDir: string;
  readonly mesh: string;
  readonly id: string;
  /** From the roster, which is the truth about both; as they were at the join if this node is not in it. */
  readonly name: string;
  readonly addresses: readonly string[];
  readonly keyPem: string;
  /** Leaf, then intermediate. */
  readonly certificatePem: string;
  readonly certificateExpires: WallTime;
  readonly keeper: RosterKeeper;
  /** Present on the node that signs. */
  readonly keymaster?: Keymaster;
}

export interface IdentityOptions {
  readonly clock?: () => WallTime;
  readonly checkpoint?: Checkpoint;
}

const systemClock = (): WallTime => wallTime(Date.now());

/**
 * Everything that makes this host a node, checked: that the files are whole, belong together
 * and to this mesh. Changes nothing. Whoever keeps it holds the state folder's lock.
 */
export async function loadIdentity(
  stateDir: string,
  options: IdentityOptions = {},
): Promise<Result<Identity>> {
  const folder = new StateFolder(stateDir, options.checkpoint);
  const usable = await folder.check();
  if (!usable.ok) return usable;
  const node = await folder.readJson(NODE_FILE);
  if (!node.ok) return node;
  if (node.value === undefined) return noIdentity(folder);
  const keeper = await RosterKeeper.load(folder, node.value.mesh);
  if (!keeper.ok) return keeper;
  const credentials = await loadCredentials(folder, node.value, keeper.value);
  if (!credentials.ok) return credentials;
  const { keyPem, certificatePem, leaf } = credentials.value;
  const self = { mesh: node.value.mesh, id: node.value.id, pin: certificatePin(leaf) };
  const keymaster = await Keymaster.load(folder, self, keeper.value, options.clock ?? systemClock);
  if (!keymaster.ok) return keymaster;
  const listed = keeper.value.current().roster.nodes.find((member) => member.id === self.id) ?? node.value;
  return ok({
    stateDir,
    mesh: self.mesh,
    id: self.id,
    name: listed.name,
    addresses: listed.addresses,
    keyPem,
    certificatePem,
    certificateExpires: certificateEnds(leaf),
    keeper: keeper.value,
    ...(keymaster.value === undefined ? {} : { keymaster: keymaster.value }),
  });
}

/**
 * Keymaster operations while no daemon runs. Takes the folder's lock for as long as `operation`
 * takes; fails with `state-locked` when a daemon runs, `not-keymaster` elsewhere.
 */
export async function withOfflineKeymaster<T>(
  stateDir: string,
  operation: (keymaster: Keymaster, identity: Identity) => Promise<Result<T>>,
  options: IdentityOptions = {},
): Promise<Result<T>> {
  const lock = lockState(stateDir);
  if (!lock.ok) return lock;
  try {
    const identity = await loadIdentity(stateDir, options);
    if (!identity.ok) return identity;
    const { keymaster } = identity.value;
    if (keymaster !== undefined) return await operation(keymaster, identity.value);
    const { roster } = identity.value.keeper.current();
    const signer = roster.nodes.find((node) => node.id === roster.keymaster)?.name ?? roster.keymaster;
    return failure(
      "not-keymaster",
      `${identity.value.name} is not the keymaster, ${signer} is`,
      `Run this on ${signer}.`,
    );
  } finally {
    lock.value.release();
  }
}

interface Credentials {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly leaf: X509Certificate;
}

async function loadCredentials(
  folder: StateFolder,
  node: NodeFile,
  keeper: RosterKeeper,
): Promise<Result<Credentials>> {
  const keyPath = `${folder.path}/${NODE_KEY_FILE}`;
  const certificatePath = `${folder.path}/${NODE_CERTIFICATE_FILE}`;
  const remedy = NODE_FILE.remedy;
  const keyText = await folder.readSecret(NODE_KEY_FILE);
  if (!keyText.ok) return keyText;
  const certificateText = await folder.readText(NODE_CERTIFICATE_FILE);
  if (!certificateText.ok) return certificateText;
  if (keyText.value === undefined) return failure("state-missing", `${keyPath} is missing`, remedy);
  if (certificateText.value === undefined)
    return failure("state-missing", `${certificatePath} is missing`, remedy);
  const key = parsePrivateKey(keyText.value, keyPath);
  if (!key.ok) return key;
  const chain = parseCertificates(certificateText.value);
  if (!chain.ok) return failure("state-corrupt", `${certificatePath}: ${chain.error.message}`, remedy);
  const [leaf, intermediate] = chain.value;
  if (leaf === undefined || intermediate === undefined || !vouchedFor(leaf, intermediate, keeper)) {
    return failure(
      "state-corrupt",
      `${certificatePath}: its signatures do not lead to this mesh's root`,
      remedy,
    );
  }
  const named = nodeNamed(leaf);
  if (named?.mesh !== node.mesh || named.node !== node.id) {
    return failure("state-corrupt", `${certificatePath} is not for this node of this mesh`, remedy);
  }
  if (!keyMatches(key.value, leaf.publicKey)) {
    return failure("state-corrupt", `${keyPath} and ${certificatePath} do not belong together`, remedy);
  }
  return ok({ keyPem: keyText.value, certificatePem: certificateText.value, leaf });
}

function vouchedFor(leaf: X509Certificate, intermediate: X509Certificate, keeper: RosterKeeper): boolean {
  if (leaf.ca || !issuedBy(leaf, intermediate)) return false;
  return keeper.current().roster.roots.some((root) => {
    const parsed = parseCertificates(root.certificate);
    return parsed.ok && parsed.value[0] !== undefined && issuedBy(intermediate, parsed.value[0]);
  });
}

async function noIdentity(folder: StateFolder): Promise<Result<never>> {
  if (await folder.exists(PENDING_INIT_FILE.name)) {
    return failure(
      "state-missing",
      `${folder.path}: an interrupted init left no mesh`,
      "Run `balefire init` again.",
    );
  }
  if (await folder.exists(PENDING_JOIN_FILE.name)) {
    return failure(
      "state-missing",
      `${folder.path}: a join is unfinished`,
      "Run `balefire join` again with the same token.",
    );
  }
  return failure(
    "state-missing",
    `${folder.path} holds no identity`,
    "Run `balefire init` or `balefire join`.",
  );
}
