/** What the daemon is, and what it costs the host. */
import type { Family } from "./exposition.ts";
import type { MetricsFacts } from "./facts.ts";
import { family, inSeconds, single } from "./family.ts";

export function ownMetrics({ version, cost, tallies, transport, requests }: MetricsFacts): Family[] {
  return [
    family("balefire_build", [[{ version }, 1]]),
    single("process_cpu_seconds", cost.cpuSeconds),
    single("process_resident_memory_bytes", cost.residentBytes),
    single("process_start_time_seconds", inSeconds(cost.startedAt)),
    single("process_open_fds", cost.openFiles),
    single("balefire_event_loop_lag_seconds", tallies.lag),
    single("balefire_inputs_dropped", tallies.inputsDropped),
    single("balefire_mesh_sessions", transport.sessions),
    single("balefire_mesh_datagrams_sent", transport.datagramsSent),
    single("balefire_mesh_datagrams_received", transport.datagramsReceived),
    family("balefire_mesh_sent_bytes", [
      [{ plane: "datagram" }, transport.datagramBytesSent],
      [{ plane: "stream" }, transport.streamBytesSent],
    ]),
    family("balefire_mesh_received_bytes", [
      [{ plane: "datagram" }, transport.datagramBytesReceived],
      [{ plane: "stream" }, transport.streamBytesReceived],
    ]),
    family(
      "balefire_mesh_refused",
      Object.entries(transport.refused).map(([code, count]) => [{ code }, count]),
    ),
    family(
      "balefire_http_requests",
      requests.map(({ path, code, count }) => [{ path, code: String(code) }, count]),
    ),
  ];
}
