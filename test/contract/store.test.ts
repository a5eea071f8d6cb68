import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createStore } from "../../src/adapters/store/sqlite-store.ts";
import { seededRandom } from "../../src/kit/random.ts";
import type { Store } from "../../src/ports/store.ts";
import { createMemoryStore } from "../sim/memory-store.ts";
import { type Killed, type StoreUnderTest, storeContract } from "./store-contract.ts";
import { countingCommit } from "./store-counting.ts";

const VICTIM = fileURLToPath(new URL("./store-victim.ts", import.meta.url));
/** Long enough for some commits, short enough to fall into the middle of one. */
const LIFE_MS_MAX = 120;

/** Starts a process that counts from `from`, and kills it at a random moment after its first number. */
async function countUntilKilled(path: string, from: number): Promise<number> {
  const victim = spawn(process.execPath, [VICTIM, path, String(from)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  victim.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const closed = once(victim, "close");
  await Promise.race([once(victim.stdout, "data"), closed]);
  setTimeout(() => victim.kill("SIGKILL"), Math.random() * LIFE_MS_MAX);
  const [, signal] = await closed;
  if (signal !== "SIGKILL") throw new Error("the counting process ended by itself");
  // What follows the last line break was cut off in the middle.
  return Number(printed.split("\n").at(-2) ?? from);
}

/** A disk of its own where the test may mount one; else the store's own limit stands for its end. */
function smallDisk(folder: string): { readonly full: boolean; unmount(): void } {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=0700", "balefire-test", folder]);
  return { full: mounted.status === 0, unmount: () => spawnSync("umount", [folder]) };
}

async function sqliteUnderTest(): Promise<StoreUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "balefire-store-"));
  const disk = smallDisk(folder);
  const path = join(folder, "store.sqlite");
  let counted = 0;
  return {
    open: () => createStore(disk.full ? { path } : { path, pagesMax: 64 }),
    fill: async (store) => {
      if (disk.full) return fillDisk(folder);
      return fillStore(store);
    },
    killWhileCounting: async (): Promise<Killed> => {
      counted = await countUntilKilled(path, counted);
      return { acknowledged: counted, store: await createStore({ path }) };
    },
    close: async () => {
      if (disk.full) disk.unmount();
      rmSync(folder, { recursive: true });
    },
  };
}

async function fillDisk(folder: string): Promise<() => Promise<void>> {
  const filler = join(folder, "filler");
  for (let bytes = 1_048_576; bytes >= 4096; bytes /= 2) {
    try {
      while (true) writeFileSync(filler, Buffer.alloc(bytes), { flag: "a" });
    } catch {
      // No room for that much; perhaps for half of it.
    }
  }
  return async () => rmSync(filler);
}

async function fillStore(store: Store): Promise<() => Promise<void>> {
  const keys = Array.from({ length: 100 }, (_, number) => `filler/${number}`);
  for (const key of keys) {
    const room = await store.commit([{ key, value: "x".repeat(4000) }]).then(
      () => true,
      () => false,
    );
    if (!room) break;
  }
  return () => store.commit(keys.map((key) => ({ key, value: undefined })));
}

async function memoryUnderTest(): Promise<StoreUnderTest> {
  const random = seededRandom(20_260_301);
  let disk = createMemoryStore();
  let counted = 0;
  return {
    open: async () => {
      disk = disk.reopen();
      return disk;
    },
    fill: async () => {
      disk.failing = true;
      return async () => {
        disk.failing = false;
      };
    },
    killWhileCounting: async () => {
      const written: (() => void)[] = [];
      const slow = createMemoryStore({ schedule: (done) => written.push(done) });
      let acknowledged = 0;
      for (let number = 1; number <= 20; number += 1) {
        void slow.commit(countingCommit(number)).then(() => {
          acknowledged = number;
        });
      }
      counted = Math.floor(random.next() * 20) + 1;
      for (const done of written.slice(0, counted)) done();
      await Promise.resolve();
      slow.crash(random);
      for (const done of written) done();
      return { acknowledged, store: slow.reopen() };
    },
    close: async () => undefined,
  };
}

storeContract("the SQLite store", sqliteUnderTest);
storeContract("the simulator's store", memoryUnderTest);
