/**
 * A store for the simulator: keeps the promises of src/ports/store.ts in memory, and breaks
 * like a host that loses power. What was acknowledged stays; of what was not, any beginning
 * of the row may have reached the disk, each commit wholly or not at all.
 */
import type { Stored } from "../../src/core/io.ts";
import { type Random, randomBelow } from "../../src/kit/random.ts";
import { FailureError } from "../../src/kit/result.ts";
import type { Store } from "../../src/ports/store.ts";

export interface MemoryStoreOptions {
  /** Calls back when the disk has had time to write; by default at once, within the same turn of the loop. */
  readonly schedule?: (written: () => void) => void;
}

export interface MemoryStore extends Store {
  /** The power fails: waiting commits are never answered, and survive by chance. What is left is opened again by `reopen`. */
  crash(random: Random): void;
  reopen(): MemoryStore;
  /** While set, commits are refused as on a full disk. */
  failing: boolean;
}

interface Disk {
  readonly records: Map<string, string>;
  readonly damaged: string[];
}

interface Waiting {
  readonly records: readonly Stored[];
  readonly acknowledge: () => void;
}

export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return openDisk({ records: new Map(), damaged: [] }, options);
}

function openDisk(disk: Disk, options: MemoryStoreOptions): MemoryStore {
  const schedule = options.schedule ?? ((written) => written());
  let waiting: Waiting[] = [];
  let closed = false;

  const commit = (records: readonly Stored[]): Promise<void> => {
    if (closed) return Promise.reject(refused("it is closed"));
    if (store.failing) return Promise.reject(refused("the disk is full"));
    return new Promise((acknowledge) => {
      const one: Waiting = { records, acknowledge };
      waiting.push(one);
      schedule(() => {
        // A crash has emptied the row: nothing of it is written, nobody is told.
        while (waiting.includes(one)) writeNext();
      });
    });
  };
  const writeNext = (): void => {
    const next = waiting.shift();
    if (next === undefined) return;
    write(disk, next.records);
    next.acknowledge();
  };

  const store: MemoryStore = {
    failing: false,
    commit,
    load: async () => {
      if (closed) throw refused("it is closed");
      const records = [...disk.records].map(([key, value]) => ({ key, value }));
      return { records, damaged: disk.damaged.splice(0) };
    },
    close: async () => {
      while (waiting.length > 0) writeNext();
      closed = true;
    },
    crash: (random) => {
      closed = true;
      const reached = waiting.slice(0, randomBelow(random, waiting.length + 1));
      waiting = [];
      for (const { records } of reached) write(disk, records);
    },
    reopen: () => openDisk(disk, options),
  };
  return store;
}

function write(disk: Disk, records: readonly Stored[]): void {
  for (const { key, value } of records) {
    if (value === undefined) disk.records.delete(key);
    else disk.records.set(key, value);
  }
}

const refused = (why: string): FailureError =>
  new FailureError({ code: "store-failed", message: `the store cannot be used: ${why}`, retry: true });
