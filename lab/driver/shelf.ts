/**
 * Formed meshes, kept to be started again: a copy costs one process a node where forming costs three.
 * Kept is what `init` and `join` left in each state folder: keys, certificates, roster. Ledger and history
 * are not, so a copy starts as a mesh to which nothing has happened yet.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { groundFolder } from "./checkout.ts";
import { atEnd } from "./cleanup.ts";

/** One node of a mesh, and where its state lies. */
export interface Kept {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly stateFolder: string;
}

/** Beside the nodes' folders, since no node knows it. */
const RECOVERY_CODE_FILE = "recovery-code";

/** Databases, their logs and the lock belong to a life, not to an identity. */
const isOfALife = (file: string): boolean => /\.sqlite|^lock$|\.tmp$/.test(file);

/**
 * Lays the kept state of the largest mesh that begins with the same nodes into their state folders, which
 * must not be there yet; gives how many nodes got one. `made` says by whom it must have been formed.
 */
export function takeFromShelf(made: readonly string[], nodes: readonly Kept[]): number {
  for (let count = nodes.length; count > 0; count -= 1) {
    const place = placeOf(made, nodes.slice(0, count));
    if (!existsSync(place)) continue;
    for (const [index, node] of nodes.slice(0, count).entries())
      copyFiles(join(place, String(index)), node.stateFolder);
    return count;
  }
  return 0;
}

/** What `init` printed for the mesh that these nodes' state was taken from. */
export const keptRecoveryCode = (made: readonly string[], nodes: readonly Kept[]): string =>
  readFileSync(join(placeOf(made, nodes), RECOVERY_CODE_FILE), "utf8");

/** Keeps copies of these nodes' state; the mesh must be settled, so that nobody writes. */
export function putOnShelf(made: readonly string[], nodes: readonly Kept[], recoveryCode: string): void {
  const place = placeOf(made, nodes);
  const draft = `${place}.${randomBytes(4).toString("hex")}`;
  mkdirSync(draft, { mode: 0o700 });
  for (const [index, node] of nodes.entries()) copyFiles(node.stateFolder, join(draft, String(index)));
  writeFileSync(join(draft, RECOVERY_CODE_FILE), recoveryCode, { mode: 0o600 });
  try {
    renameSync(draft, place);
  } catch (error) {
    // Another process was first: its copy is as good.
    if (!existsSync(place)) throw error;
    rmSync(draft, { recursive: true });
  }
}

function copyFiles(from: string, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  for (const file of readdirSync(from)) if (!isOfALife(file)) copyFileSync(join(from, file), join(to, file));
}

function placeOf(made: readonly string[], nodes: readonly Kept[]): string {
  const shape = JSON.stringify([made, nodes.map(({ name, addresses }) => [name, addresses])]);
  return join(shelf(), createHash("sha256").update(shape).digest("hex").slice(0, 32));
}

let own: string | undefined;

/** The one that all processes of a run share, where there is one; else this process's own. */
function shelf(): string {
  const shared = groundFolder("shelf");
  if (shared !== undefined) return shared;
  own ??= temporaryShelf();
  return own;
}

/** Holds private keys of meshes that nobody uses: only for this user, and gone with this process. */
function temporaryShelf(): string {
  const folder = mkdtempSync(join(tmpdir(), "balefire-shelf-"));
  chmodSync(folder, 0o700);
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
