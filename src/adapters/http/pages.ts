/** What the HTTP port shows, as whoever opens it gives it. */
import type { HealthReport } from "../../wire/health.ts";
import type { ExpositionFormat } from "../../wire/metrics/exposition.ts";

/** Whose readings stand in the metrics: those of all hosts, of this one, or nobody's. */
export type ReadingsWanted = "mesh" | "own" | "none";

export interface HttpPages {
  health(): { readonly code: 200 | 503; readonly report: HealthReport };
  metrics(format: ExpositionFormat, readings: ReadingsWanted): Promise<string>;
  /** A root's revocation lists in PEM; `root`: 43 characters of what may be a root's pin. */
  crl(root: string): string | undefined;
  /** The names this host may be asked by, lower case, besides its loopback addresses. */
  hostNames(): readonly string[];
  /** `path`: one that is served, or `other`. */
  onAnswered(path: string, code: number): void;
  /** A page failed in a way that nobody expected. */
  onError(error: Error): void;
}
