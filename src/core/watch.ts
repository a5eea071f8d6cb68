/** Watching the others: from silence to verdict and back. Decides with verdict.ts, remembers in peer.ts. */
import { after, between, earliest, type Instant, later } from "../kit/time.ts";
import { ask } from "./asking.ts";
import { wordAt } from "./first-word.ts";
import { beginIncidents } from "./incidents.ts";
import {
  isLossy,
  kernelSeen,
  noteProbe,
  openInquiry,
  probe,
  probeAgain,
  restartInquiry,
  restsOnProbes,
} from "./inquiry.ts";
import { endIsolation, isolate, recheckUplink, tellCutOff } from "./isolation.ts";
import { LINK_PROBLEM_ROUND, LOSSY_PATIENCE, PROBE_SOON, REPROBE_EVERY, RETURN_PATIENCE } from "./limits.ts";
import { notePath, tryOtherAddresses } from "./paths.ts";
import {
  type Condition,
  type Inquiry,
  inquiryOf,
  isDoubtShared,
  kernelRoundTrip,
  longestSilence,
  type Peer,
  verdictOf,
} from "./peer.ts";
import { forgetAsked, isMute, livingObservers, observersOf, silenceEndsAt, takeUp } from "./roles.ts";
import { patience } from "./stall.ts";
import { aliveCount, become, isDrowsy, type NodeState, type Turn } from "./state.ts";
import { takeBackSilence, tellOfKernel } from "./testimony.ts";
import type { Address, Incarnation, NodeId, ProbeOutcome } from "./types.ts";
import { type Decision, decide } from "./verdict.ts";

/** Any authenticated word of the peer proves life. */
export function heard(turn: Turn, peer: Peer): void {
  const { env, state } = turn;
  peer.heardAt = env.now;
  peer.heardWall = env.wall;
  forgetAsked(turn, peer);
  const { condition } = peer;
  if (condition.kind === "alive") return;
  endIsolation(turn, `${peer.member.name} is heard again`);
  tellCutOff(turn);
  // What was sent before the goodbye may arrive after it: only a later life ends a planned absence.
  if (condition.kind === "planned" && peer.incarnation <= condition.incarnation) return;
  if (hearsNobody(state)) state.returnedAt = env.now;
  become(turn, peer, { kind: "alive" }, "heard");
  if (condition.kind === "suspect") takeBackSilence(turn, peer, condition.inquiry);
}

function hearsNobody({ watched }: NodeState): boolean {
  for (const { condition } of watched)
    if (condition.kind === "alive" || condition.kind === "link-problem") return false;
  return true;
}

/** The connection ended without a goodbye: doubt at once. */
export function sessionReset(turn: Turn, peer: Peer): void {
  if (peer.condition.kind === "alive" && peer.watchedSince !== undefined) suspect(turn, peer, "reset");
}

const DOUBTS: Readonly<Record<Inquiry["cause"], string>> = {
  silence: "no beat in time",
  reset: "its connection broke",
  absence: "away for long",
};

/** Whom this node has never heard it can miss, and not hold for dead. */
export function suspect(turn: Turn, peer: Peer, reason: Inquiry["cause"]): void {
  const before = verdictOf(peer.condition);
  const cause = peer.heardAt === undefined ? "absence" : reason;
  become(turn, peer, { kind: "suspect", inquiry: openInquiry(turn, peer, cause), before }, DOUBTS[cause]);
  if (before === "alive") tryOtherAddresses(turn, peer);
}

/** Looks at every peer's deadlines; the part of a step that time drives. */
export function watchPeers(turn: Turn): void {
  // A node that is stopping has hung up: whom it no longer hears means nothing.
  if (isDrowsy(turn) || turn.state.stopping) return;
  recheckUplink(turn);
  const { watched, owing } = turn.state;
  for (const peer of owing) if (isMute(peer, turn.env.now)) watchInstead(turn, peer);
  for (const peer of watched) beginDoubtIfSilent(turn, peer);
  for (const peer of watched) {
    const { condition } = peer;
    const inquiry = inquiryOf(peer);
    if (inquiry !== undefined) pursue(turn, peer, inquiry);
    else if (condition.kind === "down") reprobe(turn, peer, condition);
    if (peer.condition.kind === "down") enterIfDue(turn, peer, peer.condition);
  }
}

/** Whoever watches it may be gone as well. */
function watchInstead(turn: Turn, peer: Peer): void {
  takeUp(turn, peer);
  suspect(turn, peer, "silence");
}

function beginDoubtIfSilent(turn: Turn, peer: Peer): void {
  const doubtAt = silenceEnds(turn, peer);
  if (doubtAt !== undefined && doubtAt <= turn.env.now) suspect(turn, peer, "silence");
}

/** When the peer's silence becomes a doubt; undefined where it cannot. */
function silenceEnds({ state, env }: Pick<Turn, "state" | "env">, peer: Peer): Instant | undefined {
  const { condition, watchedSince } = peer;
  if (watchedSince === undefined) return undefined;
  if (condition.kind === "unknown" || condition.kind === "down") return condition.doubtAt;
  const ends = condition.kind === "alive" ? silenceEndsAt(peer) : undefined;
  if (ends === undefined || isDoubtShared(peer)) return ends;
  return after(ends, patience(state, env.now));
}

function pursue(turn: Turn, peer: Peer, inquiry: Inquiry): void {
  const { condition } = peer;
  const { now } = turn.env;
  if (condition.kind === "link-problem") {
    if (now < condition.resumeAt) return;
    // A new round: only what others hear after this moment shows that they still hear it.
    if (inquiry.since < condition.resumeAt) restartInquiry(inquiry, now);
  }
  if (inquiry.nextAskAt <= now) ask(turn, peer, inquiry);
  if (condition.kind !== "link-problem") probeAgain(turn, peer, inquiry);
  const decision = decideAbout(turn, peer, inquiry);
  inquiry.decideAt = decision.kind === "wait" ? decision.until : undefined;
  if (condition.kind === "link-problem") followLinkProblem(turn, peer, condition, decision);
  else if (condition.kind === "down") followDeath(turn, peer, condition, decision);
  else followDoubt(turn, peer, inquiry, decision);
}

function followDoubt(turn: Turn, peer: Peer, inquiry: Inquiry, decision: Decision): void {
  switch (decision.kind) {
    case "wait":
      return;
    case "ask-uplink":
      askUplink(turn);
      return;
    case "isolated":
      isolate(turn, decision.detail);
      return;
    case "link-problem": {
      const names = decision.hearers.map((id) => turn.state.peers.get(id)?.member.name ?? id).join(", ");
      const resumeAt = after(turn.env.now, LINK_PROBLEM_ROUND);
      become(turn, peer, { kind: "link-problem", inquiry, resumeAt }, `heard by ${names}, not by me`);
      return;
    }
    case "down":
      goDown(turn, peer, inquiry, decision);
  }
}

function askUplink({ state, env, effects }: Turn): void {
  state.uplink = { askedAt: env.now, seen: undefined };
  effects.push({ type: "look-at-uplink" });
}

/** It was heard by others a round ago: then the fault is not this node's own network, nor is it down at once. */
function followLinkProblem(
  turn: Turn,
  peer: Peer,
  condition: Extract<Condition, { kind: "link-problem" }>,
  decision: Decision,
): void {
  const { inquiry } = condition;
  if (decision.kind === "link-problem") {
    condition.resumeAt = after(turn.env.now, LINK_PROBLEM_ROUND);
    return;
  }
  const overdue = decision.kind !== "wait" && between(inquiry.since, turn.env.now) >= LOSSY_PATIENCE;
  // Whoever heard it until now has only begun to doubt: look into it as thoroughly as they do.
  if (decision.kind === "down" || overdue || nobodyHears(turn, peer, inquiry)) suspect(turn, peer, "silence");
}

/** Its daemon is down; does its host live? Until that is decided otherwise, nothing changes. */
function followDeath(turn: Turn, peer: Peer, condition: Down, decision: Decision): void {
  if (decision.kind === "wait") return;
  if (decision.kind === "ask-uplink") {
    askUplink(turn);
    return;
  }
  const { inquiry } = condition;
  condition.inquiry = undefined;
  condition.reprobeAt = after(turn.env.now, REPROBE_EVERY);
  condition.probes.clear();
  if (decision.kind === "isolated") isolate(turn, decision.detail);
  else if (decision.kind === "link-problem") condition.doubtAt ??= after(turn.env.now, RETURN_PATIENCE);
  else if (decision.verdict !== "daemon-down" && inquiry !== undefined) goDown(turn, peer, inquiry, decision);
}

type Down = Extract<Condition, { kind: "down" }>;

const nobodyHears = (turn: Turn, peer: Peer, inquiry: Inquiry): boolean =>
  livingObservers(turn, peer.id).every((observer) => inquiry.testimonies.get(observer)?.state === "silent");

/** All who observe the subject have said when they last heard it. */
function isDated(turn: Turn, peer: Peer, { testimonies }: Inquiry): boolean {
  const living = livingObservers(turn, peer.id);
  return living.length > 0 && living.every((id) => testimonies.get(id)?.heardAt !== undefined);
}

const wasLinkProblem = ({ condition }: Peer): boolean =>
  condition.kind === "suspect" && condition.before === "link-problem";

function decideAbout(turn: Turn, peer: Peer, inquiry: Inquiry): Decision {
  const { state, env } = turn;
  return decide({
    now: env.now,
    inquiry,
    // Until now others heard it: they say when, or it was until the doubt began.
    heardAt: wasLinkProblem(peer) && !isDated(turn, peer, inquiry) ? inquiry.since : peer.heardAt,
    observers: observersOf(state, peer.id).size,
    living: livingObservers(turn, peer.id),
    alive: aliveCount(state) - (peer.condition.kind === "link-problem" ? 1 : 0),
    members: state.peers.size + 1,
    // A link problem turns into a doubt first, which takes its time where packets get lost.
    lossy: peer.condition.kind !== "link-problem" && isLossy(turn, peer),
    probesOnly: restsOnProbes(peer),
    longestSilence: longestSilence(peer),
    period: peer.period,
    rtt: kernelRoundTrip(peer),
    uplink: state.uplink !== undefined && state.uplink.askedAt >= inquiry.since ? state.uplink : undefined,
  });
}

function goDown(
  turn: Turn,
  peer: Peer,
  inquiry: Inquiry,
  decision: Extract<Decision, { kind: "down" }>,
): void {
  const verdict = inquiry.cause === "absence" ? "missing" : decision.verdict;
  const condition: Down = {
    kind: "down",
    verdict,
    incarnation: peer.incarnation,
    reprobeAt: after(turn.env.now, REPROBE_EVERY),
    probes: new Map(),
    // Whoever asks next is told what this node has just seen itself.
    kernel: kernelSeen(inquiry),
    enter: { at: wordAt(turn, peer.id), inquiry },
    inquiry: undefined,
    doubtAt: undefined,
  };
  become(turn, peer, condition, decision.why);
  enterIfDue(turn, peer, condition);
}

function enterIfDue(turn: Turn, peer: Peer, condition: Down): void {
  const { enter, verdict } = condition;
  if (enter === undefined || turn.env.now < enter.at) return;
  condition.enter = undefined;
  beginIncidents(turn, peer, verdict, enter.inquiry);
}

/** A host whose daemon is down is probed on: its kernel may fall silent too. */
function reprobe(turn: Turn, peer: Peer, condition: Down): void {
  if (condition.verdict !== "daemon-down" || turn.env.now < condition.reprobeAt) return;
  condition.reprobeAt = after(turn.env.now, REPROBE_EVERY);
  condition.probes.clear();
  probe(turn, peer);
}

export function probed(turn: Turn, subject: NodeId, address: Address, outcome: ProbeOutcome): void {
  const peer = turn.state.peers.get(subject);
  if (peer === undefined) return;
  const { condition } = peer;
  const inquiry = inquiryOf(peer);
  if (inquiry !== undefined && condition.kind !== "link-problem") {
    const isFirstSign = inquiry.kernelAt === undefined && outcome !== "silent";
    noteProbe(inquiry, address, outcome, turn.env.now);
    if (isFirstSign && condition.kind === "suspect") tellOfKernel(turn, peer, inquiry);
  }
  if (condition.kind === "alive") notePath(turn, peer, address, outcome);
  if (condition.kind !== "down") return;
  condition.probes.set(address, outcome);
  if (outcome !== "silent") condition.kernel = { outcome, at: turn.env.now };
  const allSilent = peer.member.addresses.every((each) => condition.probes.get(each) === "silent");
  if (condition.verdict === "daemon-down" && allSilent)
    condition.inquiry ??= openInquiry(turn, peer, "silence");
}

/** Someone else hears a subject that this node holds for down: it should be heard here as well before long. */
export function heardByOthers(turn: Turn, peer: Peer, incarnation: Incarnation): void {
  if (peer.condition.kind !== "down" || peer.condition.incarnation > incarnation) return;
  peer.condition.doubtAt ??= after(turn.env.now, RETURN_PATIENCE);
  // Its death has been entered and is over: what this node was about to enter would be another one.
  peer.condition.enter = undefined;
}

export function nextWatchAt(turn: Pick<Turn, "state" | "env">): Instant | undefined {
  const { state } = turn;
  // A drowsy node decides nothing: every other deadline waits.
  if (state.drowsyUntil !== undefined) return state.drowsyUntil;
  if (state.stopping) return undefined;
  let next = state.isolated?.recheckAt;
  for (const peer of state.watched) {
    const { condition } = peer;
    next = earliest(next, silenceEnds(turn, peer));
    if (condition.kind === "down") next = earliest(next, condition.enter?.at);
    const inquiry = inquiryOf(peer);
    if (inquiry !== undefined) {
      const { since, nextAskAt, nextProbeAt, decideAt } = inquiry;
      const quietUntil = condition.kind === "link-problem" ? condition.resumeAt : undefined;
      // Later probes go out when something else is due.
      const isFirstRepeat = condition.kind !== "link-problem" && between(since, nextProbeAt) <= PROBE_SOON;
      const probeAt = isFirstRepeat ? nextProbeAt : undefined;
      const wanted = earliest(earliest(nextAskAt, decideAt), probeAt) ?? nextAskAt;
      next = earliest(next, quietUntil === undefined ? wanted : later(wanted, quietUntil));
    } else if (condition.kind === "down" && condition.verdict === "daemon-down") {
      next = earliest(next, condition.reprobeAt);
    }
  }
  return next;
}
