/** The core's words about incidents as schemas need them. Mappings, so that the compiler sees when the core learns another. */
import type { IncidentKind } from "../core/ledger-records.ts";
import type { Severity } from "../core/types.ts";

export const severities: Readonly<Record<Severity, Severity>> = {
  info: "info",
  warning: "warning",
  critical: "critical",
};

/** What a channel may choose to be told; a test message always passes. */
export type ToldKind = Exclude<IncidentKind, "test">;
export const toldKinds: Readonly<Record<ToldKind, ToldKind>> = {
  down: "down",
  "daemon-down": "daemon-down",
  missing: "missing",
  "link-problem": "link-problem",
  flapping: "flapping",
  heat: "heat",
  certificate: "certificate",
  clock: "clock",
  revoked: "revoked",
  restarted: "restarted",
  "cut-off": "cut-off",
  planned: "planned",
};

export const incidentKinds: Readonly<Record<IncidentKind, IncidentKind>> = { ...toldKinds, test: "test" };
