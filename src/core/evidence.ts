/**
 * How what each observer saw of a death reaches everyone. If each of ten told thirty others, the message itself
 * would wait behind them: they tell those whose turn it is to send, and one of these tells the rest, all at once.
 */
import { after } from "../kit/time.ts";
import { publish, takeIn } from "./gossip.ts";
import { keyOf } from "./ledger.ts";
import type { EvidenceRecord, LedgerRecord } from "./ledger-records.ts";
import { COLLECT_FOR, LEDGER_NEWS_MAX } from "./limits.ts";
import type { Peer } from "./peer.ts";
import type { NodeState, Turn } from "./state.ts";
import { INBOX, OUTAGE, rank } from "./turns.ts";
import type { NodeId } from "./types.ts";

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
  const senders = sendersOf(turn);
  publish(turn, evidence, [], ({ id }) => senders.has(id));
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
function collect({ state, env }: Turn, evidence: readonly EvidenceRecord[]): void {
  for (const record of evidence) {
    if (!state.ledger.open.has(record.incident)) continue;
    state.collected.set(keyOf(record), record);
    state.passCollectedAt ??= after(env.now, COLLECT_FOR);
  }
}

/** The part of a step that tells the others what was collected. */
export function passCollected(turn: Turn): void {
  const { state, env, effects } = turn;
  if (state.passCollectedAt === undefined || env.now < state.passCollectedAt) return;
  state.passCollectedAt = undefined;
  const collected = [...state.collected.values()];
  state.collected.clear();
  for (const { id, session, condition } of state.acquaintances) {
    if (session === undefined || condition.kind === "down") continue;
    const records = collected.filter(({ observer }) => observer !== id);
    for (let at = 0; at < records.length; at += LEDGER_NEWS_MAX) {
      const message = { t: "ledger", records: records.slice(at, at + LEDGER_NEWS_MAX) } as const;
      effects.push({ type: "send", to: id, plane: "stream", envelope: { message } });
    }
  }
}

/** Everyone has the inbox: whoever writes there is the collector. */
const isCollector = ({ state, env }: Turn): boolean => rank(state, OUTAGE, INBOX, env.wall)[0] === state.self;

/** The first in line on each channel of the mesh. */
function sendersOf({ state, env }: Turn): ReadonlySet<NodeId> {
  const first = [...channelsOf(state)].map((channel) => rank(state, OUTAGE, channel, env.wall)[0]);
  return new Set(first.filter((node) => node !== undefined));
}

function channelsOf(state: NodeState): Set<string> {
  const names = new Set(state.channels.map(({ name }) => name));
  for (const { channels } of state.peers.values()) for (const name of channels) names.add(name);
  return names;
}
