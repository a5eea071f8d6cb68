/** The ledger on disk: one entry a record. */
import type { Stored } from "./io.ts";
import { keyOf } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";

const STORE_PREFIX = "ledger/";

export const storedRecord = (record: LedgerRecord): Stored => ({
  key: STORE_PREFIX + keyOf(record),
  value: JSON.stringify(record),
});

export const isLedgerKey = (key: string): boolean => key.startsWith(STORE_PREFIX);
export const forgotten = (key: string): Stored => ({ key: STORE_PREFIX + key, value: undefined });
