/** Whose job it is to send: the same order at every node that sees the same mesh. */
import { hashPairAgain } from "../kit/hash.ts";
import { after, type Duration, type Instant, type WallTime } from "../kit/time.ts";
import type { Family } from "./duties.ts";
import { incidentOf } from "./ledger.ts";
import type { DeliveryRecord, IncidentRecord, Phase } from "./ledger-records.ts";
import { MENDED_HOLDS, PROVEN_FOR, TURN_EVERY, TURN_EVERY_RESOLVED } from "./limits.ts";
import { endsOf } from "./path-topic.ts";
import type { NodeState } from "./state.ts";
import type { IncidentId, NodeId } from "./types.ts";

/** The built-in channel every node has; a delivery there proves nothing. */
export const INBOX = "inbox";

/** What turns are drawn for while hosts are going down: each node learns of their deaths in its own order. */
export const OUTAGE: Family = "absence";

export const failureKey = (node: NodeId, channel: string): string => `${node} ${channel}`;

/** Living, unsuspected nodes that have the channel; this one too if it has it. */
export function candidates(state: Pick<NodeState, "channels" | "self" | "peers">, channel: string): NodeId[] {
  const able: NodeId[] = state.channels.some((own) => own.name === channel) ? [state.self] : [];
  for (const peer of state.peers.values()) {
    if (peer.condition.kind === "alive" && peer.channels.includes(channel)) able.push(peer.id);
  }
  return able;
}

/** How deliveries have gone, by node: derived from the ledger at `revision`. */
export interface Deliveries {
  readonly revision: number;
  /** The last one that succeeded, on any channel but the inbox. */
  readonly delivered: ReadonlyMap<NodeId, WallTime>;
  /** By channel, the last one. */
  readonly last: ReadonlyMap<string, ReadonlyMap<NodeId, DeliveryRecord>>;
  /** Problems of links that are over, and since when. */
  readonly mended: readonly { readonly link: IncidentRecord; readonly at: WallTime }[];
}

/** Ranks are asked for in every step while something is owed, and the ledger is long. */
export function deliveriesOf({ ledger, notify }: Pick<NodeState, "ledger" | "notify">): Deliveries {
  if (notify.deliveries?.revision === ledger.revision) return notify.deliveries;
  const delivered = new Map<NodeId, WallTime>();
  const last = new Map<string, Map<NodeId, DeliveryRecord>>();
  const mended: { link: IncidentRecord; at: WallTime }[] = [];
  for (const record of ledger.records.values()) {
    if (record.t === "resolved") {
      const link = incidentOf(ledger, record.incident);
      if (link !== undefined && endsOf(link).length > 0) mended.push({ link, at: record.at });
    }
    if (record.t !== "delivery") continue;
    const { node, channel, at, outcome } = record;
    const onChannel = last.get(channel) ?? new Map<NodeId, DeliveryRecord>();
    last.set(channel, onChannel);
    const held = onChannel.get(node);
    if (held === undefined || held.at < at) onChannel.set(node, record);
    if (outcome === "delivered" && channel !== INBOX && at > (delivered.get(node) ?? -1))
      delivered.set(node, at);
  }
  notify.deliveries = { revision: ledger.revision, delivered, last, mended };
  return notify.deliveries;
}

/**
 * Nodes whose last delivery on the channel failed. Only the ledger is asked, and no
 * clock: with what each node happened to see when, every node would rank them
 * differently, and several would think that it is their turn.
 */
function hasFailed(deliveries: Deliveries, node: NodeId, channel: string): boolean {
  return deliveries.last.get(channel)?.get(node)?.outcome === "failed";
}

/**
 * How many broken links each node stands at an end of: what it says may not get through to the other end. What
 * was mended just now still counts: each end enters its own link, and would count the others' alone.
 */
function brokenLinks(
  { ledger }: NodeState,
  { mended }: Deliveries,
  wall: number,
  about: readonly IncidentRecord[],
): ReadonlyMap<NodeId, number> {
  const broken = new Map<NodeId, number>();
  const lately = mended.filter(({ at }) => Math.abs(wall - at) < MENDED_HOLDS).map(({ link }) => link);
  const links = [...ledger.open.values(), ...lately, ...about];
  for (const link of new Map(links.map((each) => [each.incident, each])).values())
    for (const end of endsOf(link)) broken.set(end, (broken.get(end) ?? 0) + 1);
  return broken;
}

/**
 * Ranks the candidates for a group of incidents (`about`): those first whom all others hear, as far as
 * is known, then those whose last delivery on the channel did not fail, then those with a proven channel,
 * then by rendezvous hash (highest random weight) over `anchor`. Who does not hear another does not count
 * it among the candidates: at the head of the line each would take itself for the first.
 */
export function rank(
  state: NodeState,
  anchor: string,
  channel: string,
  wall: number,
  about: readonly IncidentRecord[] = [],
): NodeId[] {
  const deliveries = deliveriesOf(state);
  const broken = brokenLinks(state, deliveries, wall, about);
  const isProven = (node: NodeId): boolean =>
    wall - (deliveries.delivered.get(node) ?? Number.NEGATIVE_INFINITY) < PROVEN_FOR;
  const weigh = (node: NodeId) => ({
    node,
    broken: broken.get(node) ?? 0,
    failed: hasFailed(deliveries, node, channel) ? 1 : 0,
    unproven: isProven(node) ? 0 : 1,
    hash: hashPairAgain("balefire-turn-1", anchor, node),
  });
  return candidates(state, channel)
    .map(weigh)
    .sort(
      (a, b) =>
        a.broken - b.broken || a.failed - b.failed || a.unproven - b.unproven || (a.hash < b.hash ? -1 : 1),
    )
    .map((each) => each.node);
}

/**
 * What turns are drawn for. Of what befalls several hosts the nodes learn one by one, each in its own
 * order: with the incidents themselves they would rank differently until they agree on all of them.
 */
export function anchorOf(phase: Phase, family: Family, incidents: readonly IncidentId[]): string {
  if (phase === "open") return family;
  let least = incidents[0] ?? "";
  for (const incident of incidents) if (incident < least) least = incident;
  return least;
}

/** The first so many in line, on each channel of the mesh as far as this node knows. */
export function firstInLine(
  state: NodeState,
  anchor: string,
  wall: number,
  places: number,
): ReadonlySet<NodeId> {
  const names = new Set(state.channels.map(({ name }) => name));
  for (const { channels } of state.peers.values()) for (const name of channels) names.add(name);
  return new Set([...names].flatMap((name) => rank(state, anchor, name, wall).slice(0, places)));
}

/** When a rank may go if it sees no sign of those before it. */
export const turnAt = (base: Instant, place: number, phase: Phase): Instant =>
  after(base, (place * (phase === "open" ? TURN_EVERY : TURN_EVERY_RESOLVED)) as Duration);
