/** Made-up answers of a daemon about who signs. */
import type { KeymasterResults, KeymasterShowReport } from "../../src/wire/keymaster-reports.ts";
import type { RpcHandlers } from "../../src/wire/rpc.ts";

const rank = { generation: 2, term: 3, opener: "opener-b", epoch: 1 };
const spread = { ...rank, reached: ["c"], waiting: ["a"] };
const pin = (letter: string): string => letter.repeat(43);
export const LOST_ID = "0badcafe";

export const shownKeymaster: KeymasterShowReport = {
  schema: 1,
  ...rank,
  keymaster: { node: "b", id: "id-b", pin: pin("B") },
  self: "keymaster",
  openedBy: "root",
  signedAt: "2027-01-15T08:00:00.000Z",
  standbys: [{ node: "c", id: "id-c", pin: pin("C") }],
  voided: [
    { node: "a", id: "id-a", pin: pin("A"), at: "2027-01-15T08:00:00.000Z", reason: "its host was given up" },
  ],
  recovery: true,
  setAside: [
    {
      id: LOST_ID,
      ...rank,
      term: 1,
      epoch: 1042,
      signer: { node: "a", id: "id-a", pin: pin("A") },
      signedAt: "2027-01-15T07:00:00.000Z",
      at: "2027-01-15T08:01:00.000Z",
      changes: [
        { what: "admitted", node: "e", detail: "at 10.0.0.5:7654, 2027-01-15T06:00:00.000Z" },
        { what: "configured", node: null, detail: "version 3; here version 2" },
        { what: "signer-voided", node: "c", detail: "2027-01-15T06:30:00.000Z; here it may sign" },
        { what: "standby-added", node: "e", detail: "here it may not sign" },
        { what: "resealed", node: null, detail: "here another code holds" },
      ],
    },
  ],
};

const change: KeymasterResults["keymaster-move"] = {
  schema: 1,
  keymaster: "b",
  before: "a",
  openedBy: "root",
  standbys: ["c"],
  voided: ["a"],
  ...spread,
};

export const keymasterHandlers: Pick<RpcHandlers, keyof KeymasterResults> = {
  "keymaster-show": async () => shownKeymaster,
  "keymaster-promote": async () => change,
  "keymaster-move": async ({ node }) => ({
    ...change,
    keymaster: node,
    before: "b",
    openedBy: "standby",
    voided: [],
    standbys: ["b"],
  }),
  "standby-add": async ({ node }) => ({ schema: 1, node, changed: true, standbys: ["c", node], ...spread }),
  "standby-remove": async ({ node }) => ({ schema: 1, node, changed: true, standbys: [], ...spread }),
  "keymaster-confirm": async ({ id }) => ({
    schema: 1,
    id,
    done: "confirmed",
    changes: [{ what: "admitted", node: "e", detail: "at 10.0.0.5:7654" }],
    left: [{ what: "readdressed", node: "c", detail: "to 10.0.0.9", why: "node d has it" }],
    ...spread,
  }),
  "keymaster-drop": async ({ id }) => ({
    schema: 1,
    id,
    done: "dropped",
    changes: [{ what: "admitted", node: "e", detail: "at 10.0.0.5:7654" }],
    left: [],
    ...spread,
  }),
};
