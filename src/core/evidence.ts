/**
 * How what each observer saw of a death reaches everyone. If each of ten told thirty others, the message itself
 * would wait behind them: they tell those whose turn it is to send, and one of these tells the rest, all together.
 */
import { publish, tellLater } from "./entries.ts";
import { takeIn } from "./gossip.ts";
import type { EvidenceRecord, LedgerRecord } from "./ledger-records.ts";
import type { Peer } from "./peer.ts";
import type { Turn } from "./state.ts";
import { firstInLine, INBOX, OUTAGE, rank } from "./turns.ts";

/** Enters what this node saw of an incident that is known already. */
export function submit(turn: Turn, evidence: EvidenceRecord): void {
  if (turn.state.company === undefined) tellSenders(turn, [evidence]);
  else publish(turn, [evidence]);
  if (turn.state.company === undefined && isCollector(turn)) collect(turn, [evidence]);
}

/** Enters what others answered, before the incident itself: who sends has it at hand. They tell it themselves as well, with more right. */
export function submitHeard(turn: Turn, evidence: readonly EvidenceRecord[]): void {
  if (turn.state.company === undefined) tellSenders(turn, evidence);
  else takeIn(turn, evidence);
}

function tellSenders(turn: Turn, evidence: readonly EvidenceRecord[]): void {
  publish(turn, evidence, [], firstInLine(turn.state, OUTAGE, turn.env.wall, 1));
}

/** Of a peer's news: what this node is to pass on. */
export function collectFrom(turn: Turn, from: Peer, news: readonly LedgerRecord[]): void {
  // Where not everyone has a session with everyone, all news is passed on anyway.
  if (turn.state.company !== undefined || !isCollector(turn)) return;
  const isSubmitted = (record: LedgerRecord): record is EvidenceRecord =>
    record.t === "evidence" &&
    record.observer === from.id &&
    !news.some((each) => each.t === "incident" && each.incident === record.incident);
  collect(turn, news.filter(isSubmitted));
}

/** One of each observer and open incident, whatever a member sends. */
function collect(turn: Turn, evidence: readonly EvidenceRecord[]): void {
  const { ledger, acquaintances } = turn.state;
  for (const record of evidence.filter(({ incident }) => ledger.open.has(incident)))
    for (const { id } of acquaintances) if (id !== record.observer) tellLater(turn, id, [record]);
}

/** Everyone has the inbox: whoever writes there is the collector. */
const isCollector = ({ state, env }: Turn): boolean => rank(state, OUTAGE, INBOX, env.wall)[0] === state.self;
