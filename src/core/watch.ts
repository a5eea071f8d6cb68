/** Watching the others: from silence to verdict and back. Decides with verdict.ts, remembers in peer.ts. */
import { after, between, type Duration, earliest, type Instant, later } from "../kit/time.ts";
import { beginIncidents } from "./incidents.ts";
import {
  ASK_EVERY,
  ISOLATION_RECHECK,
  LINK_PROBLEM_ROUND,
  LOSSY_ABOVE,
  LOSSY_PATIENCE,
  PROBE_EVERY_WHEN_LOSSY,
  PROBE_PATIENCE,
  REPROBE_EVERY,
  RETURN_PATIENCE,
} from "./limits.ts";
import type { Answer, Ask } from "./messages.ts";
import {
  type Condition,
  type Inquiry,
  type Peer,
  pathOf,
  silenceAllowed,
  strongestProbe,
  verdictOf,
} from "./peer.ts";
import { aliveCount, notice, type Turn } from "./state.ts";
import type { Address, Incarnation, NodeId, ProbeOutcome, Uplink } from "./types.ts";
import { type Decision, decide } from "./verdict.ts";

/** Moves a peer to another condition and says so where the verdict changes. */
export function become(turn: Turn, peer: Peer, condition: Condition, why: string): void {
  const from = verdictOf(peer.condition);
  const to = verdictOf(condition);
  peer.condition = condition;
  if (from === to) return;
  peer.since = turn.env.wall;
  notice(turn, {
    type: "verdict",
    subject: peer.id,
    name: peer.member.name,
    from,
    to,
    incarnation: peer.incarnation,
    why,
  });
}

/** Any authenticated word of the peer proves life. */
export function heard(turn: Turn, peer: Peer): void {
  const { env, state } = turn;
  peer.heardAt = env.now;
  peer.heardWall = env.wall;
  state.uplink = undefined;
  endIsolation(turn, `${peer.member.name} is heard again`);
  const { condition } = peer;
  if (condition.kind === "alive") return;
  // What was sent before the goodbye may arrive after it: only a later life ends a planned absence.
  if (condition.kind === "planned" && peer.incarnation <= condition.incarnation) return;
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
    nextAskAt: turn.env.now,
    nextProbeAt: after(turn.env.now, PROBE_EVERY_WHEN_LOSSY),
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
  if (isDrowsy(turn)) return;
  recheckUplink(turn);
  for (const peer of turn.state.peers.values()) beginDoubtIfSilent(turn, peer);
  for (const peer of turn.state.peers.values()) {
    const { condition } = peer;
    if (condition.kind === "suspect" || condition.kind === "link-problem") pursue(turn, peer, condition);
    else if (condition.kind === "down") reprobe(turn, peer, condition);
  }
}

export const isDrowsy = (turn: Turn): boolean =>
  turn.state.drowsyUntil !== undefined && turn.env.now < turn.state.drowsyUntil;

function beginDoubtIfSilent(turn: Turn, peer: Peer): void {
  const doubtAt = silenceEnds(peer);
  if (doubtAt !== undefined && doubtAt <= turn.env.now) suspect(turn, peer, "silence");
}

/** When the peer's silence becomes a doubt; undefined where it cannot. */
function silenceEnds({ condition, heardAt, ...peer }: Peer): Instant | undefined {
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
  if (condition.kind === "suspect") probeAgainIfLossy(turn, peer, inquiry);
  const decision = decideAbout(turn, peer, inquiry);
  switch (decision.kind) {
    case "wait":
      inquiry.decideAt = decision.until;
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

/** Whether packets between this node and the subject, or its observers, are being lost. */
function isLossy(turn: Turn, subject: Peer): boolean {
  if (subject.loss > LOSSY_ABOVE) return true;
  return livingObservers(turn, subject.id).some(
    (observer) => (turn.state.peers.get(observer)?.loss ?? 0) > LOSSY_ABOVE,
  );
}

function probeAgainIfLossy(turn: Turn, peer: Peer, inquiry: Inquiry): void {
  const { now } = turn.env;
  if (now < inquiry.nextProbeAt || between(inquiry.since, now) > LOSSY_PATIENCE) return;
  inquiry.nextProbeAt = after(now, PROBE_EVERY_WHEN_LOSSY);
  const answered = [...inquiry.probes.values()].some((outcome) => outcome !== "silent");
  if (!answered && isLossy(turn, peer)) probe(turn, peer);
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
    lossy: isLossy(turn, peer),
    rtt: peer.rtt,
    uplink: state.uplink,
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
  for (const observer of livingObservers(turn, peer.id)) {
    if (inquiry.testimonies.get(observer)?.state === "silent") continue;
    sendUrgent(turn, observer, message);
  }
  if (peer.session !== undefined) sendUrgent(turn, peer.id, message);
}

/** A datagram where they pass, else the stream. */
function sendUrgent(turn: Turn, to: NodeId, message: Ask | Answer): void {
  const peer = turn.state.peers.get(to);
  if (peer?.session === undefined) return;
  const path = pathOf(peer, turn.env.now);
  turn.effects.push({ type: "send", to, plane: "datagram", envelope: { message } });
  if (path === "stream") turn.effects.push({ type: "send", to, plane: "stream", envelope: { message } });
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

/** Hearing nobody and without an uplink, a node says nothing about the others. */
function isolate(turn: Turn, detail: string): void {
  const { env, state } = turn;
  state.isolated = { since: env.wall, detail, recheckAt: after(env.now, ISOLATION_RECHECK) };
  notice(turn, { type: "isolated", isolated: true, detail });
  for (const peer of state.peers.values()) {
    if (peer.condition.kind === "suspect" || peer.condition.kind === "link-problem") {
      become(turn, peer, { kind: "unknown" }, "this node is cut off itself");
    }
  }
}

function endIsolation(turn: Turn, why: string): void {
  const { env, state } = turn;
  if (state.isolated === undefined) return;
  state.isolated = undefined;
  notice(turn, { type: "isolated", isolated: false, detail: why });
  for (const peer of state.peers.values()) {
    if (peer.condition.kind !== "unknown" || peer.heardAt === undefined) continue;
    peer.condition = { kind: "unknown", doubtAt: after(env.now, RETURN_PATIENCE) };
  }
}

function recheckUplink(turn: Turn): void {
  const { env, state } = turn;
  if (state.isolated === undefined || env.now < state.isolated.recheckAt) return;
  state.isolated.recheckAt = after(env.now, ISOLATION_RECHECK);
  turn.effects.push({ type: "look-at-uplink" });
}

/** A host whose daemon is down is probed on: when its kernel falls silent too, the doubt begins anew. */
function reprobe(turn: Turn, peer: Peer, condition: Extract<Condition, { kind: "down" }>): void {
  if (condition.verdict !== "daemon-down" || turn.env.now < condition.reprobeAt) return;
  condition.reprobeAt = after(turn.env.now, REPROBE_EVERY);
  condition.probes.clear();
  probe(turn, peer);
}

/** Several may be under way: one that was answered outweighs those that were not. */
function noteProbe(inquiry: Inquiry, address: Address, outcome: ProbeOutcome): void {
  if (outcome !== "silent" || !inquiry.probes.has(address)) inquiry.probes.set(address, outcome);
}

export function probed(turn: Turn, subject: NodeId, address: Address, outcome: ProbeOutcome): void {
  const peer = turn.state.peers.get(subject);
  if (peer === undefined) return;
  const { condition } = peer;
  if (condition.kind === "suspect") noteProbe(condition.inquiry, address, outcome);
  if (condition.kind !== "down") return;
  condition.probes.set(address, outcome);
  const allSilent = peer.member.addresses.every((each) => condition.probes.get(each) === "silent");
  if (condition.verdict === "daemon-down" && allSilent) suspect(turn, peer, "silence");
}

export function uplinkSeen(turn: Turn, uplink: Uplink): void {
  const { state, env } = turn;
  state.uplink = { askedAt: state.uplink?.askedAt ?? env.now, seen: uplink };
  if (uplink.up) endIsolation(turn, uplink.detail);
}

/** Another observer suspects `ask.subject`: that is its testimony, and it wants ours. */
export function asked(turn: Turn, from: Peer, question: Ask): void {
  const { state, env } = turn;
  if (question.subject === state.self) return;
  const peer = state.peers.get(question.subject);
  if (peer === undefined) return;
  const { condition } = peer;
  if (condition.kind === "suspect" || condition.kind === "link-problem") {
    const earlier = condition.inquiry.testimonies.get(from.id);
    condition.inquiry.testimonies.set(from.id, {
      state: "silent",
      heardAt: earlier?.heardAt,
      path: earlier?.path ?? "none",
      probe: earlier?.probe ?? "none",
    });
  }
  sendUrgent(turn, from.id, testify(turn, peer, env.now));
}

function testify(turn: Turn, peer: Peer, now: Instant): Answer {
  const { condition } = peer;
  const inquiry =
    condition.kind === "suspect" || condition.kind === "link-problem" ? condition.inquiry : undefined;
  const cannotSay =
    condition.kind === "unknown" ||
    condition.kind === "planned" ||
    turn.state.isolated !== undefined ||
    isDrowsy(turn);
  return {
    t: "answer",
    subject: peer.id,
    state: cannotSay ? "unknown" : condition.kind === "alive" ? "hearing" : "silent",
    incarnation: peer.incarnation,
    ...(peer.heardAt === undefined ? {} : { heard: between(peer.heardAt, now) }),
    path: pathOf(peer, now),
    probe: inquiry === undefined ? "none" : strongestProbe(inquiry),
  };
}

export function answered(turn: Turn, from: Peer, answer: Answer): void {
  const peer = turn.state.peers.get(answer.subject);
  if (peer === undefined || peer.id === from.id) return;
  const { condition } = peer;
  if (condition.kind !== "suspect" && condition.kind !== "link-problem") return;
  condition.inquiry.testimonies.set(from.id, {
    state: answer.state,
    heardAt: answer.heard === undefined ? undefined : after(turn.env.now, -answer.heard as Duration),
    path: answer.path,
    probe: answer.probe,
  });
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
