import type { Stored } from "../core/io.ts";

/** Whether anything waits for it. */
export type When = "now" | "soon";

/** Small durable key-value records: the incarnation, the ledger. */
export interface Store {
  /** Every record, checked; what was found damaged is set aside and named in `damaged`, never dropped silently. */
  load(): Promise<{ readonly records: readonly Stored[]; readonly damaged: readonly string[] }>;
  /**
   * All or nothing, on disk when it resolves; rejects with a FailureError. Calls are applied in order. What is
   * wanted `soon` may wait a moment for others, and is written with the next one that is wanted `now`.
   */
  commit(records: readonly Stored[], when?: When): Promise<void>;
  close(): Promise<void>;
}
