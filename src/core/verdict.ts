/**
 * From a doubt to a verdict: the one place where it is decided that a host is
 * down. A pure function of what was gathered; the table of verdicts stands in
 * ARCHITECTURE.md.
 */
import { after, between, type Duration, earlier, type Instant, later } from "../kit/time.ts";
import {
  ANSWER_PATIENCE,
  BEATS_AFTER_UPLINK,
  LOSSY_PATIENCE,
  MUTE_PATIENCE,
  PROBE_GRACE,
  PROBE_GRACE_MAX,
  PROBE_HOLDS,
  UPLINK_PATIENCE,
} from "./limits.ts";
import type { Inquiry } from "./peer.ts";
import type { NodeId, Uplink } from "./types.ts";

export interface Facts {
  readonly now: Instant;
  readonly inquiry: Inquiry;
  /** When this node last heard the subject. */
  readonly heardAt: Instant | undefined;
  /** How many nodes observe the subject, this one included. */
  readonly observers: number;
  /** Observers other than this node that it counts as alive: their answers are waited for. */
  readonly living: readonly NodeId[];
  /** Nodes alive to this one, itself included, and the size of the roster. */
  readonly alive: number;
  readonly members: number;
  /** The path to the subject or to one of the observers loses packets. */
  readonly lossy: boolean;
  /** Its daemon was down before: that nobody hears it says nothing about its host. */
  readonly probesOnly: boolean;
  /** After this long without a beat no observer counts the subject as alive any more. */
  readonly longestSilence: Duration;
  /** The time between two beats of the subject. */
  readonly period: Duration;
  /** Round trip of the path to the subject, as its kernel answers, if ever measured. */
  readonly rtt: Duration | undefined;
  /** What was seen of this node's own uplink since the doubt began. */
  readonly uplink: { readonly askedAt: Instant; readonly seen: Uplink | undefined } | undefined;
}

export type Decision =
  | { readonly kind: "wait"; readonly until: Instant }
  | { readonly kind: "ask-uplink" }
  /** Too few hear nothing, and this node has no uplink: it claims nothing. */
  | { readonly kind: "isolated"; readonly detail: string }
  | { readonly kind: "link-problem"; readonly hearers: readonly NodeId[] }
  | {
      readonly kind: "down";
      readonly verdict: "host-down" | "unreachable" | "daemon-down";
      readonly why: string;
    };

/** A hearer is believed when what it heard is newer than the doubt. */
const hearsNow = (inquiry: Inquiry, observer: NodeId): boolean => {
  const testimony = inquiry.testimonies.get(observer);
  return (
    testimony?.state === "hearing" && testimony.heardAt !== undefined && testimony.heardAt > inquiry.since
  );
};

export function decide(facts: Facts): Decision {
  const { inquiry, now } = facts;
  const hearers = [...inquiry.testimonies.keys()].filter((observer) => hearsNow(inquiry, observer));
  if (hearers.length > 0) return { kind: "link-problem", hearers };

  // Asked early, so that its answer and the beat it waits for cost no time of their own.
  if (facts.uplink === undefined && !isMajority(facts) && now >= after(inquiry.since, PROBE_GRACE)) {
    return { kind: "ask-uplink" };
  }
  const waitForAnswers = answersOutstanding(facts);
  if (waitForAnswers !== undefined) return { kind: "wait", until: waitForAnswers };

  const kernel = kernelShown(facts);
  if (kernel === "refused") {
    return {
      kind: "down",
      verdict: "daemon-down",
      why: "its host refuses the connection: the kernel lives, the daemon does not",
    };
  }
  const patient = areProbesShaky(facts) || facts.probesOnly;
  const probeUntil = after(inquiry.since, patient ? LOSSY_PATIENCE : probeGrace(facts.rtt));
  if (kernel === undefined && now < probeUntil) return { kind: "wait", until: probeUntil };
  if (kernel === "accepted") {
    const hungAt = after(lastHeard(facts), MUTE_PATIENCE);
    if (now < hungAt) return { kind: "wait", until: hungAt };
    return {
      kind: "down",
      verdict: "daemon-down",
      why: "its host accepts connections but has been mute for 5 s",
    };
  }
  return silentDecision(facts);
}

/** By anyone. */
function lastHeard({ heardAt, inquiry }: Facts): Instant {
  let latest = heardAt ?? inquiry.since;
  for (const testimony of inquiry.testimonies.values())
    if (testimony.heardAt !== undefined) latest = later(latest, testimony.heardAt);
  return latest;
}

/** What the subject's kernel has answered lately, to this node or to another observer: what answers anyone lives. */
function kernelShown({ inquiry, now }: Facts): "refused" | "accepted" | undefined {
  const shown = new Set<string>(inquiry.probes.values());
  for (const { probe, at } of inquiry.testimonies.values())
    if (between(at, now) < PROBE_HOLDS) shown.add(probe);
  if (shown.has("refused")) return "refused";
  return shown.has("accepted") ? "accepted" : undefined;
}

/** Until when to wait for living observers; undefined when all have spoken or had their time. */
function answersOutstanding(facts: Facts): Instant | undefined {
  const { inquiry, now } = facts;
  const patienceEnds = after(inquiry.since, answerPatience(facts));
  let until: Instant | undefined;
  for (const observer of facts.living) {
    const testimony = inquiry.testimonies.get(observer);
    if (testimony === undefined && now < patienceEnds) {
      until = until === undefined ? patienceEnds : earlier(until, patienceEnds);
    }
    // It still counts the subject as alive, by a beat older than this doubt: its own silence runs out
    // shortly, or it hears another beat. Its next answer tells, unless that is overdue as well.
    if (testimony?.state !== "hearing" || testimony.heardAt === undefined) continue;
    const overdueAt = after(testimony.heardAt, (facts.longestSilence + ANSWER_PATIENCE) as Duration);
    if (now < overdueAt) until = later(until ?? now, earlier(overdueAt, after(now, ANSWER_PATIENCE)));
  }
  return until;
}

export function probeGrace(rtt: Duration | undefined): Duration {
  return Math.min(PROBE_GRACE + 4 * (rtt ?? 0), PROBE_GRACE_MAX) as Duration;
}

/** This many observers who hear nothing outweigh a lossy path: they do not all lose the same packets. */
const MANY_SILENT = 3;

const silentCount = ({ inquiry }: Facts): number =>
  1 + [...inquiry.testimonies.values()].filter(({ state }) => state === "silent").length;

/** More than half of the subject's observers hear nothing, and more than half of the roster is alive here. */
const isMajority = (facts: Facts): boolean =>
  2 * silentCount(facts) > facts.observers && 2 * facts.alive > facts.members;

/** Where packets get lost, a few of them must not make a verdict. */
const isShaky = (facts: Facts): boolean => facts.lossy && silentCount(facts) < MANY_SILENT;

/**
 * The same of connection attempts: that many hear no beat says nothing of the kernel, as long as their own
 * attempts may still be answered.
 */
const areProbesShaky = (facts: Facts): boolean => facts.lossy && silentProbes(facts) < MANY_SILENT;

function silentProbes({ inquiry }: Facts): number {
  const own = [...inquiry.probes.values()].includes("silent") ? 1 : 0;
  return own + [...inquiry.testimonies.values()].filter(({ probe }) => probe === "silent").length;
}

/** Short where enough have spoken, or the kernel has; longer before so few speak for themselves. */
function answerPatience(facts: Facts): Duration {
  if (kernelShown(facts) === "refused") return ANSWER_PATIENCE;
  return isShaky(facts) || !isMajority(facts) ? LOSSY_PATIENCE : ANSWER_PATIENCE;
}

/** All who answer hear nothing: enough of them to say that the host is down, or only that it cannot be reached? */
function silentDecision(facts: Facts): Decision {
  const why = `${silentCount(facts)} of ${facts.observers} observers hear nothing, ${facts.alive} of ${facts.members} nodes are alive here`;
  if (isMajority(facts)) return { kind: "down", verdict: "host-down", why };
  return doubtOneself(facts) ?? { kind: "down", verdict: "unreachable", why };
}

/** Too few agree: is it the subject, or is it this node's own network? */
function doubtOneself({ uplink, now, period }: Facts): Decision | undefined {
  if (uplink === undefined) return { kind: "ask-uplink" };
  if (uplink.seen === undefined && between(uplink.askedAt, now) < UPLINK_PATIENCE) {
    return { kind: "wait", until: after(uplink.askedAt, UPLINK_PATIENCE) };
  }
  if (uplink.seen !== undefined && !uplink.seen.up) return { kind: "isolated", detail: uplink.seen.detail };
  // Its cable may have been put back just now: then the others are heard within a beat.
  const beatDueAt = after(uplink.askedAt, (BEATS_AFTER_UPLINK * period) as Duration);
  return now < beatDueAt ? { kind: "wait", until: beatDueAt } : undefined;
}
