/** Made-up answers of a daemon about its root key. */
import type { RootResults } from "../../src/wire/root-reports.ts";
import type { RpcHandlers } from "../../src/wire/rpc.ts";

export const NEW_ROOT: string = "N".repeat(43);
export const OLD_ROOT: string = "O".repeat(43);
export const NEXT_CODE = "7QK3M-7QK3M-7QK3M-7QK3M-7QK3M-7QK3M-7QK3M";

export const calmRoot: RootResults["root-status"] = {
  schema: 1,
  phase: "none",
  roots: [{ pin: OLD_ROOT, notAfter: "2046-01-01T00:00:00.000Z", role: "only" }],
  since: null,
  keymaster: "a",
  waived: [],
  waiting: [],
  problem: null,
};

export const rootHandlers: Pick<RpcHandlers, keyof RootResults> = {
  "recovery-renew": async () => ({ schema: 1, ticket: "t1", recoveryCode: NEXT_CODE, root: OLD_ROOT }),
  "root-rotate": async () => ({ schema: 1, ticket: "t2", recoveryCode: NEXT_CODE, root: NEW_ROOT }),
  "offer-take": async ({ ticket }) => ({
    schema: 1,
    root: ticket === "t1" ? OLD_ROOT : NEW_ROOT,
    file: "/var/lib/balefire/recovery.balefire",
    generation: 2,
    term: 2,
    opener: "opener-a",
    epoch: 1,
    reached: ["b"],
    waiting: ["d"],
  }),
  "root-waive": async ({ nodes }) => ({ schema: 1, waived: nodes }),
  "root-status": async () => calmRoot,
};
