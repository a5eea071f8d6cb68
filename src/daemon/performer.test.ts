import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SingleInput, Stored } from "../core/io.ts";
import type { Store } from "../ports/store.ts";
import { createPerformer, type Surroundings } from "./performer.ts";

const unused = (): never => {
  throw new Error("not asked for in this test");
};

/** A disk that answers when it is told to, and until then hangs. */
function hangingDisk() {
  const waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  const store: Store = {
    load: unused,
    close: unused,
    commit: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
  };
  return { store, waiting };
}

describe("a disk that neither writes nor fails", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const start = () => {
    const { store, waiting } = hangingDisk();
    const inputs: SingleInput[] = [];
    const dialled: string[] = [];
    const around: Surroundings = {
      transport: { dial: (peer: string) => dialled.push(peer) } as unknown as Surroundings["transport"],
      store,
      prober: { probe: unused },
      uplinks: { look: unused },
      ownAddresses: unused,
      channel: unused,
      heartbeat: unused,
      considerRoster: unused,
      relay: unused,
      tested: unused,
      felt: unused,
      onNotice: unused,
      push: (input) => inputs.push(input),
    };
    const perform = createPerformer(around);
    const persist = (peer: string, records: readonly Stored[] = [{ key: "k", value: "v" }]): void => {
      perform({ type: "persist", records, afterwards: [{ type: "dial", peer, address: "127.0.0.1:1" }] });
    };
    return { waiting, inputs, dialled, persist };
  };

  it("holds nothing back for longer than half a second, and counts as failed after five", async () => {
    const { inputs, dialled, persist } = start();
    persist("a");
    await vi.advanceTimersByTimeAsync(499);
    expect(dialled).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(dialled).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(4499);
    expect(inputs).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(inputs).toEqual([{ type: "store-failed", reason: "a write has not ended within 5 s" }]);
  });

  it("is said to hang once, whatever else waits for it", async () => {
    const { inputs, persist, waiting } = start();
    for (const peer of ["a", "b", "c"]) persist(peer);
    await vi.advanceTimersByTimeAsync(10_000);
    waiting[0]?.reject(new Error("no room"));
    await vi.advanceTimersByTimeAsync(0);
    expect(inputs.map(({ type }) => type)).toEqual(["store-failed"]);
  });

  it("has recovered when a write ends after all", async () => {
    const { inputs, dialled, persist, waiting } = start();
    persist("a");
    await vi.advanceTimersByTimeAsync(6000);
    waiting[0]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(inputs.map(({ type }) => type)).toEqual(["store-failed", "store-recovered"]);
    expect(dialled).toEqual(["a"]);
  });

  it("has not recovered when there was nothing to write", async () => {
    const { inputs, dialled, persist, waiting } = start();
    persist("a");
    waiting[0]?.reject(new Error("no room"));
    await vi.advanceTimersByTimeAsync(0);
    persist("b", []);
    waiting[1]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(dialled).toEqual(["a", "b"]);
    expect(inputs.map(({ type }) => type)).toEqual(["store-failed"]);
  });

  it("is not said to hang when it writes in time", async () => {
    const { inputs, persist, waiting } = start();
    persist("a");
    waiting[0]?.resolve();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(inputs).toEqual([]);
  });
});
