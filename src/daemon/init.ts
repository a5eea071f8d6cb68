import { createPublicKey, randomUUID } from "node:crypto";
import { certificateFacts, certificatePin, parseCertificate } from "../adapters/pki/certificates.ts";
import { issueIntermediate, issueLeaf, issueRoot } from "../adapters/pki/issue.ts";
import { generateKey, keyPem, spkiPin } from "../adapters/pki/keys.ts";
import { sealRecovery } from "../adapters/pki/recovery.ts";
import { generateRecoveryCode } from "../adapters/pki/recovery-code.ts";
import { signOpening, signRoster } from "../adapters/pki/roster-signature.ts";
import { type Checkpoint, StateFolder } from "../adapters/state/folder.ts";
import { lockState } from "../adapters/state/lock.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import type { RecoveryFile } from "../wire/recovery-file.ts";
import { nodeNameText, type Roster, type SignedRoster } from "../wire/roster.ts";
import { wallNow } from "./clock.ts";
import { clockMayBegin } from "./clock-hints.ts";
import { firstCrls } from "./crl-desk.ts";
import { certificateFields } from "./membership.ts";
import { hintsAbout, parseOwnAddresses } from "./own-addresses.ts";
import {
  IDENTITY_FILES,
  NODE_CERTIFICATE_FILE,
  NODE_FILE,
  NODE_KEY_FILE,
  type NodeFile,
  PENDING_INIT_FILE,
  PENDING_JOIN_FILE,
  RECOVERY_STATE_FILE,
  ROSTER_FILE,
  SIGNER_CERTIFICATE_FILE,
  SIGNER_KEY_FILE,
  TOKENS_FILE,
} from "./state-files.ts";

export interface InitOptions {
  readonly stateDir: string;
  readonly name: string;
  /** `IP` or `IP:PORT`. */
  readonly addresses: readonly string[];
  /**
   * Called with the outcome just before the mesh comes into being: the place to print the
   * recovery code. Should the process die later, the code has been seen; should it die
   * earlier, there is no mesh and the code opens nothing.
   */
  readonly announce?: (mesh: NewMesh) => void | Promise<void>;
  readonly progress?: (text: string) => void;
  readonly clock?: () => WallTime;
  readonly checkpoint?: Checkpoint;
}

export interface NewMesh {
  readonly mesh: string;
  readonly node: string;
  /** To be shown once; it is stored nowhere. */
  readonly recoveryCode: string;
  readonly recoveryFile: string;
}

/**
 * Makes a mesh of one. `pending-init.json` is written first and removed last, `node.json` is
 * what makes it exist: a crash before that leaves a folder that the same command starts over.
 * Fails with `state-exists`, `state-locked`, `address-invalid`, `usage` or what the disk says.
 */
export async function initMesh(options: InitOptions): Promise<Result<NewMesh>> {
  const addresses = parseOwnAddresses(options.addresses);
  if (!addresses.ok) return addresses;
  const name = nodeNameText.safeParse(options.name);
  if (!name.success)
    return failure("usage", `${options.name.slice(0, 64)}: ${name.error.issues[0]?.message}`);
  const clock = clockMayBegin((options.clock ?? wallNow)());
  if (!clock.ok) return clock;
  const folder = new StateFolder(options.stateDir, options.checkpoint);
  const prepared = await folder.prepare();
  if (!prepared.ok) return prepared;
  const lock = lockState(options.stateDir);
  if (!lock.ok) return lock;
  try {
    const free = await checkFree(folder, options);
    return free.ok ? await make(folder, { ...options, addresses: addresses.value }) : free;
  } finally {
    lock.value.release();
  }
}

async function checkFree(folder: StateFolder, options: InitOptions): Promise<Result<void>> {
  const node = await folder.readJson(NODE_FILE);
  if (!node.ok) return node;
  if (node.value !== undefined) return alreadyThere(folder, node.value);
  if (await folder.exists(PENDING_JOIN_FILE.name)) {
    const message = `${folder.path} holds an unfinished join`;
    return failure(
      "state-exists",
      message,
      `Finish it with the same token, or remove ${PENDING_JOIN_FILE.name}.`,
    );
  }
  if (await folder.exists(PENDING_INIT_FILE.name)) {
    options.progress?.(
      "an earlier init was interrupted; starting over: a recovery code it printed opens nothing",
    );
    return ok(undefined);
  }
  for (const file of IDENTITY_FILES) {
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

async function alreadyThere(folder: StateFolder, node: NodeFile): Promise<Result<never>> {
  const interrupted = await folder.exists(PENDING_INIT_FILE.name);
  if (interrupted) await folder.remove(PENDING_INIT_FILE.name);
  const remedy = interrupted
    ? "The run that made it was interrupted after it printed the recovery code; without that code, remove the folder and init again."
    : "Nothing to do; to start over, stop the daemon and move the folder aside.";
  return failure("state-exists", `${folder.path} is node ${node.name} of mesh ${node.mesh} already`, remedy);
}

/** All that a new mesh consists of. */
interface Made {
  readonly files: readonly (readonly [name: string, text: string])[];
  readonly recovery: RecoveryFile;
  readonly roster: SignedRoster;
  readonly node: NodeFile;
}

async function make(folder: StateFolder, options: InitOptions): Promise<Result<NewMesh>> {
  const ids = { mesh: randomUUID(), node: randomUUID() };
  const started = await folder.writeJson(PENDING_INIT_FILE, { mesh: ids.mesh });
  if (!started.ok) return started;
  for (const hint of hintsAbout(options.addresses)) options.progress?.(hint);
  options.progress?.("making root, signer and node keys");
  const recoveryCode = generateRecoveryCode();
  const made = await makeContents(ids, options, recoveryCode);
  if (!made.ok) return made;
  const writes = [
    ...made.value.files.map(
      ([file, text]) =>
        () =>
          folder.writeText(file, text),
    ),
    () => folder.writeJson(RECOVERY_STATE_FILE, made.value.recovery),
    () => folder.writeJson(TOKENS_FILE, { tokens: [] }),
    () => folder.writeJson(ROSTER_FILE, made.value.roster),
  ];
  for (const write of writes) {
    const written = await write();
    if (!written.ok) return written;
  }
  const outcome = { ...ids, recoveryCode, recoveryFile: `${folder.path}/${RECOVERY_STATE_FILE.name}` };
  await options.announce?.(outcome);
  options.checkpoint?.("announced");
  const committed = await folder.writeJson(NODE_FILE, made.value.node);
  if (!committed.ok) return committed;
  const finished = await folder.remove(PENDING_INIT_FILE.name);
  return finished.ok ? ok(outcome) : finished;
}

async function makeContents(
  ids: { mesh: string; node: string },
  options: InitOptions,
  recoveryCode: string,
): Promise<Result<Made>> {
  const now = (options.clock ?? wallNow)();
  const root = { key: generateKey(), certificate: "" };
  root.certificate = await issueRoot(ids.mesh, root.key, now);
  const signer = { key: generateKey(), certificate: "" };
  signer.certificate = await issueIntermediate(ids.node, createPublicKey(signer.key), root, now);
  const key = generateKey();
  const leaf = await issueLeaf(ids, createPublicKey(key), signer, now);
  const rootPin = spkiPin(createPublicKey(root.key));
  const signerPin = spkiPin(createPublicKey(signer.key));
  const parsed = parseCertificate(leaf);
  if (!parsed.ok) return parsed;
  const issuedAt = new Date(now).toISOString();
  const { name, addresses } = options;
  const self = { id: ids.node, name, addresses, pin: certificatePin(parsed.value), added: issuedAt };
  const recovery = await sealRecovery({ mesh: ids.mesh, ...root }, recoveryCode);
  const opened = { generation: 1, term: 1, signer: signerPin, voids: [] };
  const roster: Roster = {
    schema: 1,
    mesh: ids.mesh,
    generation: 1,
    term: 1,
    epoch: 1,
    previous: null,
    ancestors: [],
    issuedAt,
    keymaster: ids.node,
    opening: signOpening(root.key, ids.mesh, opened),
    roots: [{ pin: rootPin, certificate: root.certificate }],
    handovers: [],
    succession: [{ node: ids.node, pin: signerPin, certificate: signer.certificate }],
    nodes: [{ ...self, ...certificateFields({ ...certificateFacts(parsed.value), root: rootPin }) }],
    revoked: [],
    crls: firstCrls({ ...root, pin: rootPin }, signer, now),
    recovery,
    config: { version: 0, text: "" },
  };
  const signed = signRoster(roster, signer.key, signerPin);
  if (!signed.ok) return signed;
  return ok({
    files: [
      [NODE_KEY_FILE, keyPem(key)],
      [NODE_CERTIFICATE_FILE, leaf + signer.certificate],
      [SIGNER_KEY_FILE, keyPem(signer.key)],
      [SIGNER_CERTIFICATE_FILE, signer.certificate],
    ],
    recovery,
    roster: signed.value.signed,
    node: { mesh: ids.mesh, id: ids.node, name, addresses },
  });
}
