/** How urgent an incident is: channels, silences and quiet hours choose by it. */
import { unreachable } from "../kit/assert.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { SEVERITIES, type Severity } from "./types.ts";

export function severityOf({ kind, topic }: Pick<IncidentRecord, "kind" | "topic">): Severity {
  switch (kind) {
    case "down":
      return "critical";
    case "daemon-down":
    case "missing":
    case "link-problem":
      return "warning";
    case "flapping":
      // As grave as what flaps: it speaks for it.
      return topic === "down" ? "critical" : "warning";
    case "certificate":
    case "clock":
    case "revoked":
    case "restarted":
      return "warning";
    case "heat":
      return topic?.endsWith(" critical") === true ? "critical" : "warning";
    case "cut-off":
    case "planned":
    case "test":
      return "info";
    default:
      return unreachable(kind);
  }
}

/** `a` is no more urgent than `b`. */
export const isAtMost = (a: Severity, b: Severity): boolean => SEVERITIES.indexOf(a) <= SEVERITIES.indexOf(b);

export const gravestOf = (severities: readonly Severity[]): Severity =>
  SEVERITIES.findLast((each) => severities.includes(each)) ?? "info";
