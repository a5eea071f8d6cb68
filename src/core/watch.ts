/** Watching the others: from silence to verdict and back. Decides with verdict.ts, remembers in peer.ts. */
import { after, between, earliest, type Instant, later } from "../kit/time.ts";
import { beginIncidents } from "./incidents.ts";
import { endIsolation, isolate, recheckUplink } from "./isolation.ts";
import {
  ASK_EVERY,
  LINK_PROBLEM_ROUND,
  LOSSY_ABOVE,
  LOSSY_PATIENCE,
  PROBE_AGAIN,
  PROBE_HOLDS,
  PROBE_PATIENCE,
  PROBE_SOON,
  REPROBE_EVERY,
} from "./limits.ts";
import type { Ask } from "./messages.ts";
import {
  type Condition,
  type Inquiry,
  longestSilence,
  type Peer,
  silenceAllowed,
  strongestProbe,
  verdictOf,
} from "./peer.ts";
import { aliveCount, become, isDrowsy, type Turn } from "./state.ts";
import { sendUrgent } from "./testimony.ts";
import type { Address, Incarnation, NodeId, ProbeOutcome } from "./types.ts";
import { type Decision, decide } from "./verdict.ts";

/** Any authenticated word of the peer proves life. */
export function heard(turn: Turn, peer: Peer): void {
  const { env, state } = turn;
  peer.heardAt = env.now;
  peer.heardWall = env.wall;
  const { condition } = peer;
  if (condition.kind === "alive") return;
  endIsolation(turn, `${peer.member.name} is heard again`);
  // What was sent before the goodbye may arrive after it: only a later life ends a planned absence.
  if (condition.kind === "planned" && peer.incarnation <= condition.incarnation) return;
  if (aliveCount(state) === 1) state.returnedAt = env.now;
  become(turn, peer, { kind: "alive" }, "heard");
}

/** The connection ended without a goodbye: doubt at once. */
export function sessionReset(turn: Turn, peer: Peer): void {
  if (peer.condition.kind === "alive") suspect(turn, peer, "reset");
}

function probe(turn: Turn, peer: Peer): void {
  for (const address of peer.member.addresses) {
    turn.effects.push({ type: "probe", subject: peer.id, address, patience: PROBE_PATIENCE });
  }
}

function openInquiry(turn: Turn, peer: Peer, cause: Inquiry["cause"]): Inquiry {
  probe(turn, peer);
  return {
    since: turn.env.now,
    cause,
    testimonies: new Map(),
    probes: new Map(),
    kernelAt: undefined,
    nextAskAt: turn.env.now,
    asked: 0,
    nextProbeAt: after(turn.env.now, PROBE_SOON),
    decideAt: undefined,
  };
}

function suspect(turn: Turn, peer: Peer, cause: Inquiry["cause"]): void {
  const before = verdictOf(peer.condition);
  const why = cause === "reset" ? "its connection broke" : "no beat in time";
  become(turn, peer, { kind: "suspect", inquiry: openInquiry(turn, peer, cause), before }, why);
}

/** Observers whose answers about `subject` are waited for: alive to this node and connected. */
function livingObservers(turn: Turn, subject: NodeId): NodeId[] {
  const living: NodeId[] = [];
  for (const peer of turn.state.peers.values()) {
    if (peer.id !== subject && peer.session !== undefined && peer.condition.kind === "alive")
      living.push(peer.id);
  }
  return living;
}

/** Looks at every peer's deadlines; the part of a step that time drives. */
export function watchPeers(turn: Turn): void {
  // A node that is stopping has hung up: whom it no longer hears means nothing.
  if (isDrowsy(turn) || turn.state.stopping) return;
  recheckUplink(turn);
  for (const peer of turn.state.peers.values()) beginDoubtIfSilent(turn, peer);
  for (const peer of turn.state.peers.values()) {
    const { condition } = peer;
    if (condition.kind === "suspect" || condition.kind === "link-problem") pursue(turn, peer, condition);
    else if (condition.kind === "down") reprobe(turn, peer, condition);
  }
}

function beginDoubtIfSilent(turn: Turn, peer: Peer): void {
  const doubtAt = silenceEnds(peer);
  if (doubtAt !== undefined && doubtAt <= turn.env.now) suspect(turn, peer, "silence");
}

/** When the peer's silence becomes a doubt; undefined where it cannot. */
function silenceEnds(peer: Peer): Instant | undefined {
  const { condition, heardAt } = peer;
  if (condition.kind === "unknown") return condition.doubtAt;
  return condition.kind === "alive" && heardAt !== undefined
    ? after(heardAt, silenceAllowed(peer))
    : undefined;
}

type Pursued = Extract<Condition, { kind: "suspect" | "link-problem" }>;

function pursue(turn: Turn, peer: Peer, condition: Pursued): void {
  const { inquiry } = condition;
  const { now } = turn.env;
  if (condition.kind === "link-problem") {
    if (now < condition.resumeAt) return;
    // A new round: only what others hear after this moment shows that they still hear it.
    if (inquiry.since < condition.resumeAt) restartInquiry(inquiry, now);
  }
  if (inquiry.nextAskAt <= now) {
    ask(turn, peer, inquiry);
    inquiry.nextAskAt = after(now, ASK_EVERY);
  }
  if (condition.kind === "suspect") probeAgain(turn, peer, inquiry);
  const decision = decideAbout(turn, peer, inquiry);
  switch (decision.kind) {
    case "wait":
      inquiry.decideAt = decision.until;
      if (condition.kind === "link-problem" && nobodyHears(turn, peer, inquiry))
        suspect(turn, peer, "silence");
      return;
    case "ask-uplink":
      turn.state.uplink = { askedAt: turn.env.now, seen: undefined };
      turn.effects.push({ type: "look-at-uplink" });
      return;
    case "isolated":
      isolate(turn, decision.detail);
      return;
    case "link-problem":
      noteLinkProblem(turn, peer, condition, decision.hearers);
      return;
    case "down":
      // Whoever heard it until now has only begun to doubt: look into it as thoroughly as they do.
      if (condition.kind === "link-problem") suspect(turn, peer, "silence");
      else goDown(turn, peer, inquiry, decision);
  }
}

const nobodyHears = (turn: Turn, peer: Peer, inquiry: Inquiry): boolean =>
  livingObservers(turn, peer.id).every((observer) => inquiry.testimonies.get(observer)?.state === "silent");

/** Whether packets between this node and the subject, or its observers, are being lost. */
function isLossy(turn: Turn, subject: Peer): boolean {
  if (subject.loss > LOSSY_ABOVE) return true;
  for (const { loss, condition, session } of turn.state.peers.values()) {
    const concerned = session !== undefined && (condition.kind === "alive" || condition.kind === "suspect");
    if (concerned && loss > LOSSY_ABOVE) return true;
  }
  return false;
}

/**
 * What accepted a moment ago may have been the last socket of a dying process; what was silent on a
 * lossy path may have been a lost packet.
 */
function probeAgain(turn: Turn, peer: Peer, inquiry: Inquiry): void {
  const { now } = turn.env;
  if (now < inquiry.nextProbeAt) return;
  inquiry.nextProbeAt = after(now, PROBE_AGAIN);
  const shown = strongestProbe(inquiry);
  const young = between(inquiry.since, now) < PROBE_AGAIN;
  const maybeLost =
    shown !== "refused" && between(inquiry.since, now) <= LOSSY_PATIENCE && (young || isLossy(turn, peer));
  if (shown === "accepted" || maybeLost) probe(turn, peer);
}

function restartInquiry(inquiry: Inquiry, now: Instant): void {
  inquiry.since = now;
  inquiry.testimonies.clear();
  inquiry.nextAskAt = now;
  inquiry.decideAt = undefined;
}

function decideAbout(turn: Turn, peer: Peer, inquiry: Inquiry): Decision {
  const { state, env } = turn;
  return decide({
    now: env.now,
    inquiry,
    heardAt: peer.heardAt,
    observers: state.peers.size,
    living: livingObservers(turn, peer.id),
    alive: aliveCount(state) - (peer.condition.kind === "link-problem" ? 1 : 0),
    members: state.peers.size + 1,
    // A link problem turns into a doubt first, which takes its time where packets get lost.
    lossy: peer.condition.kind === "suspect" && isLossy(turn, peer),
    longestSilence: longestSilence(peer),
    period: peer.period,
    rtt: peer.rtt,
    uplink: state.uplink !== undefined && state.uplink.askedAt >= inquiry.since ? state.uplink : undefined,
  });
}

/** Asks every living observer that has not settled the matter, and the subject itself, over every plane. */
function ask(turn: Turn, peer: Peer, inquiry: Inquiry): void {
  const message: Ask = {
    t: "ask",
    subject: peer.id,
    incarnation: peer.incarnation,
    suspected: between(inquiry.since, turn.env.now),
  };
  // Who heard nothing may hear again before this is decided, and is asked at half the pace.
  const everyone = inquiry.asked % 2 === 0;
  inquiry.asked += 1;
  for (const observer of livingObservers(turn, peer.id)) {
    if (!everyone && inquiry.testimonies.get(observer)?.state === "silent") continue;
    sendUrgent(turn, observer, message);
  }
  if (peer.session !== undefined) sendUrgent(turn, peer.id, message);
}

function noteLinkProblem(turn: Turn, peer: Peer, condition: Pursued, hearers: readonly NodeId[]): void {
  const { inquiry } = condition;
  const resumeAt = after(turn.env.now, LINK_PROBLEM_ROUND);
  if (condition.kind === "link-problem") {
    condition.resumeAt = resumeAt;
    return;
  }
  const names = hearers.map((id) => turn.state.peers.get(id)?.member.name ?? id).join(", ");
  become(turn, peer, { kind: "link-problem", inquiry, resumeAt }, `heard by ${names}, not by me`);
}

function goDown(
  turn: Turn,
  peer: Peer,
  inquiry: Inquiry,
  decision: Extract<Decision, { kind: "down" }>,
): void {
  const { verdict, why } = decision;
  const condition: Condition = {
    kind: "down",
    verdict,
    incarnation: peer.incarnation,
    reprobeAt: after(turn.env.now, REPROBE_EVERY),
    probes: new Map(),
  };
  become(turn, peer, condition, why);
  beginIncidents(turn, peer, verdict, inquiry);
}

/** A host whose daemon is down is probed on: when its kernel falls silent too, the doubt begins anew. */
function reprobe(turn: Turn, peer: Peer, condition: Extract<Condition, { kind: "down" }>): void {
  if (condition.verdict !== "daemon-down" || turn.env.now < condition.reprobeAt) return;
  condition.reprobeAt = after(turn.env.now, REPROBE_EVERY);
  condition.probes.clear();
  probe(turn, peer);
}

/** Several may be under way: one that was answered outweighs those that were not, for a while. */
function noteProbe(inquiry: Inquiry, address: Address, outcome: ProbeOutcome, now: Instant): void {
  if (outcome !== "silent") inquiry.kernelAt = now;
  else if (inquiry.kernelAt !== undefined && between(inquiry.kernelAt, now) < PROBE_HOLDS) return;
  inquiry.probes.set(address, outcome);
}

export function probed(turn: Turn, subject: NodeId, address: Address, outcome: ProbeOutcome): void {
  const peer = turn.state.peers.get(subject);
  if (peer === undefined) return;
  const { condition } = peer;
  if (condition.kind === "suspect") noteProbe(condition.inquiry, address, outcome, turn.env.now);
  if (condition.kind !== "down") return;
  condition.probes.set(address, outcome);
  const allSilent = peer.member.addresses.every((each) => condition.probes.get(each) === "silent");
  if (condition.verdict === "daemon-down" && allSilent) suspect(turn, peer, "silence");
}

/** Someone else hears a subject that this node holds for down: the fault lies between the two of us. */
export function heardByOthers(turn: Turn, peer: Peer, incarnation: Incarnation): void {
  if (peer.condition.kind !== "down" || peer.condition.incarnation > incarnation) return;
  const inquiry = openInquiry(turn, peer, "silence");
  const resumeAt = after(turn.env.now, LINK_PROBLEM_ROUND);
  become(turn, peer, { kind: "link-problem", inquiry, resumeAt }, "others hear it again");
}

export function nextWatchAt(turn: Pick<Turn, "state">): Instant | undefined {
  const { state } = turn;
  // A drowsy node decides nothing: every other deadline waits.
  if (state.drowsyUntil !== undefined) return state.drowsyUntil;
  if (state.stopping) return undefined;
  let next = state.isolated?.recheckAt;
  for (const peer of state.peers.values()) {
    const { condition } = peer;
    if (condition.kind === "alive" || condition.kind === "unknown") {
      next = earliest(next, silenceEnds(peer));
    } else if (condition.kind === "suspect" || condition.kind === "link-problem") {
      const { nextAskAt, decideAt } = condition.inquiry;
      const quietUntil = condition.kind === "link-problem" ? condition.resumeAt : undefined;
      const wanted = earliest(nextAskAt, decideAt) ?? nextAskAt;
      next = earliest(next, quietUntil === undefined ? wanted : later(wanted, quietUntil));
    } else if (condition.kind === "down" && condition.verdict === "daemon-down") {
      next = earliest(next, condition.reprobeAt);
    }
  }
  return next;
}
