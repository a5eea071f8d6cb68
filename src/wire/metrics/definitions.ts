/**
 * Every metric that a node shows: what kind it is, its labels in their order, its unit, and what it
 * says. Names follow https://prometheus.io/docs/practices/naming/; a counter's series end in
 * `_total` and an info's in `_info`, which is not part of the name here. docs/metrics.md explains
 * each to the person who draws it.
 */
import type { FamilyHead } from "./exposition.ts";

export const METRICS = {
  balefire_build: { type: "info", labels: ["version"], help: "The release that runs here" },
  balefire_mesh: { type: "info", labels: ["mesh", "node", "id"], help: "Whose view these metrics are" },
  balefire_health: { type: "gauge", labels: ["status"], help: "1 for what `balefire status` says" },
  balefire_isolated: { type: "gauge", labels: [], help: "1 while this node hears nobody and has no uplink" },
  balefire_store_failing: { type: "gauge", labels: [], help: "1 while state cannot be written to disk" },
  balefire_keymaster: { type: "gauge", labels: [], help: "1 on the node that signs" },
  balefire_roster_term: { type: "gauge", labels: [], help: "Term of the roster in force here" },
  balefire_roster_epoch: { type: "gauge", labels: [], help: "Epoch of the roster in force here" },
  balefire_roster_nodes: { type: "gauge", labels: [], help: "Members of the mesh" },

  balefire_node_up: {
    type: "gauge",
    labels: ["node"],
    help: "1 unless this node has concluded that the other does not watch; absent while unknown",
  },
  balefire_node_verdict: {
    type: "gauge",
    labels: ["node", "verdict"],
    help: "1 for the verdict in force here, 0 for the others",
  },
  balefire_node_verdict_since_timestamp_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["node"],
    help: "When the verdict in force here was reached",
  },
  balefire_node_verdicts: {
    type: "counter",
    labels: ["node", "verdict"],
    help: "Times that a verdict was reached here",
  },
  balefire_node_last_heard_timestamp_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["node"],
    help: "When the node was last heard here",
  },
  balefire_node_incarnation: { type: "gauge", labels: ["node"], help: "Number of the node's current life" },
  balefire_node_path: {
    type: "gauge",
    labels: ["node", "path"],
    help: "1 for the plane that carries its messages now",
  },
  balefire_node_round_trip_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["node"],
    help: "Smoothed round trip of beats",
  },
  balefire_node_clock_offset_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["node"],
    help: "The node's wall clock minus the time this node goes by",
  },
  balefire_node_roster_behind: {
    type: "gauge",
    labels: ["node"],
    help: "1 while the node holds an older roster",
  },
  balefire_node_maintenance: { type: "gauge", labels: ["node"], help: "1 while the node is in maintenance" },
  balefire_node_certificate_expiry_timestamp_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["node"],
    help: "When the node's certificate ends",
  },
  balefire_beats_received: { type: "counter", labels: ["node"], help: "Beats heard, repetitions left out" },
  balefire_beats_sent: { type: "counter", labels: ["node"], help: "Beats sent" },

  balefire_incidents_open: {
    type: "gauge",
    labels: ["kind", "severity"],
    help: "Incidents that are open, as far as this node knows",
  },
  balefire_deliveries: {
    type: "counter",
    labels: ["channel", "outcome"],
    help: "Attempts of this node to deliver a message, repetitions and tests included",
  },
  balefire_channel_proven: {
    type: "gauge",
    labels: ["channel", "type"],
    help: "1 if any node has delivered on the channel within seven days",
  },
  balefire_channel_last_delivery_timestamp_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["channel"],
    help: "When a message was last delivered on the channel, by any node",
  },
  balefire_heartbeat_silent: {
    type: "gauge",
    labels: ["heartbeat"],
    help: "1 if no ping was delivered for three periods",
  },
  balefire_heartbeat_period_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["heartbeat"],
    help: "Time between two pings of the mesh",
  },
  balefire_heartbeat_last_ping_timestamp_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["heartbeat"],
    help: "When a ping was last delivered, by any node",
  },
  balefire_heartbeat_pings: {
    type: "counter",
    labels: ["heartbeat", "outcome"],
    help: "Pings of this node, tests included",
  },
  balefire_silences: { type: "gauge", labels: [], help: "Silences in force" },
  balefire_maintenances: { type: "gauge", labels: [], help: "Nodes in maintenance" },
  balefire_quiet: { type: "gauge", labels: [], help: "1 during the quiet hours" },

  balefire_readings_timestamp_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["node"],
    help: "When the node's sensors were last read, by the clock here",
  },
  balefire_temperature_celsius: {
    type: "gauge",
    unit: "celsius",
    labels: ["node", "sensor", "kind", "name"],
    help: "Temperature; of a disk that sleeps, the last one read",
  },
  balefire_temperature_limit_celsius: {
    type: "gauge",
    unit: "celsius",
    labels: ["node", "sensor", "kind", "name", "limit"],
    help: "Limits that the part or its driver gives",
  },
  balefire_fan_rpm: {
    type: "gauge",
    unit: "rpm",
    labels: ["node", "sensor", "kind", "name"],
    help: "Speed of a fan",
  },
  balefire_fan_ratio: {
    type: "gauge",
    unit: "ratio",
    labels: ["node", "sensor", "kind", "name"],
    help: "Speed of a fan as a part of its greatest",
  },
  balefire_power_watts: {
    type: "gauge",
    unit: "watts",
    labels: ["node", "sensor", "kind", "name"],
    help: "Electric power",
  },
  balefire_voltage_volts: {
    type: "gauge",
    unit: "volts",
    labels: ["node", "sensor", "kind", "name"],
    help: "Voltage",
  },
  balefire_current_amperes: {
    type: "gauge",
    unit: "amperes",
    labels: ["node", "sensor", "kind", "name"],
    help: "Electric current",
  },
  balefire_humidity_ratio: {
    type: "gauge",
    unit: "ratio",
    labels: ["node", "sensor", "kind", "name"],
    help: "Relative humidity",
  },
  balefire_sensor_validity: {
    type: "gauge",
    labels: ["node", "sensor", "kind", "name", "validity"],
    help: "1 for whether the last reading can be believed; only the one that holds is shown",
  },
  balefire_sensor_alarm: {
    type: "gauge",
    labels: ["node", "sensor", "kind", "name"],
    help: "1 while one of the driver's own alarm bits stands",
  },

  process_cpu_seconds: {
    type: "counter",
    unit: "seconds",
    labels: [],
    help: "Processor time of the daemon, user and system",
  },
  process_resident_memory_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: [],
    help: "Resident memory of the daemon",
  },
  process_start_time_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: [],
    help: "When the daemon started",
  },
  process_open_fds: { type: "gauge", labels: [], help: "Open file descriptors of the daemon" },
  balefire_event_loop_lag_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: [],
    help: "How much later than wanted the daemon's own timer fired",
  },
  balefire_inputs_dropped: {
    type: "counter",
    labels: [],
    help: "Inputs dropped because the host could not keep up",
  },
  balefire_mesh_sessions: { type: "gauge", labels: [], help: "Peers with an open connection" },
  balefire_mesh_datagrams_sent: { type: "counter", labels: [], help: "Datagrams sent to peers" },
  balefire_mesh_datagrams_received: { type: "counter", labels: [], help: "Datagrams of peers received" },
  balefire_mesh_sent_bytes: {
    type: "counter",
    unit: "bytes",
    labels: ["plane"],
    help: "Bytes sent to peers, without the layers below",
  },
  balefire_mesh_received_bytes: {
    type: "counter",
    unit: "bytes",
    labels: ["plane"],
    help: "Bytes of peers received, without the layers below",
  },
  balefire_mesh_refused: {
    type: "counter",
    labels: ["code"],
    help: "Connections and datagrams that were turned away",
  },
  balefire_http_requests: {
    type: "counter",
    labels: ["path", "code"],
    help: "Requests that this port has answered",
  },
} as const;

export type MetricName = keyof typeof METRICS;

/** Checks the table's shape; the table itself keeps its literal types. */
export const headOf = (name: MetricName): FamilyHead => ({ name, ...METRICS[name] });
