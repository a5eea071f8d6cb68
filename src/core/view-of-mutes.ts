/** What people do not want to be told now, and whether somebody outside hears that the mesh lives, for `status` and the lists. */
import type { Duration, WallTime } from "../kit/time.ts";
import { mutesInForce } from "./ledger.ts";
import type { MuteRecord } from "./ledger-records.ts";
import { HEARTBEAT_PATIENCE } from "./limits.ts";
import { type Hold, heldBack, quietUntil } from "./mutes.ts";
import { type NodeState, nameOf } from "./state.ts";
import type { IncidentId, NodeId } from "./types.ts";
import type { HeartbeatView, MuteView, SilenceView } from "./view.ts";

const muteView = ({ at, until, by, why }: MuteRecord): MuteView => ({
  at,
  by,
  why,
  ...(until === undefined ? {} : { until }),
});

/** By member. */
export function maintenanceViews(state: NodeState, wall: WallTime): ReadonlyMap<NodeId, MuteView> {
  const views = new Map<NodeId, MuteView>();
  for (const mute of mutesInForce(state.ledger, wall))
    if (mute.subject !== undefined) views.set(mute.subject, muteView(mute));
  return views;
}

/** Oldest first. */
export const silenceViews = (state: NodeState, wall: WallTime): SilenceView[] =>
  mutesInForce(state.ledger, wall)
    .filter(({ purpose }) => purpose === "silence")
    .map((mute) => ({ id: mute.mute, matcher: mute.matcher, ...muteView(mute) }))
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));

/** What holds back messages about incidents now, by incident. */
export function holdViews(state: NodeState, wall: WallTime): ReadonlyMap<IncidentId, Hold> {
  const holds = new Map<IncidentId, Hold>();
  for (const record of state.ledger.records.values()) {
    if (record.t !== "incident") continue;
    const hold = heldBack(state, record, wall);
    if (hold !== undefined) holds.set(record.incident, hold);
  }
  return holds;
}

/** The end of the quiet hours, while they hold. */
export const quietNow = ({ policy }: NodeState, wall: WallTime): WallTime | undefined =>
  policy.quietHours === undefined ? undefined : quietUntil(policy.quietHours, wall);

export const heartbeatViews = (state: NodeState, wall: WallTime): HeartbeatView[] =>
  state.heartbeats.map(({ name, every }) => {
    const record = state.ledger.records.get(`p/${name}`);
    const last =
      record?.t === "ping"
        ? { node: nameOf(state, record.node), at: record.at, detail: record.detail }
        : undefined;
    // A node that has just started may not have heard yet of a ping by another.
    const since = Math.max(last?.at ?? 0, state.startedAt);
    const silent = wall - since > HEARTBEAT_PATIENCE * every;
    return { name, every: every as Duration, silent, ...(last === undefined ? {} : { last }) };
  });
