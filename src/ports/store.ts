/** Small durable key-value records: incarnation, ledger, inbox marks. */
export interface StoreRecord {
  readonly key: string;
  /** JSON text; undefined deletes the key. */
  readonly value: string | undefined;
}

export interface Store {
  /** Every record, checked; what was found damaged is set aside and named in `damaged`, never dropped silently. */
  load(): Promise<{ readonly records: readonly StoreRecord[]; readonly damaged: readonly string[] }>;
  /** All or nothing, on disk when it resolves; rejects with a FailureError. Calls are applied in order. */
  commit(records: readonly StoreRecord[]): Promise<void>;
  close(): Promise<void>;
}
