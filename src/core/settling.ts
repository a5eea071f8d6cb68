/** What is told together: a message waits a moment for what belongs to it, and turns count from the end of that wait. */
import { after, earlier, type Instant, later } from "../kit/time.ts";
import { ABSENCES, type Duty, type Family } from "./duties.ts";
import { accountsOf } from "./isolation.ts";
import { incidentOf, resolutionOf, wasTold } from "./ledger.ts";
import type { IncidentRecord, Phase } from "./ledger-records.ts";
import {
  BURST,
  SETTLE,
  SETTLE_ACCOUNT,
  SETTLE_BURST,
  SETTLE_HEAT,
  SETTLE_LINKS,
  SETTLE_NOTES,
  SETTLE_RECOVERY,
  SETTLE_REUNION,
} from "./limits.ts";
import { getsBeats, isOverdue, type Peer } from "./peer.ts";
import { patience } from "./stall.ts";
import type { NodeState, Turn } from "./state.ts";
import type { IncidentId } from "./types.ts";

/** Duties of one phase, channel and family: they become one message. */
export interface Group {
  readonly phase: Phase;
  readonly family: Family;
  readonly channel: string;
  readonly duties: Duty[];
}

/** From when on the turns of a group count that is owed since `seen`: by then all that belongs to it is known. */
export function settledAt(turn: Turn, group: Group, seen: Instant): Instant {
  const { state } = turn;
  if (group.family === "note") return after(seen, SETTLE_NOTES);
  if (group.phase === "open") return openSettledAt(turn, group, seen);
  // Those who meet again after a split have yet to hear what the other side told.
  if (group.family === "link") return after(seen, SETTLE_LINKS);
  const heardOut = later(ledgersAgreeAt(state, seen), accountsHeardAt(state, group, seen));
  const agreed = earlier(heardOut, after(seen, SETTLE_REUNION));
  return othersMissing(state, group.channel) ? later(agreed, after(seen, SETTLE_RECOVERY)) : agreed;
}

function openSettledAt(turn: Turn, { family, channel, duties }: Group, seen: Instant): Instant {
  const { state, env } = turn;
  if (family === "heat") return after(seen, SETTLE_HEAT);
  if (family === "flapping") {
    const isLink = duties.some(({ record }) => record.topic?.startsWith("link-problem") === true);
    return after(seen, isLink ? SETTLE_LINKS : SETTLE);
  }
  const burstOver = family === "absence" ? burstEndsAt(turn, channel, seen) : seen;
  // Its own doubt about the very subjects counts too: with its verdict comes its evidence.
  const slack = patience(state, env.now);
  const undecided = [...state.peers.values()].some(
    (peer) => peer.condition.kind === "suspect" || isOverdue(peer, env.now, slack),
  );
  return undecided ? later(burstOver, after(seen, SETTLE)) : burstOver;
}

/**
 * While an outage goes on, what is new waits for more. Where it is over sooner, turns count from then: from
 * `seen` on, those of several nodes would be long due, and all of them would go.
 */
function burstEndsAt(turn: Turn, channel: string, seen: Instant): Instant {
  const { burstOverAt } = turn.state.notify;
  const longest = after(seen, SETTLE_BURST);
  const ended = burstOverAt.get(channel);
  if (isBurst(turn, channel)) {
    burstOverAt.set(channel, undefined);
    return longest;
  }
  if (ended !== undefined || !burstOverAt.has(channel)) return later(seen, earlier(ended ?? seen, longest));
  burstOverAt.set(channel, turn.env.now);
  return later(seen, earlier(turn.env.now, longest));
}

/** Since when all living peers' ledgers have been the same as this one; the end of time while they are not. */
function ledgersAgreeAt(state: NodeState, seen: Instant): Instant {
  let agreed = seen;
  for (const peer of state.peers.values()) {
    const { condition, ledgerDiffersSince, ledgerAgreesSince } = peer;
    if (condition.kind !== "alive" || !getsBeats(peer)) continue;
    if (ledgerDiffersSince !== undefined) return Number.POSITIVE_INFINITY as Instant;
    if (ledgerAgreesSince !== undefined) agreed = later(agreed, ledgerAgreesSince);
  }
  return agreed;
}

/**
 * A host that was cut off says so itself. Others may hear it before this node does, and end its absence: then
 * its account is still to come.
 */
function accountsHeardAt(state: NodeState, { family, duties }: Group, seen: Instant): Instant {
  if (family !== "absence") return seen;
  const owes = duties.some(({ incident, subject, kind, record }) => {
    // Who has booted has forgotten it.
    if (kind !== "down" || resolutionOf(state.ledger, incident)?.how !== "returned") return false;
    const peer = state.peers.get(subject);
    if (peer === undefined || isHeardAgain(peer)) return false;
    return accountsOf(state.ledger, subject, record.since).length === 0;
  });
  return owes ? after(seen, SETTLE_ACCOUNT) : seen;
}

/** By this node itself, with a beat, which shows whether their ledgers differ. */
const isHeardAgain = ({ condition, watchedSince, lastBeatAt, changedAt }: Peer): boolean =>
  condition.kind === "alive" &&
  watchedSince !== undefined &&
  lastBeatAt !== undefined &&
  lastBeatAt >= changedAt;

/** Something told on this channel is still wrong. */
const othersMissing = ({ ledger }: NodeState, channel: string): boolean =>
  [...ledger.open.keys()].some((incident) => wasTold(ledger, incident, "open", channel));

/** An outage is under way, and a message about it is being sent, or has just been. */
function isBurst(turn: Turn, channel: string): boolean {
  const { state, env } = turn;
  const last = state.notify.toldAt.get(channel);
  const goesOn = ({ incident, kind }: IncidentRecord): boolean =>
    ABSENCES.has(kind) && wasTold(state.ledger, incident, "open", channel);
  if (last !== undefined && env.now < after(last, BURST) && [...state.ledger.open.values()].some(goesOn))
    return true;
  const isAbsence = (incident: IncidentId): boolean =>
    ABSENCES.has(incidentOf(state.ledger, incident)?.kind ?? "test");
  for (const sending of state.notify.sendings.values()) {
    if (sending.phase === "open" && sending.channel === channel && sending.incidents.some(isAbsence))
      return true;
  }
  for (const [key, hold] of state.notify.holds) {
    const [incident = "", phase] = key.split(" ");
    const inForce = env.now < hold.until && state.peers.get(hold.node)?.condition.kind !== "down";
    if (inForce && phase === "open" && key.endsWith(` ${channel}`) && isAbsence(incident)) return true;
  }
  return false;
}
