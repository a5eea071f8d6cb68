import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createStore } from "../../src/adapters/store/sqlite-store.ts";
import { seededRandom } from "../../src/kit/random.ts";
import type { Store } from "../../src/ports/store.ts";
import { createMemoryStore } from "../sim/memory-store.ts";
import { countUntilKilled } from "./kill-counting.ts";
import { fillDisk, smallDisk } from "./small-disk.ts";
import { type Killed, type StoreUnderTest, storeContract } from "./store-contract.ts";
import { countingCommit } from "./store-counting.ts";

const VICTIM = fileURLToPath(new URL("./store-victim.ts", import.meta.url));

async function sqliteUnderTest(): Promise<StoreUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "balefire-store-"));
  // Where none can be mounted, the store's own limit stands for its end.
  const disk = smallDisk(folder);
  const path = join(folder, "store.sqlite");
  let counted = 0;
  return {
    open: () => createStore(disk.mounted ? { path } : { path, pagesMax: 64 }),
    fill: async (store) => {
      if (disk.mounted) {
        const makeRoom = fillDisk(folder);
        return async () => makeRoom();
      }
      return fillStore(store);
    },
    killWhileCounting: async (): Promise<Killed> => {
      counted = await countUntilKilled(VICTIM, path, counted);
      return { acknowledged: counted, store: await createStore({ path }) };
    },
    close: async () => {
      if (disk.mounted) disk.unmount();
      rmSync(folder, { recursive: true });
    },
  };
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
