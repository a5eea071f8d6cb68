/** The verbs about who signs: what they ask of the daemon, and their results as `--json` prints them. */
import * as z from "zod";
import type { RosterRank } from "../core/types.ts";
import type { SpreadReport } from "./key-reports.ts";
import { type RecoveryFile, recoveryFile } from "./recovery-file.ts";

export interface KeymasterParamsOf {
  "keymaster-show": Record<never, never>;
  /** With a code by the root's right, else as a standby. `recovery`: instead of the roster's copy. */
  "keymaster-promote": { code?: string | undefined; recovery?: RecoveryFile | undefined };
  /** On the keymaster, as all below. */
  "keymaster-move": { node: string };
  "standby-add": { node: string; code: string; recovery?: RecoveryFile | undefined };
  "standby-remove": { node: string };
  "keymaster-confirm": { id: string };
  "keymaster-drop": { id: string };
}

const nodeName = z.string().max(64);
const setAsideId = z.string().max(64);
/** Far more than a code with spaces; what is longer is none. */
const code = z.string().max(256);

export const keymasterParams: {
  readonly [M in keyof KeymasterParamsOf]: z.ZodType<KeymasterParamsOf[M]>;
} = {
  "keymaster-show": z.object({}),
  "keymaster-promote": z.object({ code: code.optional(), recovery: recoveryFile.optional() }),
  "keymaster-move": z.object({ node: nodeName }),
  "standby-add": z.object({ node: nodeName, code, recovery: recoveryFile.optional() }),
  "standby-remove": z.object({ node: nodeName }),
  "keymaster-confirm": z.object({ id: setAsideId }),
  "keymaster-drop": z.object({ id: setAsideId }),
};

export interface SignerReport {
  /** The node's name; its id where the roster no longer has it. */
  readonly node: string;
  readonly id: string;
  /** Of its signing key. */
  readonly pin: string;
}

export interface LostChangeReport {
  readonly what:
    | "admitted"
    | "removed"
    | "readdressed"
    | "configured"
    | "signer-voided"
    | "standby-added"
    | "resealed";
  /** Name; null for the configuration and the recovery code. */
  readonly node: string | null;
  readonly detail: string;
}

/** What a keymaster that lost has signed, for a person to confirm or drop. */
export interface SetAsideReport extends RosterRank {
  readonly id: string;
  readonly signer: SignerReport;
  /** When it was signed, and when it came here. */
  readonly signedAt: string;
  readonly at: string;
  readonly changes: readonly LostChangeReport[];
}

export interface KeymasterShowReport extends RosterRank {
  readonly schema: 1;
  readonly keymaster: SignerReport;
  /** What this node is. `waiting`: in no roster that counts, until a person confirms it. */
  readonly self: "keymaster" | "standby" | "member" | "waiting";
  /** Who opened the term. */
  readonly openedBy: "root" | "standby";
  readonly signedAt: string;
  readonly standbys: readonly SignerReport[];
  /** Signing keys that are void. */
  readonly voided: readonly (SignerReport & { readonly at: string; readonly reason: string })[];
  /** The roster has a copy of the recovery file. */
  readonly recovery: boolean;
  /** Known to the keymaster only. */
  readonly setAside: readonly SetAsideReport[];
}

/** Who signs from now on. */
export interface KeymasterChangeReport extends SpreadReport {
  readonly schema: 1;
  readonly keymaster: string;
  /** Name of the one before. */
  readonly before: string;
  readonly openedBy: "root" | "standby";
  readonly standbys: readonly string[];
  /** Whose signing keys became void with it. */
  readonly voided: readonly string[];
}

export interface StandbyReport extends SpreadReport {
  readonly schema: 1;
  readonly node: string;
  /** False: it was so before. */
  readonly changed: boolean;
  readonly standbys: readonly string[];
}

export interface SetAsideSettledReport extends SpreadReport {
  readonly schema: 1;
  readonly id: string;
  readonly done: "confirmed" | "dropped";
  readonly changes: readonly LostChangeReport[];
  /** What the roster in force cannot take. */
  readonly left: readonly (LostChangeReport & { readonly why: string })[];
}

export interface KeymasterResults {
  "keymaster-show": KeymasterShowReport;
  "keymaster-promote": KeymasterChangeReport;
  "keymaster-move": KeymasterChangeReport;
  "standby-add": StandbyReport;
  "standby-remove": StandbyReport;
  "keymaster-confirm": SetAsideSettledReport;
  "keymaster-drop": SetAsideSettledReport;
}
