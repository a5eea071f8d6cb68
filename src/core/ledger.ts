/**
 * The replicated record of incidents, intents and receipts. A map of immutable
 * records under keys; of two records under one key the same one wins everywhere,
 * so nodes that exchanged all they have hold equal ledgers, in whatever order.
 */
import { sha256Hex } from "../kit/hash.ts";
import type { WallTime } from "../kit/time.ts";
import {
  type IncidentRecord,
  type LedgerRecord,
  type MuteRecord,
  NOTE_KINDS,
  type Phase,
  type ResolvedRecord,
} from "./ledger-records.ts";
import { LEDGER_KEEP, LEDGER_MAX } from "./limits.ts";
import type { IncidentId, NodeId, Verdict } from "./types.ts";

export interface Ledger {
  readonly records: Map<string, LedgerRecord>;
  /** What is older than this was pruned: peers' records about it are not taken back (`isForgotten`). */
  floor: WallTime;
  /** XOR over all entries' hashes, in two halves. */
  digestHigh: number;
  digestLow: number;
  /** Raised by every change. */
  revision: number;
  /** Derived: incidents without a resolution. */
  readonly open: Map<IncidentId, IncidentRecord>;
  /** Derived: `incident phase channel` of everything that was delivered. */
  readonly told: Set<string>;
  /** Derived: the mutes that nobody has ended; some may have run out. */
  readonly mutes: Map<string, MuteRecord>;
}

export const emptyLedger = (): Ledger => ({
  records: new Map(),
  floor: 0 as WallTime,
  digestHigh: 0,
  digestLow: 0,
  revision: 0,
  open: new Map(),
  told: new Set(),
  mutes: new Map(),
});

export function keyOf(record: LedgerRecord): string {
  switch (record.t) {
    case "incident":
      return `i/${record.incident}`;
    case "evidence":
      return `e/${record.incident}/${record.observer}`;
    case "resolved":
      return `r/${record.incident}`;
    case "intent":
      return `n/${record.message}/${record.node}`;
    case "delivery":
      return `d/${record.message}/${record.node}`;
    case "message":
      return `m/${record.message}`;
    case "mute":
      return `s/${record.mute}`;
    case "ping":
      return `p/${record.channel}`;
  }
}

const padded = (value: number): string => String(Math.trunc(value)).padStart(15, "0");

/** Of two observers' verdicts the one with more behind it stands. */
const STRENGTH: readonly Verdict[] = ["host-down", "daemon-down", "unreachable", "missing", "link-problem"];

/** The lowest is the strongest. */
export const rankOf = (verdict: Verdict): number =>
  STRENGTH.includes(verdict) ? STRENGTH.indexOf(verdict) : STRENGTH.length;

/** Orders the records of one key: the lowest wins. Holds all that matters, so equal versions mean equal records. */
export function versionOf(record: LedgerRecord): string {
  switch (record.t) {
    case "incident":
      return `${rankOf(record.verdict)}:${padded(record.since)}:${record.by}`;
    case "evidence":
      return `${record.reportedBy === undefined ? 0 : 1}:${padded(1e14 - record.at)}:${record.reportedBy ?? ""}`;
    case "resolved":
      return `${padded(record.at)}:${record.by}`;
    case "intent":
      return padded(1e14 - record.renewal);
    case "delivery":
      return `${record.outcome === "delivered" ? 0 : 1}:${padded(1e14 - record.attempt)}:${padded(record.at)}`;
    case "message":
      return `${padded(record.at)}:${record.node}`;
    case "mute":
      return `${padded(1e14 - record.revision)}:${padded(1e14 - record.at)}:${record.ended}:${record.until ?? ""}:${record.by}:${record.why}`;
    case "ping":
      return `${padded(1e14 - record.turn)}:${padded(record.at)}:${record.node}`;
  }
}

/** The author's time of a record, for retention. */
const timeOf = (record: LedgerRecord): WallTime => (record.t === "incident" ? record.since : record.at);

function toggleDigest(ledger: Ledger, key: string, version: string): void {
  const hash = sha256Hex(`${key} ${version}`);
  ledger.revision += 1;
  ledger.digestHigh ^= Number.parseInt(hash.slice(0, 6), 16);
  ledger.digestLow ^= Number.parseInt(hash.slice(6, 12), 16);
}

/** 12 hex digits; equal for equal ledgers. */
export const digestOf = (ledger: Ledger): string =>
  ledger.digestHigh.toString(16).padStart(6, "0") + ledger.digestLow.toString(16).padStart(6, "0");

const toldKey = (incident: IncidentId, phase: Phase, channel: string): string =>
  `${incident} ${phase} ${channel}`;

function index(ledger: Ledger, record: LedgerRecord): void {
  if (record.t === "incident") {
    if (!NOTE_KINDS.has(record.kind) && !ledger.records.has(`r/${record.incident}`))
      ledger.open.set(record.incident, record);
  } else if (record.t === "resolved") {
    ledger.open.delete(record.incident);
  } else if (record.t === "delivery" && record.outcome === "delivered") {
    for (const incident of record.incidents) ledger.told.add(toldKey(incident, record.phase, record.channel));
  } else if (record.t === "mute") {
    if (record.ended) ledger.mutes.delete(record.mute);
    else ledger.mutes.set(record.mute, record);
  }
}

/** True when the record is news: it was absent, or beats what was held. */
export function merge(ledger: Ledger, record: LedgerRecord): boolean {
  const key = keyOf(record);
  const version = versionOf(record);
  const held = ledger.records.get(key);
  if (held !== undefined) {
    const heldVersion = versionOf(held);
    if (heldVersion <= version) return false;
    toggleDigest(ledger, key, heldVersion);
  }
  ledger.records.set(key, record);
  toggleDigest(ledger, key, version);
  index(ledger, record);
  return true;
}

/** A record about nothing held here and older than what was pruned: a peer that prunes later still has it. */
export function isForgotten(ledger: Ledger, record: LedgerRecord): boolean {
  return ownNeed(record) < ledger.floor && !incidentsOf(record).some((id) => ledger.records.has(`i/${id}`));
}

function incidentsOf(record: LedgerRecord): readonly IncidentId[] {
  if (record.t === "mute" || record.t === "ping") return [];
  return "incident" in record ? [record.incident] : record.incidents;
}

/** A mute is needed as long as it lasts, what speaks of incidents as long as the latest about any of them. */
const ownNeed = (record: LedgerRecord): number =>
  record.t === "mute" ? Math.max(record.at, record.until ?? Number.POSITIVE_INFINITY) : timeOf(record);

/**
 * Until when each record is needed: as long as the latest of all that is known of any of its
 * incidents. By its own time alone, a resolution or a receipt written by a node whose clock is
 * behind would go before its incident, and the incident would be open or owed once more.
 */
function neededUntil(ledger: Ledger): Map<string, number> {
  const latest = new Map<IncidentId, number>();
  for (const record of ledger.records.values()) {
    for (const id of incidentsOf(record)) {
      const time = ledger.open.has(id) ? Number.POSITIVE_INFINITY : timeOf(record);
      latest.set(id, Math.max(latest.get(id) ?? 0, time));
    }
  }
  const needed = new Map<string, number>();
  for (const [key, record] of ledger.records) {
    const times = incidentsOf(record).map((id) => latest.get(id) ?? 0);
    needed.set(key, Math.max(ownNeed(record), ...times));
  }
  return needed;
}

/** The incident itself goes first: what is left of it then says nothing that could be acted on. */
const dropOrder = (key: string): number => (key.startsWith("i/") ? 0 : 1);

/** Drops what is past its time or over the limit; returns the keys that went. Open incidents are never dropped. */
export function prune(ledger: Ledger, wall: WallTime): string[] {
  const needed = neededUntil(ledger);
  const settled = [...needed].filter(([, until]) => until !== Number.POSITIVE_INFINITY);
  settled.sort(
    ([aKey, a], [bKey, b]) => a - b || dropOrder(aKey) - dropOrder(bKey) || (aKey < bKey ? -1 : 1),
  );
  const expired = wall - LEDGER_KEEP;
  // Reckoned anew each time, and never from the future: a clock that was wrong once does no lasting harm.
  ledger.floor = expired as WallTime;
  const gone: string[] = [];
  for (const [key, until] of settled) {
    const old = until < expired;
    if (!old && ledger.records.size <= LEDGER_MAX) break;
    const record = ledger.records.get(key);
    if (record === undefined) continue;
    if (!old) ledger.floor = Math.max(ledger.floor, Math.min(until, wall)) as WallTime;
    ledger.records.delete(key);
    toggleDigest(ledger, key, versionOf(record));
    gone.push(key);
  }
  if (gone.length > 0) {
    ledger.told.clear();
    ledger.mutes.clear();
    for (const record of ledger.records.values()) index(ledger, record);
  }
  return gone;
}

export function incidentOf(ledger: Ledger, incident: IncidentId): IncidentRecord | undefined {
  const record = ledger.records.get(`i/${incident}`);
  return record?.t === "incident" ? record : undefined;
}

export function resolutionOf(ledger: Ledger, incident: IncidentId): ResolvedRecord | undefined {
  const record = ledger.records.get(`r/${incident}`);
  return record?.t === "resolved" ? record : undefined;
}

/** Mutes that nobody has lifted and whose time is not over. */
export function mutesInForce({ mutes }: Ledger, wall: WallTime): MuteRecord[] {
  if (mutes.size === 0) return [];
  return [...mutes.values()].filter(({ until }) => until === undefined || wall < until);
}

export const isOpen = (ledger: Ledger, incident: IncidentId): boolean => ledger.open.has(incident);

/** Open incidents about one node. */
export function openAbout(ledger: Ledger, subject: NodeId): IncidentRecord[] {
  // Asked for every beat; on most days there is none.
  if (ledger.open.size === 0) return [];
  return [...ledger.open.values()].filter((record) => record.subject === subject);
}

/** Whether any node delivered this phase of the incident on the channel. */
export const wasTold = (ledger: Ledger, incident: IncidentId, phase: Phase, channel: string): boolean =>
  ledger.told.has(toldKey(incident, phase, channel));
