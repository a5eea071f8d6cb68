/** A disk of its own, small enough to be filled. */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface SmallDisk {
  /** False where a test may not mount. */
  readonly mounted: boolean;
  unmount(): void;
}

/** A tmpfs of 4 MiB over the folder, where the test may mount one. */
export function smallDisk(folder: string): SmallDisk {
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=0700", "balefire-test", folder]);
  return { mounted: mount.status === 0, unmount: () => void spawnSync("umount", [folder]) };
}

/** To the last block; the returned function makes room again. */
export function fillDisk(folder: string): () => void {
  const filler = join(folder, "filler");
  for (let bytes = 1_048_576; bytes >= 1; bytes /= 2) {
    try {
      while (true) writeFileSync(filler, Buffer.alloc(bytes), { flag: "a" });
    } catch {
      // No room for that much; perhaps for half of it.
    }
  }
  return () => rmSync(filler);
}
