import { type Checkpoint, StateFolder } from "../adapters/state/folder.ts";
import { lockState } from "../adapters/state/lock.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, type WallTime, wallTime } from "../kit/time.ts";
import { Keymaster } from "./keymaster.ts";
import { KeymasterSeat } from "./keymaster-seat.ts";
import { OwnCertificate } from "./own-certificate.ts";
import { REJOIN_REMEDY, removalWords } from "./removal.ts";
import { RosterKeeper } from "./roster-keeper.ts";
import { NODE_FILE, PENDING_INIT_FILE, PENDING_JOIN_FILE } from "./state-files.ts";

export interface Identity {
  readonly stateDir: string;
  readonly mesh: string;
  readonly id: string;
  /** From the roster, which is the truth about both; as they were at the join if this node is not in it. */
  readonly name: string;
  readonly addresses: readonly string[];
  readonly keyPem: string;
  readonly certificate: OwnCertificate;
  /** Leaf, then intermediate; another one once it is renewed. */
  readonly certificatePem: string;
  readonly certificateExpires: WallTime;
  readonly keeper: RosterKeeper;
  /** Says whether this node signs. */
  readonly seat: KeymasterSeat;
}

export interface IdentityOptions {
  readonly clock?: () => WallTime;
  readonly checkpoint?: Checkpoint;
  /** How long certificates live that this node signs. */
  readonly leafLife?: Duration;
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
  const own = await OwnCertificate.load(folder, node.value, keeper.value);
  if (!own.ok) return own;
  const certificate = own.value;
  const self = { mesh: node.value.mesh, id: node.value.id, pin: certificate.pin };
  const member = removal(keeper.value, self);
  if (!member.ok) return member;
  const clock = options.clock ?? systemClock;
  const keymaster = await Keymaster.load(folder, self, keeper.value, clock, options.leafLife);
  if (!keymaster.ok) return keymaster;
  const seat = await KeymasterSeat.load(folder, self.id, keeper.value, keymaster.value);
  if (!seat.ok) return seat;
  const listed = keeper.value.current().roster.nodes.find((member) => member.id === self.id) ?? node.value;
  return ok({
    stateDir,
    mesh: self.mesh,
    id: self.id,
    name: listed.name,
    addresses: listed.addresses,
    keyPem: certificate.keyPem,
    certificate,
    get certificatePem() {
      return certificate.pem;
    },
    get certificateExpires() {
      return certificate.facts.notAfter;
    },
    keeper: keeper.value,
    seat: seat.value,
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
    const keymaster = identity.value.seat.current();
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

/** A key that was revoked stays so: this host can only join anew. */
function removal(keeper: RosterKeeper, self: { id: string; pin: string }): Result<void> {
  const { roster } = keeper.current();
  const revoked = roster.revoked.find(({ pin }) => pin === self.pin);
  if (revoked === undefined || roster.nodes.some(({ id }) => id === self.id)) return ok(undefined);
  return failure("node-removed", removalWords(revoked), REJOIN_REMEDY);
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
