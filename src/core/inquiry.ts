/** The looking-into of a doubt: when the subject is probed, and what the probes showed. */
import { after, between, type Instant } from "../kit/time.ts";
import { saidByAsking } from "./doubters.ts";
import {
  LOSSY_ABOVE,
  LOSSY_PATIENCE,
  PROBE_AGAIN,
  PROBE_HOLDS,
  PROBE_PATIENCE,
  PROBE_SOON,
} from "./limits.ts";
import { type Inquiry, type KernelSign, type Peer, strongestProbe } from "./peer.ts";
import type { Turn } from "./state.ts";
import type { Address, ProbeOutcome } from "./types.ts";

export function openInquiry(turn: Turn, peer: Peer, cause: Inquiry["cause"]): Inquiry {
  probe(turn, peer);
  return {
    since: turn.env.now,
    cause,
    testimonies: saidByAsking(turn, peer),
    probes: new Map(),
    kernelAt: undefined,
    nextAskAt: turn.env.now,
    asked: new Map(),
    nextProbeAt: after(turn.env.now, PROBE_SOON),
    decideAt: undefined,
  };
}

/** Asks anew; what the probes showed stays, until they show something else. */
export function restartInquiry(inquiry: Inquiry, now: Instant): void {
  inquiry.since = now;
  inquiry.testimonies.clear();
  inquiry.asked.clear();
  inquiry.nextAskAt = now;
  inquiry.decideAt = undefined;
}

/** All of the subject's addresses at once. */
export function probe(turn: Turn, peer: Peer): void {
  for (const address of peer.member.addresses) {
    turn.effects.push({ type: "probe", subject: peer.id, address, patience: PROBE_PATIENCE });
  }
}

/** The daemon was down before: only probes can tell whether the host still lives. */
export const restsOnProbes = ({ condition }: Peer): boolean =>
  condition.kind === "down" || (condition.kind === "suspect" && condition.before === "daemon-down");

/**
 * What accepted a moment ago may have been the last socket of a dying process; what was silent on a
 * lossy path may have been a lost packet.
 */
export function probeAgain(turn: Turn, peer: Peer, inquiry: Inquiry): void {
  const { now } = turn.env;
  if (now < inquiry.nextProbeAt) return;
  inquiry.nextProbeAt = after(now, PROBE_AGAIN);
  const shown = strongestProbe(inquiry);
  const doubtful = between(inquiry.since, now) < PROBE_AGAIN || restsOnProbes(peer) || isLossy(turn, peer);
  const maybeLost = shown !== "refused" && between(inquiry.since, now) <= LOSSY_PATIENCE && doubtful;
  if (shown === "accepted" || maybeLost) probe(turn, peer);
}

/** Several may be under way: one that was answered outweighs those that were not, for a while. */
export function noteProbe(inquiry: Inquiry, address: Address, outcome: ProbeOutcome, now: Instant): void {
  if (outcome !== "silent") inquiry.kernelAt = now;
  else if (inquiry.kernelAt !== undefined && between(inquiry.kernelAt, now) < PROBE_HOLDS) return;
  inquiry.probes.set(address, outcome);
}

/** The last sign of the subject's kernel that this node has had itself; undefined where it has had none. */
export function kernelSeen(inquiry: Inquiry): KernelSign | undefined {
  const outcome = strongestProbe(inquiry);
  if (inquiry.kernelAt === undefined || outcome === "none" || outcome === "silent") return undefined;
  return { outcome, at: inquiry.kernelAt };
}

/**
 * Whether packets between this node and the subject, or others it watches, are being lost. Of whom it does not
 * watch it hears so rarely that what was lost minutes ago would still count.
 */
export function isLossy(turn: Turn, subject: Peer): boolean {
  if (subject.loss > LOSSY_ABOVE) return true;
  for (const { loss, condition, session } of turn.state.watched) {
    const concerned = session !== undefined && (condition.kind === "alive" || condition.kind === "suspect");
    if (concerned && loss > LOSSY_ABOVE) return true;
  }
  return false;
}
