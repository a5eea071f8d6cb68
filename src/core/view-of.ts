/** Renders a node's state for people: what `status`, `incidents`, `inbox` and `notify list` show. */
import { between, type Duration } from "../kit/time.ts";
import type { Env } from "./io.ts";
import { openAbout, resolutionOf } from "./ledger.ts";
import type { IncidentRecord, Phase } from "./ledger-records.ts";
import { PROVEN_FOR } from "./limits.ts";
import { outranks } from "./links.ts";
import { type Peer, pathOf, verdictOf } from "./peer.ts";
import { type NodeState, nameOf } from "./state.ts";
import { INBOX } from "./turns.ts";
import type { Member, Verdict } from "./types.ts";
import type { ChannelView, InboxEntry, IncidentView, MeshView, NodeView } from "./view.ts";

type Now = Pick<Env, "now" | "wall">;

export function meshView(state: NodeState, env: Now): MeshView {
  return {
    mesh: state.roster.mesh,
    self: state.self,
    selfName: nameOf(state, state.self),
    keymaster: state.roster.keymaster,
    term: state.roster.term,
    epoch: state.roster.epoch,
    nodes: state.roster.members.map((member) => nodeView(state, member, env)),
    isolated: state.isolated !== undefined,
    ...(state.storeFailing === undefined ? {} : { storeFailing: state.storeFailing }),
    openIncidents: state.ledger.open.size,
    channels: channelViews(state, env),
  };
}

function nodeView(state: NodeState, member: Member, env: Now): NodeView {
  const peer = state.peers.get(member.id);
  if (peer === undefined) return selfView(state, member, env);
  const { session } = peer;
  return {
    id: member.id,
    name: member.name,
    addresses: member.addresses,
    verdict: shownVerdict(state, peer),
    since: peer.since,
    incarnation: peer.incarnation,
    path: pathOf(peer, env.now),
    ...(peer.rtt === undefined ? {} : { rtt: peer.rtt }),
    ...(session === undefined ? {} : { certificateExpires: session.certificateExpires }),
    certificateFlagged: session?.certificateFlagged ?? false,
    ...(peer.heardWall === undefined ? {} : { lastHeard: peer.heardWall }),
    ...(peer.clockOffset === undefined ? {} : { clockOffset: peer.clockOffset }),
    beatsPerSecond: currentRate(peer, env),
    rosterBehind: peer.rosterRank !== undefined && outranks(state.roster, peer.rosterRank),
  };
}

/** A node that has not heard a peer yet shows what the mesh knows of it: its open incident. */
function shownVerdict(state: NodeState, peer: Peer): Verdict {
  if (peer.condition.kind !== "unknown" || state.isolated !== undefined) return verdictOf(peer.condition);
  return openAbout(state.ledger, peer.id)[0]?.verdict ?? "unknown";
}

/** The smoothed rate fades to nothing once beats stop. */
function currentRate(peer: Peer, env: Now): number {
  if (peer.lastBeatAt === undefined) return 0;
  if (between(peer.lastBeatAt, env.now) > 3 * peer.period || !peer.beatGap) return 0;
  return 1000 / peer.beatGap;
}

const selfView = (state: NodeState, member: Member, env: Now): NodeView => ({
  id: member.id,
  name: member.name,
  addresses: member.addresses,
  verdict: "alive",
  since: state.startedAt,
  incarnation: state.incarnation,
  path: "self",
  rtt: 0 as Duration,
  certificateFlagged: false,
  lastHeard: env.wall,
  clockOffset: 0 as Duration,
  beatsPerSecond: 1000 / state.period,
  rosterBehind: false,
});

function channelViews(state: NodeState, env: Now): ChannelView[] {
  return state.channels.map(({ name, type }) => {
    const latest = new Map<string, ChannelView["deliveries"][number]>();
    for (const record of state.ledger.records.values()) {
      if (record.t !== "delivery" || record.channel !== name) continue;
      const held = latest.get(record.node);
      if (held !== undefined && held.at >= record.at) continue;
      const { at, outcome, detail } = record;
      latest.set(record.node, { node: nameOf(state, record.node), at, outcome, detail });
    }
    const deliveries = [...latest.values()].sort((a, b) => b.at - a.at);
    const proven =
      name !== INBOX &&
      deliveries.some((each) => each.outcome === "delivered" && env.wall - each.at < PROVEN_FOR);
    return { name, type, deliveries, proven };
  });
}

/** All incidents the ledger holds, newest first. */
export function incidentViews(state: NodeState): IncidentView[] {
  const views: IncidentView[] = [];
  for (const record of state.ledger.records.values())
    if (record.t === "incident") views.push(incidentView(state, record));
  return views.sort((a, b) => b.since - a.since || (a.id < b.id ? -1 : 1));
}

function incidentView(state: NodeState, record: IncidentRecord): IncidentView {
  const resolution = resolutionOf(state.ledger, record.incident);
  const evidence: IncidentView["evidence"][number][] = [];
  for (const each of state.ledger.records.values()) {
    if (each.t !== "evidence" || each.incident !== record.incident) continue;
    const { name: observer, path, probe, last } = each;
    evidence.push({ observer, path, probe, ...(last === undefined ? {} : { last }) });
  }
  return {
    id: record.incident,
    kind: record.kind,
    subject: record.subject,
    name: record.name,
    incarnation: record.incarnation,
    verdict: record.verdict,
    since: record.since,
    ...(resolution === undefined ? {} : { resolved: resolution.at }),
    evidence,
    told: tellings(state, record, resolution === undefined ? ["open"] : ["open", "resolved"]),
  };
}

function tellings(state: NodeState, record: IncidentRecord, phases: readonly Phase[]): IncidentView["told"] {
  return phases.flatMap((phase) => state.channels.map(({ name }) => telling(state, record, phase, name)));
}

function telling(
  state: NodeState,
  record: IncidentRecord,
  phase: Phase,
  channel: string,
): IncidentView["told"][number] {
  let failed: IncidentView["told"][number] | undefined;
  for (const each of state.ledger.records.values()) {
    if (each.t !== "delivery" || each.phase !== phase || each.channel !== channel) continue;
    if (!each.incidents.includes(record.incident)) continue;
    const by = nameOf(state, each.node);
    if (each.outcome === "delivered") return { channel, phase, state: "delivered", by, detail: each.detail };
    failed = { channel, phase, state: "failed", by, detail: each.detail };
  }
  if (failed !== undefined) return failed;
  const sending = [...state.notify.sendings.values()].some(
    (each) => each.phase === phase && each.channel === channel && each.incidents.includes(record.incident),
  );
  return { channel, phase, state: sending ? "sending" : "owed" };
}

const INBOX_SHOWN_MAX = 500;

/** What people were told, newest first. */
export function inbox(state: NodeState): InboxEntry[] {
  const entries: InboxEntry[] = [];
  for (const record of state.ledger.records.values()) {
    if (record.t !== "message") continue;
    const { message: id, at, phase, title, text, node } = record;
    entries.push({ id, at, phase, title, text, by: nameOf(state, node) });
  }
  return entries.sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1)).slice(0, INBOX_SHOWN_MAX);
}
