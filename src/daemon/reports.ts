/** From the core's views to what the control socket and `--json` say: names, ISO times, plain numbers. */
import { clockWords } from "../core/clocks.ts";
import type { Notice } from "../core/io.ts";
import type { Hold } from "../core/mutes.ts";
import { rankIn } from "../core/roster.ts";
import type {
  ChannelView,
  InboxEntry,
  IncidentView,
  MeshView,
  MuteView,
  NodeView,
  SilenceView,
} from "../core/view.ts";
import { civilTime, type Duration, formatDuration, isoTime, type WallTime } from "../kit/time.ts";
import type { HealthReport } from "../wire/health.ts";
import type {
  InboxReport,
  IncidentReport,
  IncidentsReport,
  MaintenanceReport,
  MuteReport,
  NodeReport,
  NotifyListReport,
  SilenceReport,
  StatusReport,
  WatchEvent,
} from "../wire/rpc.ts";

const isoOrNull = (wall: WallTime | undefined): string | null => (wall === undefined ? null : isoTime(wall));
const rounded = (value: number | undefined, digits: number): number | null =>
  value === undefined ? null : Number(value.toFixed(digits));

function nodeReport(node: NodeView, view: MeshView, ownCertificateExpires: WallTime): NodeReport {
  const expires = node.id === view.self ? ownCertificateExpires : node.certificateExpires;
  return {
    id: node.id,
    name: node.name,
    addresses: node.addresses,
    verdict: node.verdict,
    since: isoTime(node.since),
    incarnation: node.incarnation,
    path: node.path,
    rttMs: rounded(node.rtt, 3),
    certificateExpires: isoOrNull(expires),
    lastHeard: isoOrNull(node.lastHeard),
    clockOffsetMs: rounded(node.clockOffset, 1),
    beatsPerSecond: rounded(node.beatsPerSecond, 2) ?? 0,
    keymaster: node.id === view.keymaster,
    maintenance: node.maintenance === undefined ? null : muteReport(node.maintenance),
    farewell: node.why ?? null,
    expected: node.sometimes ? "sometimes" : "always",
  };
}

const muteReport = ({ at, until, by, why }: MuteView): MuteReport => ({
  at: isoTime(at),
  until: isoOrNull(until),
  by,
  why,
});

export const maintenanceReport = (
  node: Pick<NodeView, "id" | "name"> & { readonly maintenance: MuteView },
): MaintenanceReport => ({ node: node.id, name: node.name, ...muteReport(node.maintenance) });

export const silenceReport = ({ id, matcher, ...mute }: SilenceView): SilenceReport => ({
  id,
  matcher: {
    node: matcher.node ?? null,
    kind: matcher.kind ?? null,
    severity: matcher.severity ?? null,
  },
  ...muteReport(mute),
});

/** A person has said that this is how it should be. */
const mayBeAway = ({ maintenance, sometimes }: NodeView): boolean => maintenance !== undefined || sometimes;

/** What keeps the mesh from being well, in words; and what keeps it from being sure that it can tell anyone. */
function problemsOf(view: MeshView): { readonly degraded: string[]; readonly unproven: string[] } {
  const degraded: string[] = [];
  for (const node of view.nodes) {
    if (node.verdict !== "alive" && node.verdict !== "planned" && !mayBeAway(node))
      degraded.push(`${node.name} is ${node.verdict}`);
    if (node.certificateFlagged) degraded.push(`the certificate of ${node.name} is outside its validity`);
  }
  if (view.clock.off)
    degraded.push(`this host's clock is ${clockWords(view.clock.error ?? (0 as Duration))}`);
  if (!isMember(view)) degraded.push(WAITING_WORDS);
  else if (view.isolated) degraded.push("this node hears nobody and has no uplink");
  if (view.storeFailing !== undefined) degraded.push(`state cannot be written: ${view.storeFailing}`);
  for (const { name, every, silent, last } of view.heartbeats) {
    const since = last === undefined ? "" : `, last by ${last.node} at ${civilTime(last.at)}`;
    if (silent)
      degraded.push(`heartbeat ${name} was not pinged for three times ${formatDuration(every)}${since}`);
  }
  const reaching = view.channels.filter((channel) => channel.type !== "inbox");
  const unproven = reaching.some((channel) => channel.proven) ? [] : [unprovenWords(reaching)];
  return { degraded, unproven };
}

const isMember = ({ nodes, self }: MeshView): boolean => nodes.some(({ id }) => id === self);

/** A keymaster that has lost had let it in; it watches nobody meanwhile. */
const WAITING_WORDS =
  "no roster that counts holds this node: it waits to be confirmed on the keymaster (`balefire keymaster show`)";

const unprovenWords = (channels: readonly ChannelView[]): string =>
  channels.length === 0
    ? "no channel is configured: nobody would be told"
    : "no channel has delivered within seven days: run `balefire notify test`";

/** `troubles`: what of this node's own does not work, in words. */
export function statusReport(
  view: MeshView,
  version: string,
  certificateExpires: WallTime,
  troubles: readonly string[] = [],
): StatusReport {
  const { degraded, unproven } = problemsOf(view);
  degraded.push(...troubles);
  return {
    schema: 1,
    at: isoTime(view.at),
    mesh: view.mesh,
    self: view.self,
    name: view.selfName,
    keymaster: view.keymaster,
    ...rankIn(view),
    version,
    health: degraded.length > 0 ? "degraded" : unproven.length > 0 ? "unproven" : "ok",
    problems: [...degraded, ...unproven],
    isolated: view.isolated,
    openIncidents: view.openIncidents,
    silences: view.silences.length,
    quietUntil: isoOrNull(view.quietUntil),
    nodes: view.nodes.map((node) => nodeReport(node, view, certificateExpires)),
  };
}

export interface OwnTimes {
  readonly startedAt: WallTime;
  readonly lastReading: WallTime | undefined;
}

export function healthReport(view: MeshView, status: StatusReport, own: OwnTimes): HealthReport {
  const others = view.nodes.filter(({ id }) => id !== view.self);
  const delivered = view.channels
    .filter(({ type }) => type !== "inbox")
    .flatMap(({ deliveries }) => deliveries.filter(({ outcome }) => outcome === "delivered"));
  return {
    schema: 1,
    status: status.health,
    problems: status.problems,
    mesh: view.mesh,
    node: view.selfName,
    version: status.version,
    startedAt: isoTime(own.startedAt),
    lastBeatSeen: isoOrNull(latest(others.map(({ lastHeard }) => lastHeard))),
    lastReading: isoOrNull(own.lastReading),
    lastDelivery: isoOrNull(latest(delivered.map(({ at }) => at))),
    openIncidents: view.openIncidents,
    nodes: {
      total: view.nodes.length,
      alive: view.nodes.filter(({ verdict }) => verdict === "alive").length,
    },
  };
}

const latest = (times: readonly (WallTime | undefined)[]): WallTime | undefined =>
  times.reduce((last, at) => (at === undefined || (last ?? at) > at ? last : at), undefined);

/** `holds`: what holds back messages about an incident now, by its id. */
export const incidentsReport = (
  views: readonly IncidentView[],
  holds: ReadonlyMap<string, Hold>,
  at: WallTime,
): IncidentsReport => ({
  schema: 1,
  at: isoTime(at),
  incidents: views.map(({ since, resolved, note, unknown, topic, detail, evidence, told, ...rest }) => ({
    ...rest,
    state: note ? "note" : resolved !== undefined ? "resolved" : unknown ? "unknown" : "open",
    topic: topic ?? null,
    detail: detail ?? null,
    heldBack: holdReport(told, holds.get(rest.id)),
    since: isoTime(since),
    until: isoOrNull(resolved),
    evidence: evidence.map(({ last, ...seen }) => ({ ...seen, last: isoOrNull(last) })),
    told: told.map(({ by, detail, ...telling }) => ({ ...telling, by: by ?? null, detail: detail ?? null })),
  })),
});

/** Null where nothing is left to be told, whatever would hold it back. */
function holdReport(told: IncidentView["told"], hold: Hold | undefined): IncidentReport["heldBack"] {
  if (hold === undefined || told.every(({ state }) => state !== "owed")) return null;
  return { why: hold.why, until: isoOrNull(hold.until) };
}

export const inboxReport = (entries: readonly InboxEntry[]): InboxReport => ({
  schema: 1,
  messages: entries.map(({ at, ...entry }) => ({ ...entry, at: isoTime(at) })),
});

export const notifyListReport = (
  view: Pick<MeshView, "channels" | "heartbeats">,
  originOf: (name: string) => string,
): NotifyListReport => ({
  schema: 1,
  channels: view.channels.map(({ name, type, proven, deliveries }) => ({
    name,
    type,
    origin: originOf(name),
    proven,
    deliveries: deliveries.map(({ at, ...rest }) => ({ ...rest, at: isoTime(at) })),
  })),
  heartbeats: view.heartbeats.map(({ name, every, silent, last }) => ({
    name,
    origin: originOf(name),
    everyMs: every,
    silent,
    last: last === undefined ? null : { ...last, at: isoTime(last.at) },
  })),
});

export function watchEvent(notice: Notice, at: WallTime): WatchEvent {
  const { type, ...rest } = notice;
  const until = notice.type === "mute" ? { until: isoOrNull(notice.until) } : {};
  return { schema: 1, event: type, at: isoTime(at), ...rest, ...until };
}
