import { hashParts } from "../kit/hash.ts";
import type { IncidentKind } from "./ledger-records.ts";
import type { Incarnation, IncidentId, MeshId, NodeId } from "./types.ts";

/**
 * The same event has the same id at every observer: 32 hex digits of SHA-256 over mesh, kind, subject,
 * incarnation, and the topic where there is one.
 */
export const incidentId = (
  mesh: MeshId,
  kind: IncidentKind,
  subject: NodeId,
  incarnation: Incarnation,
  topic?: string,
): IncidentId => {
  const parts = [mesh, kind, subject, String(incarnation), ...(topic === undefined ? [] : [topic])];
  return hashParts("balefire-incident-1", ...parts).slice(0, 32);
};
