/** Maintenances, silences and quiet hours: what people do not want to be told now. */

import { globFits } from "../kit/glob.ts";
import type { WallTime } from "../kit/time.ts";
import { minuteOfDay } from "../kit/time-of-day.ts";
import { publish } from "./entries.ts";
import type { MuteRequest } from "./io.ts";
import { mutesInForce } from "./ledger.ts";
import type { IncidentRecord, Matcher, MuteRecord } from "./ledger-records.ts";
import { followMutes } from "./mute-news.ts";
import { noteMaintenance } from "./planned.ts";
import { isAtMost, severityOf } from "./severity.ts";
import type { NodeState, Turn } from "./state.ts";
import type { NodeId, QuietHours } from "./types.ts";

export const maintenanceId = (node: NodeId): string => `maintenance-${node}`;

/** Enters what a person asked for, over whatever was under the same name. */
export function setMute(turn: Turn, request: MuteRequest): void {
  const held = turn.state.ledger.records.get(`s/${request.mute}`);
  const revision = (held?.t === "mute" ? held.revision : 0) + 1;
  const mute: MuteRecord = { t: "mute", revision, at: turn.env.wall, ...request };
  publish(turn, [mute]);
  followMutes(turn);
  if (mute.subject !== undefined) noteMaintenance(turn, mute.subject, mute);
}

type Muting = Pick<NodeState, "ledger" | "policy">;

export const maintenanceOf = (
  state: Pick<NodeState, "ledger">,
  node: NodeId,
  wall: WallTime,
): MuteRecord | undefined => mutesInForce(state.ledger, wall).find(({ subject }) => subject === node);

/** Why messages about something are held back, and until when; `until` absent = when a person says so. */
export interface Hold {
  readonly why: string;
  readonly until?: WallTime;
}

const FOR_EVER = Number.POSITIVE_INFINITY;

/** What holds back messages about this incident now; of several, the one that lasts longest. */
export function heldBack(state: Muting, incident: IncidentRecord, wall: WallTime): Hold | undefined {
  const holds: Hold[] = [];
  if (state.policy.sometimes.includes(incident.name) && isAbsence(incident))
    holds.push({ why: `${incident.name} comes and goes (expected: sometimes)` });
  for (const mute of mutesInForce(state.ledger, wall)) {
    if (isMeant(mute, incident))
      holds.push({ why: wordsFor(mute), ...(mute.until === undefined ? {} : { until: mute.until }) });
  }
  const { quietHours } = state.policy;
  if (quietHours !== undefined && isAtMost(severityOf(incident), quietHours.severity)) {
    const until = quietUntil(quietHours, wall);
    if (until !== undefined) holds.push({ why: "quiet hours", until });
  }
  return holds.sort((a, b) => (b.until ?? FOR_EVER) - (a.until ?? FOR_EVER))[0];
}

const isAbsence = ({ kind }: IncidentRecord): boolean =>
  kind === "down" || kind === "daemon-down" || kind === "missing";

function wordsFor({ purpose, by, why }: MuteRecord): string {
  const reason = why === "" ? "" : `: ${why}`;
  return `${purpose === "maintenance" ? "in maintenance" : "silenced"} by ${by}${reason}`;
}

/** A member in maintenance is spoken of wherever it is one end of the matter; that it is in maintenance may be told. */
function isMeant(mute: MuteRecord, incident: IncidentRecord): boolean {
  if (mute.subject !== undefined && incident.kind === "planned") return false;
  if (mute.subject !== undefined) return mute.subject === incident.subject || mute.subject === incident.topic;
  return matches(mute.matcher, incident);
}

export function matches(matcher: Matcher, incident: IncidentRecord): boolean {
  const { node, kind, severity } = matcher;
  if (node !== undefined && !globFits(node, incident.name)) return false;
  if (kind !== undefined && kind !== incident.kind) return false;
  return severity === undefined || isAtMost(severityOf(incident), severity);
}

const DAY = 1440;

/** When the quiet hours that hold now end; undefined outside of them. Whole minutes. */
export function quietUntil({ from, to, timeZone }: QuietHours, wall: WallTime): WallTime | undefined {
  const now = minuteOfDay(wall, timeZone);
  const length = (to - from + DAY) % DAY || DAY;
  const into = (now - from + DAY) % DAY;
  if (into >= length) return undefined;
  return (wall - (wall % 60_000) + (length - into) * 60_000) as WallTime;
}
