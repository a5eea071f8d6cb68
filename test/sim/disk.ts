/**
 * One host's disk: the store that passes the port's contract, written in virtual
 * time. Its promises are settled between two events, so the order stays the same.
 */
import type { Stored } from "../../src/core/io.ts";
import type { Random } from "../../src/kit/random.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";
import { uniform } from "./seeds.ts";
import type { Timeline } from "./timeline.ts";

export type DiskHealth = "well" | "slow" | "failing";

export class Disk {
  health: DiskHealth = "well";
  commits = 0;
  readonly #timeline: Timeline;
  readonly #random: Random;
  #store: MemoryStore;
  #busyUntil = 0;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
    this.#store = createMemoryStore({ schedule: (written) => this.#writeLater(written) });
  }

  load(loaded: (records: readonly Stored[]) => void): void {
    this.#store.load().then(({ records }) => loaded(records), fail);
    this.#timeline.settle();
  }

  /** `done` is told what became of it, unless the process dies first. */
  commit(records: readonly Stored[], done: (succeeded: boolean) => void): void {
    this.#store.failing = this.health === "failing";
    this.commits += 1;
    this.#store.commit(records).then(
      () => done(true),
      () => done(false),
    );
    this.#timeline.settle();
  }

  /** The process died: of the commits under way any beginning was written, and none was acknowledged. */
  crash(): void {
    this.#store.crash(this.#random);
    this.#store = this.#store.reopen();
    this.#busyUntil = 0;
  }

  #writeLater(written: () => void): void {
    const start = Math.max(this.#timeline.now, this.#busyUntil);
    this.#busyUntil = start + this.#latency();
    this.#timeline.schedule(this.#busyUntil, () => {
      written();
      this.#timeline.settle();
    });
  }

  #latency(): number {
    return this.health === "slow" ? uniform(this.#random, 200, 2000) : uniform(this.#random, 0.5, 4);
  }
}

function fail(error: unknown): never {
  throw error;
}
