import { hashParts } from "../kit/hash.ts";
import type { IncidentKind } from "./ledger-records.ts";
import type { Incarnation, IncidentId, MeshId, NodeId } from "./types.ts";

/** The same death has the same id at every observer: 32 hex digits of SHA-256 over mesh, kind, subject, incarnation. */
export const incidentId = (
  mesh: MeshId,
  kind: IncidentKind,
  subject: NodeId,
  incarnation: Incarnation,
): IncidentId => hashParts("balefire-incident-1", mesh, kind, subject, String(incarnation)).slice(0, 32);
