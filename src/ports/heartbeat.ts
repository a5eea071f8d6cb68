import type { DeliveryOutcome } from "../core/io.ts";

/**
 * A dead-man's heartbeat: an outside service that raises the alarm when it is not pinged, so that
 * the death of the whole mesh does not stay silent. It is told that someone watches, not what happens.
 */
export interface Heartbeat {
  readonly name: string;
  /** Time between two pings of the mesh, in milliseconds. */
  readonly everyMs: number;
  /**
   * `alive`: someone watches; `fail`: the service is to raise the alarm now. `why`: a line for the
   * service's log: who pings, and how the mesh is.
   * Never rejects; ends within `timeoutMs`. Pinging twice is harmless.
   */
  ping(state: "alive" | "fail", why: string, timeoutMs: number): Promise<DeliveryOutcome>;
}
