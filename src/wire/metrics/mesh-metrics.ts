/** The mesh as one node sees it, and whether it can tell anyone. */
import type { MeshView, NodeView } from "../../core/view.ts";
import { PATHS, VERDICTS } from "../peer-fields.ts";
import type { Family } from "./exposition.ts";
import type { MeshFacts, Tallies } from "./facts.ts";
import { family, flag, inSeconds, type Row, single } from "./family.ts";

const HEALTHS: readonly MeshFacts["health"][] = ["ok", "unproven", "degraded"];

export function meshMetrics(facts: MeshFacts): Family[] {
  const { view, health } = facts;
  const self = view.nodes.find(({ id }) => id === view.self);
  return [
    family("balefire_mesh", [[{ mesh: view.mesh, node: self?.name ?? view.selfName, id: view.self }, 1]]),
    family(
      "balefire_health",
      HEALTHS.map((status) => [{ status }, flag(status === health)]),
    ),
    single("balefire_isolated", flag(view.isolated)),
    single("balefire_store_failing", flag(view.storeFailing !== undefined)),
    single("balefire_keymaster", flag(view.keymaster === view.self)),
    single("balefire_roster_term", view.term),
    single("balefire_roster_epoch", view.epoch),
    single("balefire_roster_nodes", view.nodes.length),
    ...nodeMetrics(facts),
  ];
}

function nodeMetrics({ view, beats, certificateExpires }: MeshFacts): Family[] {
  const { nodes } = view;
  const ofEach = (measure: (node: NodeView) => number | undefined): Row<"node">[] =>
    nodes.map((node) => [{ node: node.name }, measure(node)]);
  const expiry = (node: NodeView): number | undefined =>
    node.id === view.self ? certificateExpires : node.certificateExpires;
  return [
    family("balefire_node_up", ofEach(isUp)),
    family("balefire_node_verdict", states(nodes, VERDICTS, "verdict")),
    family(
      "balefire_node_verdict_since_timestamp_seconds",
      ofEach(({ since }) => inSeconds(since)),
    ),
    family(
      "balefire_node_last_heard_timestamp_seconds",
      ofEach(({ lastHeard }) => inSeconds(lastHeard)),
    ),
    family(
      "balefire_node_incarnation",
      ofEach(({ incarnation }) => incarnation),
    ),
    family("balefire_node_path", states(nodes, PATHS, "path")),
    family(
      "balefire_node_round_trip_seconds",
      ofEach(({ rtt }) => inSeconds(rtt)),
    ),
    family(
      "balefire_node_clock_offset_seconds",
      ofEach(({ clockOffset }) => inSeconds(clockOffset)),
    ),
    family(
      "balefire_node_roster_behind",
      ofEach(({ rosterBehind }) => flag(rosterBehind)),
    ),
    family(
      "balefire_node_maintenance",
      ofEach(({ maintenance }) => flag(maintenance !== undefined)),
    ),
    family(
      "balefire_node_certificate_expiry_timestamp_seconds",
      ofEach((node) => inSeconds(expiry(node))),
    ),
    family(
      "balefire_beats_received",
      beats.map(({ node, received }) => [{ node }, received]),
    ),
    family(
      "balefire_beats_sent",
      beats.map(({ node, sent }) => [{ node }, sent]),
    ),
  ];
}

/** One series a state, so that each has a past of its own. */
function states<L extends "verdict" | "path">(
  nodes: readonly NodeView[],
  all: readonly NodeView[L][],
  label: L,
): (readonly [{ readonly node: string } & Readonly<Record<L, string>>, number])[] {
  return nodes.flatMap((node) =>
    all.map((state) => {
      const labels = { node: node.name, [label]: state } as { node: string } & Record<L, string>;
      return [labels, flag(node[label] === state)] as const;
    }),
  );
}

/** Unknown is never down: a node that was never heard has no value. */
function isUp({ verdict, lastHeard }: NodeView): number | undefined {
  switch (verdict) {
    case "unknown":
      return undefined;
    case "suspect":
      return lastHeard === undefined ? undefined : 1;
    case "alive":
    case "link-problem":
      return 1;
    default:
      return 0;
  }
}

export function tellingMetrics({ view, incidents }: MeshFacts, tallies: Tallies): Family[] {
  return [
    family(
      "balefire_node_verdicts",
      tallies.verdicts.map(({ node, verdict, count }) => [{ node, verdict }, count]),
    ),
    family(
      "balefire_incidents_open",
      incidents.map(({ kind, severity, open }) => [{ kind, severity }, open]),
    ),
    family(
      "balefire_deliveries",
      tallies.deliveries.map(({ name, outcome, count }) => [{ channel: name, outcome }, count]),
    ),
    family(
      "balefire_channel_proven",
      view.channels.map(({ name, type, proven }) => [{ channel: name, type }, flag(proven)]),
    ),
    family(
      "balefire_channel_last_delivery_timestamp_seconds",
      view.channels.map(({ name, deliveries }) => [{ channel: name }, inSeconds(lastDelivered(deliveries))]),
    ),
    ...heartbeatMetrics(view, tallies),
    single("balefire_silences", view.silences.length),
    single("balefire_maintenances", view.nodes.filter(({ maintenance }) => maintenance !== undefined).length),
    single("balefire_quiet", flag(view.quietUntil !== undefined)),
  ];
}

/** Latest first. */
const lastDelivered = (deliveries: MeshView["channels"][number]["deliveries"]): number | undefined =>
  deliveries.find(({ outcome }) => outcome === "delivered")?.at;

function heartbeatMetrics({ heartbeats }: MeshView, tallies: Tallies): Family[] {
  return [
    family(
      "balefire_heartbeat_silent",
      heartbeats.map(({ name, silent }) => [{ heartbeat: name }, flag(silent)]),
    ),
    family(
      "balefire_heartbeat_period_seconds",
      heartbeats.map(({ name, every }) => [{ heartbeat: name }, inSeconds(every)]),
    ),
    family(
      "balefire_heartbeat_last_ping_timestamp_seconds",
      heartbeats.map(({ name, last }) => [{ heartbeat: name }, inSeconds(last?.at)]),
    ),
    family(
      "balefire_heartbeat_pings",
      tallies.pings.map(({ name, outcome, count }) => [{ heartbeat: name, outcome }, count]),
    ),
  ];
}
