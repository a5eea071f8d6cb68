/** The ledger's records as peers send them. A newer release may send kinds this one does not know: those are left out. */
import * as z from "zod";
import type {
  DeliveryRecord,
  EvidenceRecord,
  IncidentKind,
  IncidentRecord,
  IntentRecord,
  LedgerRecord,
  Matcher,
  MessageRecord,
  MuteRecord,
  PingRecord,
  ResolvedRecord,
} from "../core/ledger-records.ts";
import type { Verdict } from "../core/types.ts";
import { WALL_MAX, type WallTime } from "../kit/time.ts";
import { incidentKinds, severities } from "./incident-words.ts";
import { id, incarnation, PATHS, PROBES } from "./peer-fields.ts";

export const RECORDS_PER_MESSAGE_MAX: number = 64;
const INCIDENTS_PER_RECORD_MAX = 128;
const NAME_CHARS_MAX = 253;
const DETAIL_CHARS_MAX = 400;
const TOPIC_CHARS_MAX = 96;
const TITLE_CHARS_MAX = 512;
const TEXT_CHARS_MAX = 4096;

export const wall: z.ZodType<WallTime> = z.number().min(0).max(WALL_MAX) as unknown as z.ZodType<WallTime>;
/** What a member says is shown to people: on terminals, in the journal, in messages. It must not steer them. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
const lines = (text: string): string => text.split("\n").map(oneLine).join("\n");
const name = z.string().max(NAME_CHARS_MAX).transform(oneLine);
const detail = z.string().max(DETAIL_CHARS_MAX).transform(oneLine);
/** What an incident can begin with: the bad verdicts, and for notes what holds of the subject meanwhile. */
const INCIDENT_VERDICTS: readonly [Verdict, ...Verdict[]] = [
  "host-down",
  "unreachable",
  "daemon-down",
  "missing",
  "link-problem",
  "alive",
  "planned",
];
const phase = z.enum(["open", "resolved"]);
/** Versions are ordered as text of 15 digits (`versionOf`): beyond 1e14 the order would turn round. */
const countOfChanges: z.ZodType<number> = z.number().int().min(0).max(1e9);
const incidents = z.array(id).max(INCIDENTS_PER_RECORD_MAX);

/** What these kinds are about is not heard: "alive" and "planned" would contradict them. */
const OF_THE_UNHEARD: ReadonlySet<IncidentKind> = new Set([
  "down",
  "daemon-down",
  "missing",
  "link-problem",
  "flapping",
]);

const incidentRecord: z.ZodType<IncidentRecord> = z
  .object({
    t: z.literal("incident"),
    incident: id,
    kind: z.enum(incidentKinds),
    subject: id,
    name,
    incarnation,
    verdict: z.enum(INCIDENT_VERDICTS),
    since: wall,
    by: id,
    topic: z.string().min(1).max(TOPIC_CHARS_MAX).transform(oneLine).exactOptional(),
    until: wall.exactOptional(),
    detail: detail.exactOptional(),
  })
  .refine(({ kind, verdict }) => (verdict !== "alive" && verdict !== "planned") || !OF_THE_UNHEARD.has(kind));

const evidenceRecord: z.ZodType<EvidenceRecord> = z.object({
  t: z.literal("evidence"),
  incident: id,
  observer: id,
  name,
  path: z.enum(PATHS),
  last: wall.exactOptional(),
  probe: z.enum(PROBES),
  at: wall,
  reportedBy: id.exactOptional(),
});

const resolvedRecord: z.ZodType<ResolvedRecord> = z.object({
  t: z.literal("resolved"),
  incident: id,
  at: wall,
  by: id,
  how: z.enum(["returned", "returned-rebooted", "replaced"]),
});

const intentRecord: z.ZodType<IntentRecord> = z.object({
  t: z.literal("intent"),
  message: id,
  incidents: z.array(id).min(1).max(INCIDENTS_PER_RECORD_MAX),
  phase,
  channel: name,
  node: id,
  at: wall,
  renewal: countOfChanges,
});

const deliveryRecord: z.ZodType<DeliveryRecord> = z.object({
  t: z.literal("delivery"),
  message: id,
  incidents,
  phase,
  channel: name,
  node: id,
  at: wall,
  outcome: z.enum(["delivered", "failed"]),
  attempt: countOfChanges,
  detail,
  uncertain: z.boolean().exactOptional(),
});

const messageRecord: z.ZodType<MessageRecord> = z.object({
  t: z.literal("message"),
  message: id,
  incidents,
  phase,
  node: id,
  at: wall,
  title: z.string().max(TITLE_CHARS_MAX).transform(oneLine),
  text: z.string().max(TEXT_CHARS_MAX).transform(lines),
});

const matcher: z.ZodType<Matcher> = z.object({
  node: name.exactOptional(),
  kind: z.enum(incidentKinds).exactOptional(),
  severity: z.enum(severities).exactOptional(),
});

const muteRecord: z.ZodType<MuteRecord> = z
  .object({
    t: z.literal("mute"),
    mute: id,
    purpose: z.enum(["maintenance", "silence"]),
    matcher,
    subject: id.exactOptional(),
    revision: countOfChanges,
    at: wall,
    until: wall.exactOptional(),
    by: detail,
    why: detail,
    ended: z.boolean(),
  })
  // A maintenance is of one member and named after it: everything else can be listed and lifted as a silence.
  .refine(({ purpose, mute, subject }) =>
    purpose === "maintenance" ? mute === `maintenance-${subject}` : subject === undefined,
  );

const pingRecord: z.ZodType<PingRecord> = z.object({
  t: z.literal("ping"),
  channel: name,
  node: id,
  turn: countOfChanges,
  at: wall,
  outcome: z.enum(["delivered", "failed"]),
  detail,
});

const RECORDS: ReadonlyMap<unknown, z.ZodType<LedgerRecord>> = new Map<unknown, z.ZodType<LedgerRecord>>([
  ["incident", incidentRecord],
  ["evidence", evidenceRecord],
  ["resolved", resolvedRecord],
  ["intent", intentRecord],
  ["delivery", deliveryRecord],
  ["message", messageRecord],
  ["mute", muteRecord],
  ["ping", pingRecord],
]);

/** One record; undefined when this release does not know its kind or one of its values. */
export function parseLedgerRecord(value: unknown): LedgerRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const parsed = RECORDS.get((value as { t?: unknown }).t)?.safeParse(value);
  return parsed?.success ? parsed.data : undefined;
}
