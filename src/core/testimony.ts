/** What observers tell one another about a subject in doubt: questions, answers, and how they travel. */
import { after, between, type Duration, type Instant } from "../kit/time.ts";
import type { Answer, Ask } from "./messages.ts";
import { type Peer, pathOf, strongestProbe } from "./peer.ts";
import { isDrowsy, type Turn } from "./state.ts";
import type { NodeId } from "./types.ts";

/** A datagram where they pass, else the stream. */
export function sendUrgent(turn: Turn, to: NodeId, message: Ask | Answer): void {
  const peer = turn.state.peers.get(to);
  if (peer?.session === undefined) return;
  const path = pathOf(peer, turn.env.now);
  turn.effects.push({ type: "send", to, plane: "datagram", envelope: { message } });
  if (path === "stream") turn.effects.push({ type: "send", to, plane: "stream", envelope: { message } });
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
