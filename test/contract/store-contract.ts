/** What every store promises (src/ports/store.ts). */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FailureError } from "../../src/kit/result.ts";
import type { Store } from "../../src/ports/store.ts";

/** What a process that was killed while it counted left behind. */
export interface Killed {
  /** The last number whose commit was acknowledged. */
  readonly acknowledged: number;
  /** The store, opened again. */
  readonly store: Store;
}

export interface StoreUnderTest {
  /** Opens what there is; the store that was opened before has been closed. */
  open(): Promise<Store>;
  /** Makes commits fail until the returned function is called. */
  fill(store: Store): Promise<() => Promise<void>>;
  /** Commits `countingCommit(1)`, `countingCommit(2)`, … until the process or its power is cut, at no particular moment. */
  killWhileCounting(): Promise<Killed>;
  close(): Promise<void>;
}

const KILLS = 10;

export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let under: StoreUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close());

    const content = async (store: Store): Promise<Record<string, string | undefined>> => {
      const { records, damaged } = await store.load();
      expect(damaged).toEqual([]);
      expect(new Set(records.map(({ key }) => key)).size).toBe(records.length);
      return Object.fromEntries(records.map(({ key, value }) => [key, value]));
    };

    it("is empty at first", async () => {
      const store = await under.open();
      expect(await content(store)).toEqual({});
      await store.close();
    });

    it("returns what was committed, also after it was closed and opened again", async () => {
      const store = await under.open();
      await store.commit([
        { key: "a", value: "1" },
        { key: "b", value: "2" },
      ]);
      await store.commit([{ key: "a", value: "3" }]);
      expect(await content(store)).toEqual({ a: "3", b: "2" });
      await store.close();
      const again = await under.open();
      expect(await content(again)).toEqual({ a: "3", b: "2" });
      await again.close();
    });

    it("forgets what is committed without a value", async () => {
      const store = await under.open();
      await store.commit([
        { key: "a", value: "1" },
        { key: "b", value: "2" },
      ]);
      await store.commit([
        { key: "a", value: undefined },
        { key: "never there", value: undefined },
      ]);
      expect(await content(store)).toEqual({ b: "2" });
      await store.close();
    });

    it("applies commits in the order they were asked for, without being waited for", async () => {
      const store = await under.open();
      await Promise.all(
        Array.from({ length: 50 }, (_, number) => store.commit([{ key: "last", value: String(number) }])),
      );
      expect(await content(store)).toEqual({ last: "49" });
      await store.close();
    });

    it("takes any text for key and value, and an empty commit", async () => {
      const store = await under.open();
      const text = fc.string({ unit: "binary", maxLength: 300 });
      await store.commit([]);
      await fc.assert(
        fc.asyncProperty(fc.dictionary(text, text, { maxKeys: 5 }), async (written) => {
          await store.commit(Object.entries(written).map(([key, value]) => ({ key, value })));
          expect(await content(store)).toMatchObject(written);
          await store.commit(Object.keys(written).map((key) => ({ key, value: undefined })));
        }),
        { numRuns: 40 },
      );
      expect(await content(store)).toEqual({});
      await store.close();
    });

    it("refuses a commit it cannot write, whole, and takes the next once there is room", async () => {
      const store = await under.open();
      await store.commit([{ key: "before", value: "1" }]);
      const makeRoom = await under.fill(store);
      const large = "x".repeat(20_000);
      const refused = store.commit([
        { key: "during", value: large },
        { key: "before", value: large },
      ]);
      await expect(refused).rejects.toBeInstanceOf(FailureError);
      await expect(refused).rejects.toMatchObject({ failure: { code: "store-failed", retry: true } });
      await makeRoom();
      expect(await content(store)).toMatchObject({ before: "1" });
      await store.commit([{ key: "after", value: "2" }]);
      expect(await content(store)).toMatchObject({ before: "1", after: "2" });
      expect(await content(store)).not.toHaveProperty("during");
      await store.close();
    });

    it("refuses what is asked of it once it is closed", async () => {
      const store = await under.open();
      await store.close();
      await expect(store.commit([{ key: "a", value: "1" }])).rejects.toBeInstanceOf(FailureError);
      await expect(store.load()).rejects.toBeInstanceOf(FailureError);
    });

    it(`keeps all it has acknowledged when it is killed at any moment (${KILLS} times)`, async () => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const { acknowledged, store } = await under.killWhileCounting();
        const left = await content(store);
        await store.close();
        expect(Number(left.counter)).toBeGreaterThanOrEqual(acknowledged);
        expect(left.twin).toBe(left.counter);
      }
    });
  });
}
