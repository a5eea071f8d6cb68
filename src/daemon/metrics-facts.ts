/** Gathers what the metrics are made of. */
import { readdirSync } from "node:fs";
import type { Env } from "../core/io.ts";
import { INCIDENT_KINDS, type IncidentKind, NOTE_KINDS } from "../core/ledger-records.ts";
import type { NodeState } from "../core/node.ts";
import { latestOf } from "../core/senses.ts";
import { severityOf } from "../core/severity.ts";
import { readingsOf } from "../core/thermal/pass.ts";
import { SEVERITIES, type Severity } from "../core/types.ts";
import { type WallTime, wallTime } from "../kit/time.ts";
import type { BeatCounts, HostReadings, OpenIncidents, OwnCost } from "../wire/metrics/facts.ts";

export const beatCounts = ({ peers }: NodeState): BeatCounts[] =>
  [...peers.values()].map(({ member, beatsHeard, beatSeqOut }) => ({
    node: member.name,
    received: beatsHeard,
    sent: beatSeqOut,
  }));

/** Every kind that can be open, also where none is: a series that is not there cannot be asked for. */
export function openIncidents({ ledger }: NodeState): OpenIncidents[] {
  const counts = new Map<string, number>();
  const keyOf = (kind: IncidentKind, severity: Severity): string => `${kind} ${severity}`;
  for (const record of ledger.open.values()) {
    const key = keyOf(record.kind, severityOf(record));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return INCIDENT_KINDS.filter((kind) => !NOTE_KINDS.has(kind)).flatMap((kind) =>
    SEVERITIES.map((severity) => ({ kind, severity, open: counts.get(keyOf(kind, severity)) ?? 0 })).filter(
      ({ severity, open }) => open > 0 || mayHave(kind, severity),
    ),
  );
}

/** Heat is the one kind that grows worse. */
const mayHave = (kind: IncidentKind, severity: Severity): boolean =>
  severity === severityOf({ kind }) || (kind === "heat" && severity === "critical");

export const hostReadings = (
  state: NodeState,
  { wall }: Pick<Env, "wall">,
  wanted: "mesh" | "own" | "none",
): HostReadings[] =>
  state.roster.members.flatMap(({ id, name }) => {
    if (wanted === "none" || (wanted === "own" && id !== state.self)) return [];
    const latest = latestOf(state, id);
    return latest === undefined ? [] : [{ node: name, at: latest.wall, readings: readingsOf(latest, wall) }];
  });

const MICROSECONDS = 1e6;

export function ownCost(wall: WallTime): OwnCost {
  const { user, system } = process.cpuUsage();
  const openFiles = countOpenFiles();
  return {
    cpuSeconds: (user + system) / MICROSECONDS,
    residentBytes: process.memoryUsage.rss(),
    startedAt: wallTime(Math.round(wall - process.uptime() * 1000)),
    ...(openFiles === undefined ? {} : { openFiles }),
  };
}

/** Undefined where the process may not look at itself. */
function countOpenFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}
