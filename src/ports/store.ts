import type { Stored } from "../core/io.ts";

/** Small durable key-value records: the incarnation, the ledger. */
export interface Store {
  /** Every record, checked; what was found damaged is set aside and named in `damaged`, never dropped silently. */
  load(): Promise<{ readonly records: readonly Stored[]; readonly damaged: readonly string[] }>;
  /** All or nothing, on disk when it resolves; rejects with a FailureError. Calls are applied in order. */
  commit(records: readonly Stored[]): Promise<void>;
  close(): Promise<void>;
}
