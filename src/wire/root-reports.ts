/** The verbs about the root key and its recovery code: what they ask, and their results as `--json` prints them. */
import * as z from "zod";
import type { WaitingReason } from "../core/pki/rotation.ts";
import type { SpreadReport } from "./key-reports.ts";
import { ROSTER_NODES_MAX } from "./roster.ts";

export interface RootParamsOf {
  /** On the keymaster. `code`: the recovery code that holds now. Answers with the next, which `offer-take` makes count. */
  "recovery-renew": { code: string };
  /** The same for a new root key. `waive`: names or ids of nodes that are not to be waited for. */
  "root-rotate": { code: string; waive: readonly string[] };
  /** Does what was offered, now that its code has been shown. */
  "offer-take": { ticket: string };
  /** On the keymaster, while a change of roots is under way. */
  "root-waive": { nodes: readonly string[] };
  "root-status": Record<never, never>;
}

/** A code has 41 characters as it is printed, and may be typed with spaces. */
const code = z.string().max(200);
const nodes = z.array(z.string().max(64)).max(ROSTER_NODES_MAX);
export const rootParams: { readonly [M in keyof RootParamsOf]: z.ZodType<RootParamsOf[M]> } = {
  "recovery-renew": z.object({ code }),
  "root-rotate": z.object({ code, waive: nodes }),
  "offer-take": z.object({ ticket: z.string().max(64) }),
  "root-waive": z.object({ nodes }),
  "root-status": z.object({}),
};

export interface RootResults {
  "recovery-renew": CodeOffer;
  "root-rotate": CodeOffer;
  "offer-take": OfferTakenReport;
  "root-waive": RootWaiveReport;
  "root-status": RootStatusReport;
}

export interface RecoveryVerifyReport {
  readonly schema: 1;
  /** Of what the code opens: the roster that this host holds, or the path of a file. */
  readonly source: string;
  /** Id of the mesh whose root key it is. */
  readonly mesh: string;
  /** Pin of the root key. */
  readonly root: string;
  /** Whether this host's mesh trusts that root; null where the host is in no mesh. */
  readonly trusted: boolean | null;
}

/** What is printed before it counts; `ticket` makes it count. */
export interface CodeOffer {
  readonly schema: 1;
  readonly ticket: string;
  /** Stored nowhere. */
  readonly recoveryCode: string;
  /** Pin of the root key that it opens. */
  readonly root: string;
}

/** What became of it. */
export interface OfferTakenReport extends SpreadReport {
  readonly schema: 1;
  readonly root: string;
  /** Path of this host's own copy of the recovery file, where there is one. */
  readonly file: string | null;
}

export interface RootWaiveReport {
  readonly schema: 1;
  /** Names of all nodes that are not waited for. */
  readonly waived: readonly string[];
}

/** What a change of roots waits for, said of a node. */
export const WAITING_WORDS: Readonly<Record<WaitingReason, string>> = {
  away: "it cannot be reached",
  roster: "it has not said that it knows the new root",
  certificate: "it has no certificate under the new root yet",
  "shows-old": "it does not show its new certificate yet",
};

export interface RootReport {
  readonly pin: string;
  readonly notAfter: string;
  /** `only`: no change is under way. */
  readonly role: "only" | "new" | "old";
}
export interface RootStatusReport {
  readonly schema: 1;
  /** `blocked`: it cannot end by waiting. */
  readonly phase: "none" | "announced" | "issuing" | "blocked";
  readonly roots: readonly RootReport[];
  /** When it began; null while none is under way. */
  readonly since: string | null;
  /** Name of the node that drives it. */
  readonly keymaster: string;
  /** Names of nodes. */
  readonly waived: readonly string[];
  readonly waiting: readonly { readonly node: string; readonly id: string; readonly why: WaitingReason }[];
  /** Why it is blocked, in a sentence. */
  readonly problem: string | null;
}
