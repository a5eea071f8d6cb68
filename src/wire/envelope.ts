/**
 * What peers say, as bytes: `{"v":1,"n":7,"m":{"t":"beat",…}}` in JSON (docs/protocol.md).
 * Neighbouring releases understand each other: unknown fields are ignored, unknown
 * messages and records are left out, unknown words read as the one that claims nothing.
 */
import * as z from "zod";
import type {
  Ack,
  Answer,
  Ask,
  Beat,
  Envelope,
  Goodbye,
  LedgerNews,
  LedgerSummary,
  PeerMessage,
  Request,
  Response,
  RosterNews,
  RosterWant,
} from "../core/messages.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import {
  FAREWELL_REASONS,
  id,
  incarnation,
  limitedCount,
  PATHS,
  PROBES,
  REQUEST_METHODS,
  rosterRank,
  span,
  VERDICTS,
} from "./peer-fields.ts";
import { readingsHeld, readingsNews, readingsTable, readingsWant } from "./peer-readings.ts";
import { parseLedgerRecord, RECORDS_PER_MESSAGE_MAX } from "./peer-records.ts";

export const ENVELOPE_VERSION: number = 1;
export const ROSTER_CHARS_MAX: number = 1_048_576;
/** One message, encoded: a roster is JSON already, and each of its quotes is escaped once more. */
export const ENVELOPE_BYTES_MAX: number = 2 * ROSTER_CHARS_MAX + 4096;
export const SUMMARY_KEYS_MAX: number = 8192;
export const ACK_NUMBERS_MAX: number = 256;
/** 32 shared, 32 of its own, the inbox, and room to grow. */
export const CHANNEL_NAMES_MAX: number = 80;
const RELAYED_BODY_CHARS_MAX = 1_048_576;
const CHANNEL_NAME_CHARS_MAX = 63;
const KEY_CHARS_MAX = 256;

/** The clock of a host may be before 1970; such a sender is still heard. */
const clock = z.number().min(-8.64e15).max(8.64e15);
const verdict = z.enum(VERDICTS).catch("unknown");
const path = z.enum(PATHS).catch("none");
const probe = z.enum(PROBES).catch("none");

const beat: z.ZodType<Beat> = z.object({
  t: z.literal("beat"),
  seq: limitedCount,
  incarnation,
  boot: z.string().max(64),
  period: span,
  heard: span.exactOptional(),
  echo: z.object({ seq: limitedCount, held: span }).exactOptional(),
  view: verdict,
  viewIncarnation: incarnation,
  roster: rosterRank,
  ledger: z.string().max(128),
  wall: clock,
  quiet: z.boolean().exactOptional(),
  channels: z.array(z.string().max(CHANNEL_NAME_CHARS_MAX)).max(CHANNEL_NAMES_MAX).exactOptional(),
});

const ask: z.ZodType<Ask> = z.object({
  t: z.literal("ask"),
  subject: id,
  incarnation,
  suspected: span,
});

const answer: z.ZodType<Answer> = z.object({
  t: z.literal("answer"),
  subject: id,
  state: z.enum(["silent", "hearing", "unknown"]).catch("unknown"),
  incarnation,
  heard: span.exactOptional(),
  path,
  probe,
});

const ledgerNews: z.ZodType<LedgerNews> = z
  .object({ t: z.literal("ledger"), records: z.array(z.unknown()).max(RECORDS_PER_MESSAGE_MAX) })
  .transform(({ t, records }) => ({
    t,
    records: records.map(parseLedgerRecord).filter((record) => record !== undefined),
  }));

const ledgerSummary: z.ZodType<LedgerSummary> = z.object({
  t: z.literal("ledger-summary"),
  keys: z
    .array(z.tuple([z.string().max(KEY_CHARS_MAX), z.string().max(KEY_CHARS_MAX)]))
    .max(SUMMARY_KEYS_MAX),
});

const rosterNews: z.ZodType<RosterNews> = z.object({
  t: z.literal("roster"),
  signed: z.string().max(ROSTER_CHARS_MAX),
});

const rosterWant: z.ZodType<RosterWant> = z.object({ t: z.literal("roster-want"), have: rosterRank });

const goodbye: z.ZodType<Goodbye> = z
  .object({
    t: z.literal("goodbye"),
    incarnation,
    reason: z.enum(["stop", "removed"]).catch("stop"),
    why: z.enum(FAREWELL_REASONS).optional().catch(undefined),
  })
  .transform(({ why, ...rest }) => (why === undefined ? rest : { ...rest, why }));

const ack: z.ZodType<Ack> = z.object({
  t: z.literal("ack"),
  numbers: z.array(limitedCount).max(ACK_NUMBERS_MAX),
});

const request: z.ZodType<Request> = z.object({
  t: z.literal("request"),
  id,
  method: z.enum(REQUEST_METHODS),
  body: z.string().max(RELAYED_BODY_CHARS_MAX),
});

const response: z.ZodType<Response> = z.object({
  t: z.literal("response"),
  id,
  ok: z.boolean(),
  body: z.string().max(RELAYED_BODY_CHARS_MAX),
});

const MESSAGES: { readonly [T in PeerMessage["t"]]: z.ZodType<Extract<PeerMessage, { t: T }>> } = {
  beat,
  ask,
  answer,
  ledger: ledgerNews,
  "ledger-summary": ledgerSummary,
  roster: rosterNews,
  "roster-want": rosterWant,
  goodbye,
  readings: readingsNews,
  "readings-table": readingsTable,
  "readings-want": readingsWant,
  "readings-held": readingsHeld,
  ack,
  request,
  response,
};
const SCHEMAS: ReadonlyMap<unknown, z.ZodType<PeerMessage>> = new Map<unknown, z.ZodType<PeerMessage>>(
  Object.entries(MESSAGES),
);

export function encodeEnvelope(envelope: Envelope): string {
  return JSON.stringify({ v: ENVELOPE_VERSION, n: envelope.number, m: envelope.message });
}

/** Never throws. `unknown-message`: well-formed, but of a kind that only a newer release knows. */
export function decodeEnvelope(text: string): Result<Envelope | "unknown-message"> {
  if (text.length > ENVELOPE_BYTES_MAX) {
    return failure(
      "limit-reached",
      `a message of ${text.length} characters; ${ENVELOPE_BYTES_MAX} are allowed`,
    );
  }
  const outer = parseJsonObject(text);
  if (outer === undefined) return failure("protocol-violation", "a message is not a JSON object");
  if (outer.v !== ENVELOPE_VERSION) {
    return failure("version-unsupported", "a message is of another version than was agreed on");
  }
  return decodeMessage(outer.n, outer.m);
}

function decodeMessage(number: unknown, message: unknown): Result<Envelope | "unknown-message"> {
  if (number !== undefined && (!Number.isSafeInteger(number) || (number as number) < 0)) {
    return failure("protocol-violation", "a message's number is not a whole number");
  }
  const kind = typeof message === "object" && message !== null ? (message as { t?: unknown }).t : undefined;
  if (typeof kind !== "string") return failure("protocol-violation", "a message has no kind");
  const schema = SCHEMAS.get(kind);
  if (schema === undefined) return ok("unknown-message");
  const parsed = schema.safeParse(message);
  if (parsed.success) {
    return ok(
      number === undefined ? { message: parsed.data } : { number: number as number, message: parsed.data },
    );
  }
  if (kind === "request") return unknownRequestOr(message, parsed.error);
  return failure("protocol-violation", `a ${kind} message is malformed: ${describe(parsed.error)}`);
}

/** A relayed question this release cannot ask is a newer release's, not a violation. */
function unknownRequestOr(message: unknown, error: z.ZodError): Result<"unknown-message"> {
  const method = (message as { method?: unknown }).method;
  const isKnown = REQUEST_METHODS.some((known) => known === method);
  if (typeof method === "string" && !isKnown) return ok("unknown-message");
  return failure("protocol-violation", `a request message is malformed: ${describe(error)}`);
}

/** Where the first fault is; the value itself is a stranger's and is not repeated. */
function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? "unreadable" : `${issue.path.join(".").slice(0, 80)}: ${issue.code}`;
}

/** Undefined for anything that is not the text of a JSON object. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
