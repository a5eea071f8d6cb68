/** What a person should know: opened by a verdict, closed by a later life of the same subject. */
import type { WallTime } from "../kit/time.ts";
import { publish, takeIn } from "./gossip.ts";
import { incidentId } from "./incident-id.ts";
import { incidentOf, openAbout, resolutionOf } from "./ledger.ts";
import type { EvidenceRecord, IncidentKind, LedgerRecord } from "./ledger-records.ts";
import type { Inquiry, Peer, Testimony } from "./peer.ts";
import { pathOf, strongestProbe } from "./peer.ts";
import { nameOf, notice, type Turn } from "./state.ts";
import type { Incarnation, IncidentId, NodeId } from "./types.ts";

type Down = "host-down" | "unreachable" | "daemon-down";

export const kindOf = (verdict: Down): IncidentKind => (verdict === "daemon-down" ? "daemon-down" : "down");

/** Enters the incident of a verdict, with what this node saw and what it was told. */
export function beginIncidents(turn: Turn, peer: Peer, verdict: Down, inquiry: Inquiry): void {
  const { state, env } = turn;
  const kind = kindOf(verdict);
  const later = laterDeath(turn, peer, kind);
  if (later !== undefined) {
    publish(turn, [ownEvidence(turn, peer, later, inquiry)]);
    return;
  }
  const incarnation = lifeEnded(turn, peer, kind);
  const incident = incidentId(state.roster.mesh, kind, peer.id, incarnation);
  const isNew = incidentOf(state.ledger, incident) === undefined;
  const records: LedgerRecord[] = [
    {
      t: "incident",
      incident,
      kind,
      subject: peer.id,
      name: peer.member.name,
      incarnation,
      verdict,
      since: peer.heardWall ?? env.wall,
      by: state.self,
    },
    ownEvidence(turn, peer, incident, inquiry),
  ];
  // What the others answered is kept for the message; they spread it themselves, with more right.
  takeIn(turn, heardEvidence(turn, peer, incident, inquiry));
  publish(turn, records);
  if (isNew) notice(turn, { type: "incident", incident, kind, phase: "open", name: peer.member.name });
}

/**
 * The life that ended: the last one heard here, unless others have seen it end and the subject return.
 * It died again before this node heard of its new life, and a death must not go untold for that.
 */
function lifeEnded(turn: Turn, peer: Peer, kind: IncidentKind): Incarnation {
  const { ledger, roster } = turn.state;
  const isOver = (life: Incarnation): boolean =>
    resolutionOf(ledger, incidentId(roster.mesh, kind, peer.id, life)) !== undefined;
  let life = peer.incarnation;
  for (let seen = 0; seen < ledger.records.size && isOver(life); seen += 1) life += 1;
  return life;
}

/** Of a life that this node never heard, but that others heard end: one death, one incident. */
function laterDeath(turn: Turn, peer: Peer, kind: IncidentKind): IncidentId | undefined {
  return openAbout(turn.state.ledger, peer.id).find(
    (open) => open.kind === kind && open.incarnation > peer.incarnation,
  )?.incident;
}

function ownEvidence(turn: Turn, peer: Peer, incident: IncidentId, inquiry: Inquiry): EvidenceRecord {
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
export function noteLife(turn: Turn, peer: Peer, rebooted: boolean): void {
  const { state, env } = turn;
  for (const open of openAbout(state.ledger, peer.id)) {
    if (open.incarnation >= peer.incarnation) continue;
    publish(turn, [
      {
        t: "resolved",
        incident: open.incident,
        at: env.wall,
        by: state.self,
        how: rebooted ? "returned-rebooted" : "returned",
      },
    ]);
    notice(turn, {
      type: "incident",
      incident: open.incident,
      kind: open.kind,
      phase: "resolved",
      name: open.name,
    });
  }
}

/** The highest incarnation of `subject` that this node holds for dead; 0 if none. */
export function deadIncarnation(turn: Pick<Turn, "state">, subject: NodeId): Incarnation {
  let highest = 0;
  for (const open of openAbout(turn.state.ledger, subject)) highest = Math.max(highest, open.incarnation);
  return highest;
}
