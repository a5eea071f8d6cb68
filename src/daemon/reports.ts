/** From the core's views to what the control socket and `--json` say: names, ISO times, plain numbers. */
import type { Notice } from "../core/io.ts";
import type { ChannelView, InboxEntry, IncidentView, MeshView, NodeView } from "../core/view.ts";
import { isoTime, type WallTime } from "../kit/time.ts";
import type {
  InboxReport,
  IncidentsReport,
  NodeReport,
  NotifyListReport,
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
  };
}

/** What keeps the mesh from being well, in words; and what keeps it from being sure that it can tell anyone. */
function problemsOf(view: MeshView): { readonly degraded: string[]; readonly unproven: string[] } {
  const degraded: string[] = [];
  for (const node of view.nodes) {
    if (node.verdict !== "alive" && node.verdict !== "planned")
      degraded.push(`${node.name} is ${node.verdict}`);
    if (node.certificateFlagged) degraded.push(`the certificate of ${node.name} is outside its validity`);
  }
  if (view.isolated) degraded.push("this node hears nobody and has no uplink");
  if (view.storeFailing !== undefined) degraded.push(`state cannot be written: ${view.storeFailing}`);
  const reaching = view.channels.filter((channel) => channel.type !== "inbox");
  const unproven = reaching.some((channel) => channel.proven) ? [] : [unprovenWords(reaching)];
  return { degraded, unproven };
}

const unprovenWords = (channels: readonly ChannelView[]): string =>
  channels.length === 0
    ? "no channel is configured: nobody would be told"
    : "no channel has delivered within seven days: run `balefire notify test`";

export function statusReport(view: MeshView, version: string, certificateExpires: WallTime): StatusReport {
  const { degraded, unproven } = problemsOf(view);
  return {
    schema: 1,
    mesh: view.mesh,
    self: view.self,
    name: view.selfName,
    keymaster: view.keymaster,
    term: view.term,
    epoch: view.epoch,
    version,
    health: degraded.length > 0 ? "degraded" : unproven.length > 0 ? "unproven" : "ok",
    problems: [...degraded, ...unproven],
    isolated: view.isolated,
    openIncidents: view.openIncidents,
    nodes: view.nodes.map((node) => nodeReport(node, view, certificateExpires)),
  };
}

export const incidentsReport = (views: readonly IncidentView[]): IncidentsReport => ({
  schema: 1,
  incidents: views.map(({ since, resolved, evidence, told, ...rest }) => ({
    ...rest,
    state: resolved === undefined ? "open" : "resolved",
    since: isoTime(since),
    until: isoOrNull(resolved),
    evidence: evidence.map(({ last, ...seen }) => ({ ...seen, last: isoOrNull(last) })),
    told: told.map(({ by, detail, ...telling }) => ({ ...telling, by: by ?? null, detail: detail ?? null })),
  })),
});

export const inboxReport = (entries: readonly InboxEntry[]): InboxReport => ({
  schema: 1,
  messages: entries.map(({ at, ...entry }) => ({ ...entry, at: isoTime(at) })),
});

export const notifyListReport = (
  channels: readonly ChannelView[],
  originOf: (name: string) => string,
): NotifyListReport => ({
  schema: 1,
  channels: channels.map(({ name, type, proven, deliveries }) => ({
    name,
    type,
    origin: originOf(name),
    proven,
    deliveries: deliveries.map(({ at, ...rest }) => ({ ...rest, at: isoTime(at) })),
  })),
});

export function watchEvent(notice: Notice, at: WallTime): WatchEvent {
  const { type, ...rest } = notice;
  return { schema: 1, event: type, at: isoTime(at), ...rest };
}
