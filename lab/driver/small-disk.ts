/**
 * A disk of its own for a node's state, small enough to be filled: a tmpfs. Its source in the table of
 * mounts is `bf-<pid>-disk`, so that what a killed lab left behind can be told from what is in use.
 */
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { runNow } from "./child.ts";
import { atEnd } from "./cleanup.ts";

const DISK_MIB = 16;
const BLOCK_BYTES = 65_536;

export interface SmallDisk {
  /** Leaves not a byte. */
  fill(): void;
  /** Gives back what was filled. */
  free(): void;
  /** Takes the disk away with all that is on it; its daemon must have ended. */
  remove(): void;
}

/** Moves a state folder to a small disk; its daemon must be off. */
export function moveToSmallDisk(folder: string): SmallDisk {
  sweep();
  const before = `${folder}.before`;
  renameSync(folder, before);
  mkdirSync(folder, { mode: 0o700 });
  runNow(["mount", "-t", "tmpfs", "-o", `size=${DISK_MIB}m`, `bf-${process.pid}-disk`, folder]);
  // Lazily: a daemon that is about to end may still hold it open.
  const remove = atEnd(() => runNow(["umount", "--lazy", folder]));
  chmodSync(folder, 0o700);
  cpSync(before, folder, { recursive: true, preserveTimestamps: true });
  rmSync(before, { recursive: true });
  const ballast = join(folder, "ballast");
  return { fill: () => fill(ballast), free: () => rmSync(ballast, { force: true }), remove };
}

/** In blocks, then in bytes that no longer make a block. */
function fill(path: string): void {
  const file = openSync(path, "a", 0o600);
  for (let length = BLOCK_BYTES; length >= 1; ) {
    try {
      writeSync(file, Buffer.alloc(length));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      length = Math.floor(length / 2);
    }
  }
  closeSync(file);
}

function sweep(): void {
  for (const line of readFileSync("/proc/self/mounts", "utf8").split("\n")) {
    const [source = "", folder = ""] = line.split(" ");
    const maker = /^bf-(\d+)-disk$/.exec(source)?.[1];
    if (maker === undefined || existsSync(`/proc/${maker}`)) continue;
    runNow(["umount", "--lazy", folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}
