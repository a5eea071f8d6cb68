/** Field types that several peer messages share. */
import * as z from "zod";
import type { FarewellReason, RequestMethod } from "../core/messages.ts";
import type { PathKind, ProbeOutcome, RosterRank, Verdict } from "../core/types.ts";
import { openerText } from "./roster.ts";

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
  "missing",
];
export const PATHS: readonly [PathKind, ...PathKind[]] = ["datagram", "stream", "self", "none"];
export const PROBES: readonly [ProbeOutcome | "none", ...(ProbeOutcome | "none")[]] = [
  "accepted",
  "refused",
  "silent",
  "none",
];

/** Why a node takes its leave. */
export const FAREWELL_REASONS: readonly [FarewellReason, ...FarewellReason[]] = [
  "stop",
  "reboot",
  "shutdown",
  "thermal",
];
export const REQUEST_METHODS: readonly [RequestMethod, ...RequestMethod[]] = [
  "config-apply",
  "renew",
  "renew-now",
  "rotation",
  "set-aside",
  "signer-request",
  "take-over",
];

export const id: z.ZodType<string> = z.string().min(1).max(ID_CHARS_MAX);
/** A whole number that JSON carries exactly. */
export const limitedCount: z.ZodType<number> = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Far beyond what any node counts to, and far from where adding one changes nothing. */
const INCARNATION_MAX = 2 ** 48;
export const incarnation: z.ZodType<number> = z.number().int().min(0).max(INCARNATION_MAX);
/** Ten years: longer than a process lives; clocks reckoned back by it stay within what a date can hold. */
const SPAN_MAX = 315_360_000_000;
/** A length of time in milliseconds that is never negative. */
export const span: z.ZodType<number> = z.number().min(0).max(SPAN_MAX);
export const rosterRank: z.ZodType<RosterRank> = z.object({
  generation: limitedCount,
  term: limitedCount,
  opener: openerText,
  epoch: limitedCount,
});
