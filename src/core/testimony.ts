/** What observers tell one another about a subject in doubt: questions, answers, and how they travel. */
import { after, between, type Duration, earlier, type Instant } from "../kit/time.ts";
import { noteDoubt, takeBackDoubt } from "./doubters.ts";
import { PROBE_AGAIN, PROBE_HOLDS, REPROBE_EVERY } from "./limits.ts";
import type { Answer, Ask } from "./messages.ts";
import { type Inquiry, inquiryOf, type Peer, pathOf, strongestProbe, type Testimony } from "./peer.ts";
import { isDrowsy, type Turn } from "./state.ts";
import type { NodeId, ProbeOutcome } from "./types.ts";

/** A datagram where they pass, else the stream too, which needs no repetition: it repeats by itself. */
export function sendUrgent(turn: Turn, to: NodeId, message: Ask | Answer, isRepeated = false): void {
  const peer = turn.state.peers.get(to);
  if (peer?.session === undefined) return;
  const path = pathOf(peer, turn.env.now);
  turn.effects.push({ type: "send", to, plane: "datagram", envelope: { message } });
  if (path === "stream" && !isRepeated)
    turn.effects.push({ type: "send", to, plane: "stream", envelope: { message } });
}

/** Another observer suspects `ask.subject`: that is its testimony, and it wants ours. */
export function asked(turn: Turn, from: Peer, question: Ask): void {
  const { state, env } = turn;
  if (question.subject === state.self) return;
  const peer = state.peers.get(question.subject);
  if (peer === undefined) return;
  const { condition } = peer;
  if (question.incarnation >= peer.incarnation) noteDoubt(turn, peer, from.id);
  const inquiry = inquiryOf(peer);
  if (inquiry !== undefined) {
    const known = inquiry.testimonies.get(from.id);
    const haveCrossed = HAS_NOT_DOUBTED.has(known?.state) && inquiry.asked.has(from.id);
    inquiry.testimonies.set(from.id, {
      ...(known ?? { heardAt: undefined, path: "none", probe: "none", at: env.now }),
      state: "silent",
    });
    // This node's own question has said what its answer would. Who has missed it asks again.
    if (haveCrossed && condition.kind === "suspect" && hasNothingToAdd(turn, inquiry)) return;
  }
  if (condition.kind === "down" && condition.verdict === "daemon-down") {
    // Whoever asks doubts that its host still lives. That was seen some time ago here: look again.
    const soonest = after(condition.reprobeAt, (PROBE_AGAIN - REPROBE_EVERY) as Duration);
    condition.reprobeAt = earlier(condition.reprobeAt, soonest);
  }
  sendUrgent(turn, from.id, testify(turn, peer, env.now));
}

/** Who has said since that it hears the subject again has put aside what it was told. */
const HAS_NOT_DOUBTED: ReadonlySet<Testimony["state"] | undefined> = new Set([undefined, "hearing"]);

const hasNothingToAdd = ({ state }: Turn, inquiry: Inquiry): boolean =>
  state.isolated === undefined && inquiry.kernelAt === undefined;

function testify(turn: Turn, peer: Peer, now: Instant): Answer {
  const { condition } = peer;
  const cannotSay =
    condition.kind === "unknown" ||
    condition.kind === "planned" ||
    // It only repeats what others say.
    (peer.watchedSince === undefined && (condition.kind === "down" || peer.heardAt === undefined)) ||
    turn.state.isolated !== undefined ||
    isDrowsy(turn) ||
    (condition.kind === "alive" && !isHeardAwake(turn, peer));
  return {
    t: "answer",
    subject: peer.id,
    state: cannotSay ? "unknown" : condition.kind === "alive" ? "hearing" : "silent",
    incarnation: peer.incarnation,
    ...(peer.heardAt === undefined ? {} : { heard: between(peer.heardAt, now) }),
    path: pathOf(peer, now),
    probe: lastSign(peer, now),
  };
}

/** Since this node was last stopped: until then it gives everyone credit, which is not to have heard them. */
const isHeardAwake = ({ state }: Turn, { heardAt }: Peer): boolean =>
  state.awakeSince === undefined || (heardAt !== undefined && heardAt > state.awakeSince);

/** What the kernel has answered just now, where that is asked; what it did earlier proves nothing. */
function lastSign(peer: Peer, now: Instant): ProbeOutcome | "none" {
  const { condition } = peer;
  const inquiry = inquiryOf(peer);
  const kernel = condition.kind === "down" ? condition.kernel : undefined;
  if (kernel !== undefined && between(kernel.at, now) < PROBE_HOLDS) return kernel.outcome;
  return inquiry === undefined ? "none" : strongestProbe(inquiry);
}

/**
 * Whoever was asked, or has asked, took this node for one that hears nothing: their verdict may hang on it, and it
 * is so no longer. That it hears the peer it says when asked again: by then most of them will hear it themselves.
 */
export function takeBackSilence(turn: Turn, peer: Peer, { asked, testimonies }: Inquiry): void {
  const answer: Answer = { ...testify(turn, peer, turn.env.now), state: "unknown" };
  for (const id of new Set([...asked.keys(), ...testimonies.keys()]))
    if (id !== peer.id) sendUrgent(turn, id, answer);
}

/** The subject's kernel has answered. Who asked before was not told, and its own probes may have got lost. */
export function tellOfKernel(turn: Turn, peer: Peer, { testimonies }: Inquiry): void {
  const answer = testify(turn, peer, turn.env.now);
  for (const [id, { state, probe }] of testimonies)
    if (state === "silent" && (probe === "none" || probe === "silent")) sendUrgent(turn, id, answer);
}

export function answered(turn: Turn, from: Peer, answer: Answer): void {
  const peer = turn.state.peers.get(answer.subject);
  if (peer === undefined || peer.id === from.id) return;
  if (answer.state !== "silent") takeBackDoubt(peer, from.id);
  inquiryOf(peer)?.testimonies.set(from.id, {
    state: answer.state,
    at: turn.env.now,
    heardAt: answer.heard === undefined ? undefined : after(turn.env.now, -answer.heard as Duration),
    path: answer.path,
    probe: answer.probe,
  });
}
