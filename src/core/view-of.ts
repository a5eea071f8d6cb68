/** Renders a node's state for people: what `status`, `incidents`, `inbox` and `notify list` show. */
import { between, type Duration, type WallTime } from "../kit/time.ts";
import { meshTime, ownClockError } from "./clocks.ts";
import { openAbsences } from "./incidents.ts";
import type { Env } from "./io.ts";
import { resolutionOf } from "./ledger.ts";
import { type IncidentRecord, NOTE_KINDS, type Phase } from "./ledger-records.ts";
import { PROVEN_FOR } from "./limits.ts";
import { maintenanceOf } from "./mutes.ts";
import { type Peer, pathOf, verdictOf } from "./peer.ts";
import { outranks, rankIn } from "./roster.ts";
import { severityOf } from "./severity.ts";
import { type NodeState, nameOf } from "./state.ts";
import { INBOX } from "./turns.ts";
import type { Member, Verdict } from "./types.ts";
import type { ChannelView, ClockView, InboxEntry, IncidentView, MeshView, NodeView } from "./view.ts";
import { heartbeatViews, maintenanceViews, quietNow, silenceViews } from "./view-of-mutes.ts";

type Now = Pick<Env, "now" | "wall">;

/** `host`: as its clocks say. */
export function meshView(state: NodeState, host: Now): MeshView {
  const env = { now: host.now, wall: meshTime(state, host.wall) };
  const maintenances = maintenanceViews(state, env.wall);
  const quietUntil = quietNow(state, env.wall);
  return {
    mesh: state.roster.mesh,
    at: env.wall,
    self: state.self,
    selfName: nameOf(state, state.self),
    keymaster: state.roster.keymaster,
    ...rankIn(state.roster),
    nodes: state.roster.members.map((member) => {
      const maintenance = maintenances.get(member.id);
      const sometimes = state.policy.sometimes.includes(member.name);
      const muted = { sometimes, ...(maintenance === undefined ? {} : { maintenance }) };
      return { ...nodeView(state, member, env), ...muted };
    }),
    isolated: state.isolated !== undefined,
    clock: clockView(state),
    ...(state.storeFailing === undefined ? {} : { storeFailing: state.storeFailing }),
    openIncidents: state.ledger.open.size,
    channels: channelViews(state, env),
    heartbeats: heartbeatViews(state, env.wall),
    silences: silenceViews(state, env.wall),
    ...(quietUntil === undefined ? {} : { quietUntil }),
  };
}

/** What is known of the node itself; what people want to be told about it is added above. */
type BareNodeView = Omit<NodeView, "maintenance" | "sometimes">;

function nodeView(state: NodeState, member: Member, env: Now): BareNodeView {
  const peer = state.peers.get(member.id);
  if (peer === undefined) return selfView(state, member, env);
  const { session } = peer;
  return {
    id: member.id,
    name: member.name,
    addresses: member.addresses,
    verdict: shownVerdict(state, peer, env),
    ...(peer.condition.kind === "planned" && peer.farewellWhy !== undefined ? { why: peer.farewellWhy } : {}),
    since: peer.since,
    incarnation: peer.incarnation,
    path: pathOf(peer, env.now),
    ...(peer.rtt === undefined ? {} : { rtt: peer.rtt }),
    ...certificateEnd(peer),
    // Judged by this host's clock: while that one is off it says nothing.
    certificateFlagged: session?.certificateFlagged === true && state.clocks.correction === 0,
    ...(peer.heardWall === undefined ? {} : { lastHeard: peer.heardWall }),
    ...clockOffsetOf(state, peer),
    beatsPerSecond: currentRate(peer, env),
    rosterBehind: peer.rosterRank !== undefined && outranks(state.roster, peer.rosterRank),
  };
}

const clockOffsetOf = ({ clocks }: NodeState, { clockOffset }: Peer): Pick<NodeView, "clockOffset"> =>
  clockOffset === undefined ? {} : { clockOffset: (clockOffset - clocks.correction) as Duration };

function clockView(state: NodeState): ClockView {
  const error = ownClockError(state);
  return { off: state.clocks.correction !== 0, ...(error === undefined ? {} : { error }) };
}

/** A session may be older than the peer's last renewal, and the roster too. */
function certificateEnd({ session, member }: Peer): Pick<NodeView, "certificateExpires"> {
  const shown = session?.certificateExpires ?? member.certificateExpires;
  if (shown === undefined) return {};
  return { certificateExpires: Math.max(shown, member.certificateExpires ?? shown) as WallTime };
}

/** A node that has not heard a peer yet shows what the mesh knows of it: its maintenance, or its open incident. */
function shownVerdict(state: NodeState, peer: Peer, env: Now): Verdict {
  // Cut off, it knows nothing of those it knows from others.
  if (state.isolated !== undefined && peer.watchedSince === undefined) return "unknown";
  const verdict = verdictOf(peer.condition);
  const { kind } = peer.condition;
  if (kind !== "unknown" && kind !== "down") return verdict;
  if (maintenanceOf(state, peer.id, env.wall) !== undefined) return "planned";
  if (state.isolated !== undefined || (verdict !== "unknown" && verdict !== "missing")) return verdict;
  return openAbsences({ state }, peer.id)[0]?.verdict ?? verdict;
}

/** The smoothed rate fades to nothing once beats stop. */
function currentRate(peer: Peer, env: Now): number {
  if (peer.lastBeatAt === undefined) return 0;
  if (between(peer.lastBeatAt, env.now) > 3 * peer.period || !peer.beatGap) return 0;
  return 1000 / peer.beatGap;
}

const selfView = (state: NodeState, member: Member, env: Now): BareNodeView => ({
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
  clockOffset: (0 - state.clocks.correction) as Duration,
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
  const ended = resolution?.at ?? record.until;
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
    severity: severityOf(record),
    since: record.since,
    note: NOTE_KINDS.has(record.kind),
    unknown: ended === undefined && isUnknown(state, record),
    ...(ended === undefined ? {} : { resolved: ended }),
    ...topicView(state, record),
    ...(record.detail === undefined ? {} : { detail: record.detail }),
    evidence,
    told: tellings(state, record, resolution === undefined ? ["open"] : ["open", "resolved"]),
  };
}

const HEARD: ReadonlySet<Verdict> = new Set(["alive", "suspect", "link-problem"]);

/** Only a host itself can tell that its sensors are well again. */
function isUnknown({ peers }: NodeState, { kind, subject }: IncidentRecord): boolean {
  const peer = peers.get(subject);
  return kind === "heat" && peer !== undefined && !HEARD.has(verdictOf(peer.condition));
}

/** The other end of a link, or what flaps; the topics of notes are of no interest to a person. */
function topicView(state: NodeState, { kind, topic }: IncidentRecord): Pick<IncidentView, "topic"> {
  if (topic === undefined || (kind !== "link-problem" && kind !== "flapping")) return {};
  const named = (word: string): string => state.roster.members.find(({ id }) => id === word)?.name ?? word;
  return { topic: topic.split(" ").map(named).join(" ") };
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
