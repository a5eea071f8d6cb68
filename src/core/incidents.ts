/** What a person should know: how it is opened, numbered and closed. An absence ends with a later life of its subject. */
import type { WallTime } from "../kit/time.ts";
import { publish } from "./entries.ts";
import { submit, submitHeard } from "./evidence.ts";
import { wordsForMissing } from "./farewell-words.ts";
import { incidentId } from "./incident-id.ts";
import { incidentOf, openAbout, rankOf, resolutionOf } from "./ledger.ts";
import type {
  EvidenceRecord,
  IncidentKind,
  IncidentRecord,
  LedgerRecord,
  ResolvedRecord,
} from "./ledger-records.ts";
import type { Inquiry, Peer, Testimony } from "./peer.ts";
import { pathOf, strongestProbe } from "./peer.ts";
import { nameOf, notice, type Turn } from "./state.ts";
import type { Incarnation, IncidentId, NodeId } from "./types.ts";

type Down = "host-down" | "unreachable" | "daemon-down" | "missing";

const KINDS: Readonly<Record<Down, IncidentKind>> = {
  "host-down": "down",
  unreachable: "down",
  "daemon-down": "daemon-down",
  missing: "missing",
};
const ABSENCES: ReadonlySet<IncidentKind> = new Set(Object.values(KINDS));

/** Whether the subject's return ends it. */
export const isAbsence = ({ kind }: Pick<IncidentRecord, "kind">): boolean => ABSENCES.has(kind);

/** The open incidents that say that a node is away. */
export const openAbsences = ({ state }: Pick<Turn, "state">, subject: NodeId): IncidentRecord[] =>
  openAbout(state.ledger, subject).filter(isAbsence);

/** What a person should know, as one node enters it. */
export type Opening = Omit<IncidentRecord, "t" | "incident" | "by">;

/** Enters an incident, or a note, with what is known about it. Entering it again changes nothing. */
export function openIncident(
  turn: Turn,
  opening: Opening,
  about: (incident: IncidentId) => readonly LedgerRecord[] = () => [],
): IncidentId {
  const { state } = turn;
  const { kind, subject, incarnation, topic, name } = opening;
  const incident = incidentId(state.roster.mesh, kind, subject, incarnation, topic);
  const isNew = incidentOf(state.ledger, incident) === undefined;
  publish(turn, [{ t: "incident", incident, ...opening, by: state.self }, ...about(incident)]);
  if (isNew) notice(turn, { type: "incident", incident, kind, phase: "open", name });
  return incident;
}

export function resolveIncident(turn: Turn, open: IncidentRecord, how: ResolvedRecord["how"]): void {
  const { state, env } = turn;
  const { incident, kind, name } = open;
  publish(turn, [{ t: "resolved", incident, at: env.wall, by: state.self, how }]);
  notice(turn, { type: "incident", incident, kind, phase: "resolved", name });
}

/** The open incident of this kind, subject and topic. */
export const openOf = (
  { state }: Pick<Turn, "state">,
  kind: IncidentKind,
  subject: NodeId,
  topic?: string,
): IncidentRecord | undefined =>
  openAbout(state.ledger, subject).find((open) => open.kind === kind && open.topic === topic);

/** Numbers the incidents of what has no lives of its own: the first number whose incident is not over. */
export function episode(turn: Turn, kind: IncidentKind, subject: NodeId, topic?: string): Incarnation {
  return firstNotOver(turn, 0, kind, subject, topic);
}

function firstNotOver(
  { state: { ledger, roster } }: Turn,
  from: Incarnation,
  kind: IncidentKind,
  subject: NodeId,
  topic?: string,
): Incarnation {
  let life = from;
  for (let seen = 0; seen < ledger.records.size; seen += 1) {
    if (resolutionOf(ledger, incidentId(roster.mesh, kind, subject, life, topic)) === undefined) break;
    life += 1;
  }
  return life;
}

/** Enters the incident of a verdict, with what this node saw and what it was told. */
export function beginIncidents(turn: Turn, peer: Peer, verdict: Down, inquiry: Inquiry): void {
  const { state, env } = turn;
  const kind = KINDS[verdict];
  const later = kind === "missing" ? openAbsences(turn, peer.id)[0]?.incident : laterDeath(turn, peer, kind);
  if (later !== undefined) {
    submit(turn, ownEvidence(turn, peer, later, inquiry));
    return;
  }
  // The life that ended: the last one heard here, unless others have seen it end and the subject return.
  // It died again before this node heard of its new life, and a death must not go untold for that.
  const incarnation = firstNotOver(turn, peer.incarnation, kind, peer.id);
  const opening: Opening = {
    kind,
    subject: peer.id,
    name: peer.member.name,
    incarnation,
    verdict,
    since: peer.heardWall ?? env.wall,
    ...(kind === "missing" ? { detail: wordsForMissing(peer) } : {}),
  };
  const incident = incidentId(state.roster.mesh, kind, peer.id, incarnation);
  const held = incidentOf(state.ledger, incident);
  if (held !== undefined && rankOf(held.verdict) <= rankOf(verdict)) {
    submit(turn, ownEvidence(turn, peer, incident, inquiry));
    return;
  }
  submitHeard(turn, heardEvidence(turn, peer, incident, inquiry));
  openIncident(turn, opening, (id) => [ownEvidence(turn, peer, id, inquiry)]);
}

/** Of a life that this node never heard, but that others heard end: one death, one incident. */
function laterDeath(turn: Turn, peer: Peer, kind: IncidentKind): IncidentId | undefined {
  return openAbout(turn.state.ledger, peer.id).find(
    (open) => open.kind === kind && open.incarnation > peer.incarnation,
  )?.incident;
}

export function ownEvidence(turn: Turn, peer: Peer, incident: IncidentId, inquiry: Inquiry): EvidenceRecord {
  const { state, env } = turn;
  const probe = strongestProbe(inquiry);
  return {
    t: "evidence",
    incident,
    observer: state.self,
    name: nameOf(state, state.self),
    path: peer.session === undefined ? "none" : pathOf(peer, peer.heardAt ?? env.now),
    ...(peer.heardWall === undefined ? {} : { last: peer.heardWall }),
    // No answer by now is an answer: the connection attempt has been waiting since the doubt began.
    probe: probe === "none" ? "silent" : probe,
    at: env.wall,
  };
}

/** What the others answered; their own records, if they write them, are later and replace these. */
function heardEvidence(turn: Turn, peer: Peer, incident: IncidentId, inquiry: Inquiry): EvidenceRecord[] {
  const { state, env } = turn;
  const toEvidence = ([observer, testimony]: [NodeId, Testimony]): EvidenceRecord => ({
    t: "evidence",
    incident,
    observer,
    name: nameOf(state, observer),
    path: testimony.path,
    ...(testimony.heardAt === undefined
      ? {}
      : { last: Math.max(0, env.wall - (env.now - testimony.heardAt)) as WallTime }),
    probe: testimony.probe,
    at: env.wall,
    reportedBy: state.self,
  });
  return [...inquiry.testimonies]
    .filter(([observer, testimony]) => testimony.state === "silent" && observer !== peer.id)
    .map(toEvidence);
}

/** A beat of a later incarnation than an open incident's ends it. */
export function noteLife(turn: Turn, peer: Peer): void {
  for (const open of openAbout(turn.state.ledger, peer.id)) {
    if (!isAbsence(open) || open.incarnation >= peer.incarnation) continue;
    const hasBooted = open.incarnation < (peer.bootedIn ?? 0);
    resolveIncident(turn, open, hasBooted ? "returned-rebooted" : "returned");
  }
}

/** The highest incarnation of `subject` that this node holds for dead; 0 if none. */
export function deadIncarnation(turn: Pick<Turn, "state">, subject: NodeId): Incarnation {
  let highest = 0;
  for (const { incarnation } of openAbsences(turn, subject)) highest = Math.max(highest, incarnation);
  return highest;
}
