/** What one node holds about another: who it is, what was heard of it, and what is concluded. */
import { between, type Duration, type Instant, later, type WallTime } from "../kit/time.ts";
import {
  CLOCK_ROUND_TRIP_MAX,
  JITTER_DEVIATIONS,
  LOSSY_ABOVE,
  OVERDUE_PERIODS,
  PERIOD_LEAST,
  PERIOD_MOST,
  QUIET_DATAGRAM_SPAN,
  SILENT_PERIODS,
  STRETCH_PERIODS_MAX,
} from "./limits.ts";
import type { Beat, FarewellReason } from "./messages.ts";
import type {
  Address,
  Incarnation,
  Member,
  NodeId,
  PathKind,
  ProbeOutcome,
  RosterRank,
  Verdict,
} from "./types.ts";

/** What another observer said about a suspected subject, or that it was asked in vain. */
export interface Testimony {
  readonly state: "silent" | "hearing" | "unknown";
  /** When it was given, on our clock. */
  readonly at: Instant;
  /** When that observer last heard the subject, on our clock; undefined = never. */
  readonly heardAt: Instant | undefined;
  readonly path: PathKind;
  readonly probe: ProbeOutcome | "none";
}

/** The looking-into of a doubt. */
export interface Inquiry {
  /** When the doubt began. */
  since: Instant;
  /** `absence`: not heard for long, or never; what comes of it is at most that it is missing. */
  readonly cause: "silence" | "reset" | "absence";
  readonly testimonies: Map<NodeId, Testimony>;
  /** Probe outcomes by address. */
  readonly probes: Map<Address, ProbeOutcome>;
  nextAskAt: Instant;
  /** When a probe was last answered. */
  kernelAt: Instant | undefined;
  /** Whom this node has asked: when it will ask again, and how long it has let pass before. */
  readonly asked: Map<NodeId, { readonly again: Instant; readonly pause: Duration }>;
  /** When to probe once more, if there is reason to. */
  nextProbeAt: Instant;
  /** When the last look wanted to look again. */
  decideAt: Instant | undefined;
}

/** Another observer doubts the peer; `lasting`: this node has heard the peer since that one began to. */
export interface Doubt {
  readonly at: Instant;
  readonly lasting: boolean;
}

/** The last sign of a host's kernel. */
export interface KernelSign {
  readonly outcome: "accepted" | "refused";
  readonly at: Instant;
}

/**
 * - `unknown`: nothing heard since this node started, or since it was cut off itself; in the
 *   latter case doubted from `doubtAt` on.
 * - `alive`: heard in time.
 * - `suspect`: an inquiry is under way.
 * - `link-problem`: another observer hears it, this one does not; the inquiry goes on slowly.
 * - `down`: the verdict was reached; ends when the subject is heard. Doubted from `doubtAt` on: others
 *   hear it again.
 * - `planned`: it said goodbye at `since`; ends when a later incarnation is heard.
 */
export type Condition =
  | { readonly kind: "unknown"; readonly doubtAt?: Instant }
  | { readonly kind: "alive" }
  | { readonly kind: "suspect"; readonly inquiry: Inquiry; readonly before: Verdict }
  | { readonly kind: "link-problem"; readonly inquiry: Inquiry; resumeAt: Instant }
  | {
      readonly kind: "down";
      readonly verdict: "host-down" | "unreachable" | "daemon-down" | "missing";
      readonly incarnation: Incarnation;
      reprobeAt: Instant;
      /** The last outcomes of re-probing, by address. */
      readonly probes: Map<Address, ProbeOutcome>;
      kernel: KernelSign | undefined;
      /** The incident is yet to be entered, unless another observer does: when, and what this node saw. */
      enter: { readonly at: Instant; readonly inquiry: Inquiry } | undefined;
      /** Of one whose daemon is down: whether its host still lives. */
      inquiry: Inquiry | undefined;
      doubtAt: Instant | undefined;
    }
  | { readonly kind: "planned"; readonly incarnation: Incarnation; readonly since: Instant };

/** One address of a peer that has several, looked at now and then. */
export interface PathCheck {
  /** When to look next. */
  nextAt: Instant;
  /** Since when every look was in vain; undefined = it answered the last one. */
  silentSince: Instant | undefined;
  /** When it was last seen to answer or not to. */
  seenAt: Instant | undefined;
  /** When it answered again after it had not. */
  backAt: Instant | undefined;
}

export interface Session {
  readonly id: string;
  readonly address: Address;
  readonly since: Instant;
  readonly certificateExpires: WallTime;
  readonly certificateFlagged: boolean;
  /** When a datagram of this session last came. */
  datagramAt: Instant | undefined;
  /** When a frame last came over this session's stream. */
  streamAt: Instant;
  /** How long ago the peer had heard our datagrams, when it last said so; undefined = not at all. */
  theirDatagramAge: Duration | undefined;
}

export interface Peer {
  readonly id: NodeId;
  member: Member;
  condition: Condition;
  /** When the verdict in `condition` was reached. */
  since: WallTime;
  /** The same on the monotonic clock. */
  changedAt: Instant;
  /** It took its leave in this life, and has not been heard in a later one. */
  farewell: Incarnation | undefined;
  /** What it said was the reason for its leave; undefined = not said. */
  farewellWhy: FarewellReason | undefined;
  /** Since when its beats say that it does not hear this node; undefined while it does. */
  deafSince: Instant | undefined;
  /** Since when its beats say that it hears this node. */
  hearsSince: Instant | undefined;
  /** What is known of its addresses besides the one in use. */
  readonly paths: Map<Address, PathCheck>;
  session: Session | undefined;
  /** The last authenticated word of it, whatever the plane. */
  heardAt: Instant | undefined;
  heardWall: WallTime | undefined;
  /** Other observers who have asked about it. */
  readonly doubters: Map<NodeId, Doubt>;
  /** When so many had that they are more than half of its observers, together with this node. */
  doubtedAt: Instant | undefined;
  incarnation: Incarnation;
  boot: string | undefined;
  /** When its present life was first heard. */
  livesSince: Instant | undefined;
  /** The life in which it was first heard since its host has booted; undefined = it has not, that this node knows. */
  bootedIn: Incarnation | undefined;
  /** Its own beat period. */
  period: Duration;
  /** Share of its beats that were lost of late. */
  loss: number;
  /** Mean deviation of the time between beats from the period. */
  jitter: Duration;
  /** Beats heard since this node started; one that came over both planes counts once. */
  beatsHeard: number;
  lastBeatSeq: number;
  lastBeatAt: Instant | undefined;
  rtt: Duration | undefined;
  /** The least of it lately: without what either daemon was late, as a kernel answers. */
  rttLeast: Duration | undefined;
  clockOffset: Duration | undefined;
  /** The mean time between beats over the last few seconds. */
  beatGap: Duration | undefined;
  beatSeqOut: number;
  /** When our last few beats left, to measure the round trip. */
  beatsSent: { readonly seq: number; readonly at: Instant }[];
  channels: readonly string[];
  rosterRank: RosterRank | undefined;
  ledgerDigest: string | undefined;
  ledgerDiffersSince: Instant | undefined;
  /** When the ledgers were last found equal after a difference that had lasted. */
  ledgerAgreesSince: Instant | undefined;
  ledgerSyncAt: Instant | undefined;
  rosterAskedAt: Instant | undefined;
  dial: { at: Instant; backoff: Duration; next: number; wantedSince: Instant | undefined };
  /** Since when this node watches it; undefined = others do. */
  watchedSince: Instant | undefined;
  /** It watches this node: its last beat wanted an answer of the same pace. */
  wantsBeats: boolean;
  /** Where neither watches the other: when the next rare beat leaves. */
  quietBeatAt: Instant;
  /** Questions about others that it was asked in vain since its last word. */
  unanswered: { readonly since: Instant; readonly lastAt: Instant; readonly count: number } | undefined;
}

export function createPeer(member: Member, period: Duration, now: Instant, wall: WallTime): Peer {
  return {
    id: member.id,
    member,
    condition: { kind: "unknown" },
    since: wall,
    changedAt: now,
    farewell: undefined,
    farewellWhy: undefined,
    deafSince: undefined,
    hearsSince: undefined,
    paths: new Map(),
    session: undefined,
    heardAt: undefined,
    heardWall: undefined,
    doubters: new Map(),
    doubtedAt: undefined,
    incarnation: 0,
    boot: undefined,
    livesSince: undefined,
    bootedIn: undefined,
    period,
    loss: 0,
    jitter: 0 as Duration,
    beatsHeard: 0,
    lastBeatSeq: -1,
    lastBeatAt: undefined,
    rtt: undefined,
    rttLeast: undefined,
    clockOffset: undefined,
    beatGap: undefined,
    beatSeqOut: 0,
    beatsSent: [],
    channels: [],
    rosterRank: undefined,
    ledgerDigest: undefined,
    ledgerDiffersSince: undefined,
    ledgerAgreesSince: undefined,
    ledgerSyncAt: undefined,
    rosterAskedAt: undefined,
    dial: { at: now, backoff: 0 as Duration, next: 0, wantedSince: undefined },
    watchedSince: undefined,
    wantsBeats: false,
    quietBeatAt: now,
    unanswered: undefined,
  };
}

/** The looking-into that is under way. */
export const inquiryOf = ({ condition }: Pick<Peer, "condition">): Inquiry | undefined =>
  "inquiry" in condition ? condition.inquiry : undefined;

export function verdictOf(condition: Condition): Verdict {
  return condition.kind === "down" ? condition.verdict : condition.kind;
}

/** The probe outcome that says most about a host: refused, then accepted, then silent. */
export function strongestProbe(inquiry: Inquiry): ProbeOutcome | "none" {
  const outcomes = [...inquiry.probes.values()];
  for (const outcome of ["refused", "accepted", "silent"] as const)
    if (outcomes.includes(outcome)) return outcome;
  return "none";
}

/**
 * After this long without a word the peer is suspected: three periods, stretched by the path's jitter unless most
 * of its observers doubt it: then it is not this path.
 */
export function silenceAllowed(peer: Silence): Duration {
  const { period, jitter } = peer;
  const stretch = Math.min(JITTER_DEVIATIONS * jitter, STRETCH_PERIODS_MAX * period);
  return (SILENT_PERIODS * period + (isDoubtShared(peer) ? 0 : stretch)) as Duration;
}

/** Most observers, this node included, have heard nothing since it last did, on a path that loses no packets. */
export function isDoubtShared({ loss, heardAt, watchedSince, doubtedAt }: Omit<Silence, "jitter">): boolean {
  const heard = later(heardAt ?? NEVER, watchedSince ?? NEVER);
  return doubtedAt !== undefined && doubtedAt > heard && loss <= LOSSY_ABOVE;
}

/** This node was stopped itself: what the others said meanwhile may be over. */
export function forgetDoubts(peer: Peer): void {
  peer.doubters.clear();
  peer.doubtedAt = undefined;
}

type Silence = Pick<Peer, "period" | "jitter" | "loss" | "heardAt" | "watchedSince" | "doubtedAt">;
const NEVER = 0 as Instant;

/** The same on the worst path an observer may have. */
export const longestSilence = (peer: Peer): Duration =>
  ((SILENT_PERIODS + STRETCH_PERIODS_MAX) * peer.period) as Duration;

/** Late, though not yet suspected. `slack`: as much later may come what this node is late in reading. */
export const isOverdue = (peer: Peer, now: Instant, slack: Duration): boolean =>
  peer.condition.kind === "alive" &&
  peer.heardAt !== undefined &&
  peer.watchedSince !== undefined &&
  between(later(peer.heardAt, peer.watchedSince), now) >
    OVERDUE_PERIODS * peer.period + JITTER_DEVIATIONS * peer.jitter + slack;

/** Gain of the running means: the eighth and quarter of RFC 6298. */
const JITTER_GAIN = 0.25;
const RTT_GAIN = 0.125;
/** A path that has become longer is known as such after some twenty seconds of beats. */
const RTT_LEAST_GAIN = 0.02;
const GAP_GAIN = 0.1;
/** Slow enough that a lossy path is still known as such after a lucky second. */
const LOSS_GAIN = 0.04;
/** More missing at once than this is an outage, not loss. */
const LOSS_RUN_MAX = 2;

/** Learns from a beat: jitter, rate, round trip, clock offset, and where the peer stands. */
export function learnFromBeat(peer: Peer, beat: Beat, now: Instant, wall: WallTime): void {
  if (peer.session !== undefined) peer.session.theirDatagramAge = beat.heard as Duration | undefined;
  // The same beat may come over both planes, and late over one of them.
  const sameLife = beat.incarnation === peer.incarnation && beat.boot === peer.boot;
  if (sameLife && beat.seq <= peer.lastBeatSeq) return;
  peer.beatsHeard += 1;
  peer.period = Math.min(Math.max(beat.period, PERIOD_LEAST), PERIOD_MOST) as Duration;
  if (sameLife && isSteady(peer)) learnRhythm(peer, between(peer.lastBeatAt ?? now, now));
  if (sameLife && peer.lastBeatSeq >= 0) learnLoss(peer, beat.seq);
  const echoed = peer.beatsSent.find((sent) => sent.seq === beat.echo?.seq);
  if (beat.echo !== undefined && echoed !== undefined) {
    const sample = Math.max(0, between(echoed.at, now) - beat.echo.held);
    peer.rtt = (peer.rtt === undefined ? sample : peer.rtt + RTT_GAIN * (sample - peer.rtt)) as Duration;
    const least = peer.rttLeast ?? sample;
    peer.rttLeast = Math.min(sample, least + RTT_LEAST_GAIN * (sample - least)) as Duration;
    if (sample <= CLOCK_ROUND_TRIP_MAX) peer.clockOffset = (beat.wall + sample / 2 - wall) as Duration;
  }
  peer.lastBeatSeq = beat.seq;
  peer.lastBeatAt = now;
  if (!sameLife) peer.livesSince = now;
  if (peer.boot !== undefined && peer.boot !== beat.boot) peer.bootedIn = beat.incarnation;
  peer.boot = beat.boot;
  peer.wantsBeats = beat.quiet !== true;
  peer.channels = beat.channels ?? [];
  peer.rosterRank = beat.roster;
  peer.ledgerDigest = beat.ledger;
}

/** Its beats have come at their pace since before the last one. */
const isSteady = ({ watchedSince, lastBeatAt }: Peer): boolean =>
  watchedSince !== undefined && lastBeatAt !== undefined && lastBeatAt >= watchedSince;

/** Beats are numbered: what is missing between two was lost on the way. */
function learnLoss(peer: Peer, seq: number): void {
  const missing = seq - peer.lastBeatSeq - 1;
  if (missing > LOSS_RUN_MAX) return;
  for (let lost = 0; lost < missing; lost += 1) peer.loss += LOSS_GAIN * (1 - peer.loss);
  peer.loss -= LOSS_GAIN * peer.loss;
}

function learnRhythm(peer: Peer, gap: Duration): void {
  // The silence of an outage says nothing about the path's rhythm, nor does a beat that comes early.
  if (peer.condition.kind !== "alive" && peer.condition.kind !== "suspect") return;
  const deviation = Math.min(Math.max(0, gap - peer.period), 2 * peer.period);
  peer.jitter = (peer.jitter + JITTER_GAIN * (deviation - peer.jitter)) as Duration;
  peer.beatGap = (
    peer.beatGap === undefined ? gap : peer.beatGap + GAP_GAIN * (gap - peer.beatGap)
  ) as Duration;
}

/** A peer's datagrams have been coming within this many periods: its path is the datagram one. */
const DATAGRAM_PERIODS = 10;

export function pathOf(peer: Peer, now: Instant): PathKind {
  const session = peer.session;
  if (session === undefined) return "none";
  const span = peer.watchedSince === undefined ? QUIET_DATAGRAM_SPAN : DATAGRAM_PERIODS * peer.period;
  const fresh = session.datagramAt !== undefined && between(session.datagramAt, now) < span;
  return fresh ? "datagram" : "stream";
}

/** How long the peer's kernel takes to answer at most; the mean holds what its daemon and this one are late. */
export const kernelRoundTrip = ({ rtt, rttLeast }: Peer): Duration | undefined =>
  rtt === undefined || rttLeast === undefined ? rtt : (Math.max(rttLeast, rtt / 4) as Duration);

/** Whether the peer lately said that our datagrams reach it. */
export const datagramsPass = (peer: Peer): boolean =>
  peer.session?.theirDatagramAge !== undefined &&
  peer.session.theirDatagramAge < (getsBeats(peer) ? DATAGRAM_PERIODS * peer.period : QUIET_DATAGRAM_SPAN);

/** One of the two watches the other: beats flow. */
export const getsBeats = ({ watchedSince, wantsBeats }: Peer): boolean =>
  watchedSince !== undefined || wantsBeats;
