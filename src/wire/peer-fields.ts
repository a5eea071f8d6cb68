/** Field types that several peer messages share. */
import * as z from "zod";
import type { PathKind, ProbeOutcome, RosterRank, Verdict } from "../core/types.ts";

/** Ids are uuids, hashes and keys built from them. */
const ID_CHARS_MAX = 128;

export const VERDICTS: readonly [Verdict, ...Verdict[]] = [
  "unknown",
  "alive",
  "suspect",
  "host-down",
  "unreachable",
  "daemon-down",
  "link-problem",
  "planned",
];
export const PATHS: readonly [PathKind, ...PathKind[]] = ["datagram", "stream", "self", "none"];
export const PROBES: readonly [ProbeOutcome | "none", ...(ProbeOutcome | "none")[]] = [
  "accepted",
  "refused",
  "silent",
  "none",
];

export const id: z.ZodType<string> = z.string().min(1).max(ID_CHARS_MAX);
/** A whole number that JSON carries exactly. */
export const limitedCount: z.ZodType<number> = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** A length of time in milliseconds that is never negative. */
export const span: z.ZodType<number> = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
export const rosterRank: z.ZodType<RosterRank> = z.object({ term: limitedCount, epoch: limitedCount });
