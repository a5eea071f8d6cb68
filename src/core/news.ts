/** What peers' records mean for this node, beyond being kept. */
import { endIfLeft } from "./absences.ts";
import { collectFrom } from "./evidence.ts";
import { takeIn } from "./gossip.ts";
import { followOthers } from "./hearsay.ts";
import { isAbsence, noteLife } from "./incidents.ts";
import { incidentOf } from "./ledger.ts";
import type { IncidentRecord, LedgerRecord, ResolvedRecord } from "./ledger-records.ts";
import { beginNewLife } from "./links.ts";
import { followMutes } from "./mute-news.ts";
import { noteRecords } from "./notify.ts";
import { notePathBack, notePathOpened } from "./paths.ts";
import type { Peer } from "./peer.ts";
import { passOn } from "./spreading.ts";
import type { Turn } from "./state.ts";
import { heardByOthers } from "./watch.ts";

export function takeRecords(turn: Turn, from: Peer, records: readonly LedgerRecord[]): void {
  const { state } = turn;
  const news = takeIn(turn, records);
  if (state.company !== undefined) passOn(turn, from, news);
  collectFrom(turn, from, news);
  noteRecords(turn, news);
  for (const record of news) {
    if (record.t === "incident" && state.ledger.open.has(record.incident)) noteOpened(turn, record);
    else if (record.t === "resolved") noteResolved(turn, record);
    else if (record.t === "mute") followMutes(turn);
  }
}

function noteOpened(turn: Turn, open: IncidentRecord): void {
  const { state } = turn;
  const subject = state.peers.get(open.subject);
  if (open.subject === state.self && isAbsence(open)) beginNewLife(turn, open.incarnation);
  else if (subject !== undefined && subject.watchedSince === undefined) followOthers(turn, subject);
  // This node already hears a later life of it.
  else if (subject?.condition.kind === "alive") noteLife(turn, subject);
  state.rolesStale = true;
  endIfLeft(turn, open);
  notePathOpened(turn, open);
}

function noteResolved(turn: Turn, { incident: id, how }: ResolvedRecord): void {
  const { state } = turn;
  const incident = incidentOf(state.ledger, id);
  const subject = state.peers.get(incident?.subject ?? "");
  if (incident !== undefined && how === "returned") notePathBack(turn, incident);
  if (incident === undefined || subject === undefined || !isAbsence(incident)) return;
  state.rolesStale = true;
  if (subject.watchedSince === undefined) followOthers(turn, subject);
  else if (how !== "replaced") heardByOthers(turn, subject, incident.incarnation);
}
