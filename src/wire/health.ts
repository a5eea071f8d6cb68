/** What `/health` says; docs/metrics.md explains each field. */

/** Times are RFC 3339. */
export interface HealthReport {
  readonly schema: 1;
  readonly status: "ok" | "unproven" | "degraded";
  /** In words; what makes it degraded, then what keeps it from being sure that it can tell anyone. */
  readonly problems: readonly string[];
  readonly mesh: string;
  /** The name of the node that answers. */
  readonly node: string;
  readonly version: string;
  readonly startedAt: string;
  /** When any other node was last heard here; null = not since the start, or there is none. */
  readonly lastBeatSeen: string | null;
  /** When this host's sensors were last read; null = not since the start, or it has none. */
  readonly lastReading: string | null;
  /** When any node last delivered anything on a channel that reaches a person; null = none is known. */
  readonly lastDelivery: string | null;
  readonly openIncidents: number;
  readonly nodes: { readonly total: number; readonly alive: number };
}

/** What an uptime checker looks at: a mesh that could tell of a death, though nobody has tried, is up. */
export const healthStatusCode = ({ status }: Pick<HealthReport, "status">): 200 | 503 =>
  status === "degraded" ? 503 : 200;
