/**
 * The invariants: what must never happen, whatever the schedule. Verdicts are
 * judged when they fall; what is owed to a person is looked at every second.
 */
import type { Notice } from "../../src/core/io.ts";
import type { Verdict } from "../../src/core/types.ts";
import type { Host } from "./host.ts";
import { ClockJudge } from "./judge-clocks.ts";
import { MessageJudge } from "./judge-messages.ts";
import { ReadingsJudge } from "./judge-readings.ts";
import { Truth } from "./truth.ts";
import type { World } from "./world.ts";

export interface Violation {
  readonly at: number;
  readonly invariant: string;
  readonly detail: string;
}

export interface Expectations {
  /** Only loss, short pauses and clock steps: nobody dies, so nothing may be told. */
  readonly nothingIsTold: boolean;
  /** Somebody asked not to be told of some things: a death that is not told is no fault. */
  readonly muted?: boolean;
  /** Hosts have sensors. */
  readonly sensors?: boolean;
}

const DOWN: ReadonlySet<Verdict> = new Set(["host-down", "unreachable", "daemon-down"]);
const LOOK_EVERY = 1000;

/** From a subject's being well to the last moment at which an older doubt may still end in a verdict. */
const FRESH_MARGIN = 2500;
/** A verdict that only changes its kind may come from a node that has no session with it again yet. */
const STALE_MARGIN = 8000;
/** While packets are lost at random, and for as long after. */
const LOSSY_MARGIN = 10_000;
/** A true death has its verdict within this; a hung daemon takes `HANG_BOUND`. */
const DEATH_BOUND = 3000;
const HANG_BOUND = 9000;
const LOSSY_EXTRA = 6000;
/** A verdict that others contradict is looked into for rounds of a second before it falls again. */
const DOUBT_AGAIN = 3000;
/** A node that has just started must have been able to learn of the others before it is expected to judge. */
const ACQUAINTANCE = 8000;
/** All hear one another and nothing has happened for so long: the ledgers are equal, nobody is thought dead. */
const CALM_BOUND = 15_000;
const LOSSY_CALM_BOUND = 40_000;

export class Judge {
  readonly violations: Violation[] = [];
  readonly counts: { verdicts: number; down: number; looks: number } = { verdicts: 0, down: 0, looks: 0 };
  readonly messages: MessageJudge;
  readonly readings: ReadingsJudge | undefined;
  readonly #clocks: ClockJudge;
  readonly #world: World;
  readonly #truth: Truth;
  /** The highest incarnation each host has ever put into a beat. */
  readonly #incarnations = new Map<number, number>();
  /** Hosts whose disk has failed or dawdled: what they promised may be forgotten. */
  readonly #diskTrouble = new Set<number>();
  readonly #digests: (string | undefined)[];
  #equalAt = 0;
  /** `observer>subject` to the life of the observer in which it came to know the subject; forgotten when it was cut off. */
  readonly #acquainted = new Map<string, number>();
  /** When the observer was last seen to hold the subject for down, or had no reason to. */
  readonly #settledAt = new Map<string, number>();

  constructor(world: World, expectations: Expectations) {
    this.#world = world;
    this.#truth = new Truth(world);
    this.#digests = world.hosts.map(() => undefined);
    const report = (invariant: string, detail: string): void => this.#report(invariant, detail);
    const knows = (observer: Host, subject: Host): boolean => this.#knows(observer, subject);
    this.messages = new MessageJudge(world, this.#truth, expectations, report, knows);
    this.readings = expectations.sensors === true ? new ReadingsJudge(world, this.#truth, report) : undefined;
    this.#clocks = new ClockJudge(world, report);
    world.onNotice.push((host, notice) => this.#onNotice(host, notice));
    world.meter.onSend.push((from, _plane, envelope) => {
      const { message } = envelope;
      if (message.t !== "beat") return;
      this.#digests[from] = message.ledger;
      this.#checkIncarnation(from, message.incarnation);
    });
    this.#lookRepeatedly();
  }

  #report(invariant: string, detail: string): void {
    const { timeline, trace } = this.#world;
    this.violations.push({ at: timeline.now, invariant, detail });
    trace.telling(timeline.now, `VIOLATION ${invariant}: ${detail}`);
    timeline.halt();
  }

  #onNotice(host: Host, notice: Notice): void {
    if (notice.type === "isolated" && notice.isolated) {
      for (const subject of this.#world.hosts) this.#acquainted.delete(`${host.index}>${subject.index}`);
    }
    if (notice.type !== "verdict") return;
    this.counts.verdicts += 1;
    if (!DOWN.has(notice.to) && notice.to !== "missing") return;
    this.counts.down += 1;
    const subject = this.#world.hosts.find((each) => each.id === notice.subject);
    if (subject !== undefined) this.#checkDown(host, subject, notice.from, notice.to);
  }

  /** No verdict "down" while somebody who can tell the observer hears the subject. */
  #checkDown(observer: Host, subject: Host, from: Verdict, to: Verdict): void {
    const margin = this.#lossy() ? LOSSY_MARGIN : DOWN.has(from) ? STALE_MARGIN : FRESH_MARGIN;
    const witnesses = this.#truth.witnesses(observer.index, subject.index, margin);
    if (witnesses.length > 0) {
      const names = witnesses.map((index) => this.#world.names[index]).join(", ");
      this.#report(
        "no false death",
        `${observer.name} holds ${subject.name} for ${to}, which ${names} can have heard for ${margin} ms`,
      );
      return;
    }
    if (this.#lossy()) return;
    const kernelFor = this.#truth.kernelReachableFor(observer.index, subject.index);
    if (to === "host-down" && kernelFor > margin) {
      this.#report(
        "a host with a kernel is not down",
        `${observer.name} holds ${subject.name} for host-down, whose kernel it can reach since ${kernelFor} ms`,
      );
    }
    const silentFor = Math.min(
      ...this.#askable(observer, subject).map((host) => this.#kernelSilentFor(host, subject)),
    );
    if (to === "daemon-down" && silentFor > margin) {
      this.#report(
        "a dead host is more than a dead daemon",
        `${observer.name} holds ${subject.name} for daemon-down, whose host is silent since ${silentFor} ms`,
      );
    }
  }

  /** The observer, and whoever can tell it what a probe of the subject showed. */
  #askable(observer: Host, subject: Host): Host[] {
    return this.#world.hosts.filter(
      (host) =>
        host === observer ||
        (host !== subject && host.present && this.#world.network.bothWays(observer.index, host.index)),
    );
  }

  #kernelSilentFor(observer: Host, subject: Host): number {
    return this.#truth.kernelSilentFor(observer.index, subject.index);
  }

  #checkIncarnation(host: number, incarnation: number): void {
    const highest = this.#incarnations.get(host) ?? 0;
    if (incarnation >= highest) {
      this.#incarnations.set(host, incarnation);
    } else if (!this.#diskTrouble.has(host)) {
      this.#report(
        "incarnations never go back",
        `${this.#world.names[host]} beats with ${incarnation} after ${highest}`,
      );
    }
  }

  #lossy(): boolean {
    return this.#world.timeline.now - this.#truth.lossyUntil() < LOSSY_MARGIN;
  }

  #lookRepeatedly(): void {
    this.#world.timeline.in(LOOK_EVERY, () => {
      this.#look();
      this.#lookRepeatedly();
    });
  }

  #look(): void {
    this.counts.looks += 1;
    for (const bug of this.#world.bugs)
      this.#report("the core never breaks an invariant of its own", `${bug.host}: ${String(bug.error)}`);
    const refusal = this.#world.meter.refusals[0];
    if (refusal !== undefined) this.#report("the codec carries every message", refusal);
    for (const host of this.#world.hosts) if (host.disk.health !== "well") this.#diskTrouble.add(host.index);
    for (const host of this.#world.hosts) if (host.present) this.#lookAtViews(host);
    this.#lookAtLedgers();
    this.messages.look(this.#calmFor());
    this.readings?.look();
    this.#clocks.look(this.#calmFor());
  }

  #lookAtViews(observer: Host): void {
    const view = observer.meshView();
    if (view === undefined) return;
    for (const subject of this.#world.hosts) {
      const seen = view.nodes.find((node) => node.id === subject.id);
      if (seen === undefined) {
        this.#report("known members never vanish", `${observer.name} does not list ${subject.name}`);
        return;
      }
      if (subject !== observer) this.#lookAtVerdict(observer, subject, seen.verdict);
    }
  }

  #lookAtVerdict(observer: Host, subject: Host, verdict: Verdict): void {
    const { index: o } = observer;
    const { index: s } = subject;
    const pair = `${o}>${s}`;
    if (this.#truth.mutualFor(o, s) > ACQUAINTANCE) this.#acquainted.set(pair, observer.life);
    this.#lookForMissedDeath(observer, subject, verdict);
    const calm = this.#calmFor();
    const bound = this.#wasLossyWithin(LOSSY_CALM_BOUND) ? LOSSY_CALM_BOUND : CALM_BOUND;
    if (calm > bound && this.#truth.mutualFor(o, s) > bound && verdict !== "alive" && verdict !== "suspect") {
      this.#report(
        "whoever is back is seen",
        `${observer.name} holds ${subject.name} for ${verdict} after ${calm} ms of calm`,
      );
    }
  }

  /**
   * Every true death gets its verdict from whoever knew the subject and is not cut off
   * itself. A verdict may be doubted again for as long as reaching it took.
   */
  #lookForMissedDeath(observer: Host, subject: Host, verdict: Verdict): void {
    const { timeline, network } = this.#world;
    const pair = `${observer.index}>${subject.index}`;
    const silentFor = this.#truth.silentFor(observer.index, subject.index);
    const excused = !this.#knows(observer, subject) || silentFor === 0 || !network.linkUp(observer.index);
    if (excused || verdict === "planned" || verdict === "missing" || DOWN.has(verdict)) {
      this.#settledAt.set(pair, timeline.now);
      return;
    }
    const settledAt = this.#settledAt.get(pair) ?? 0;
    const doubtedAgain = settledAt > timeline.now - silentFor;
    const bound = this.#deathBound(observer, subject) + (doubtedAgain ? DOUBT_AGAIN : 0);
    const since = Math.max(settledAt, observer.changedAt, timeline.now - this.#deadFor(observer, subject));
    if (timeline.now - since < bound) return;
    this.#report(
      "every death is noticed",
      `${observer.name} holds ${subject.name} for ${verdict}, silent for ${Math.round(silentFor)} ms`,
    );
  }

  /** In its present way: a daemon may have hung before its host died as well. */
  #deadFor(observer: Host, subject: Host): number {
    const silentFor = this.#truth.silentFor(observer.index, subject.index);
    const kernelSilentFor = this.#truth.kernelSilentFor(observer.index, subject.index);
    return kernelSilentFor > 0 ? Math.min(silentFor, kernelSilentFor) : silentFor;
  }

  #knows(observer: Host, subject: Host): boolean {
    return this.#acquainted.get(`${observer.index}>${subject.index}`) === observer.life;
  }

  #deathBound(observer: Host, subject: Host): number {
    const kernelAnswers = this.#askable(observer, subject).some(
      (host) => this.#truth.kernelReachableFor(host.index, subject.index) > 0,
    );
    const bound = kernelAnswers ? HANG_BOUND : DEATH_BOUND;
    return this.#lossy() ? bound + LOSSY_EXTRA : bound;
  }

  #wasLossyWithin(span: number): boolean {
    return this.#world.timeline.now - this.#truth.lossyUntil() < span;
  }

  /** For how long no fault has come; 0 while any two awake hosts cannot talk, or packets are lost. */
  #calmFor(): number {
    const { timeline, hosts, faultTimes } = this.#world;
    const quietFor = timeline.now - (faultTimes.at(-1) ?? 0);
    let calm = Math.min(quietFor, timeline.now - this.#truth.lossyUntil());
    for (const a of hosts) {
      if (a.running && a.paused) return 0;
      for (const b of hosts) {
        if (a !== b && a.present && b.present) calm = Math.min(calm, this.#truth.mutualFor(a.index, b.index));
      }
    }
    return calm;
  }

  /** They converge whenever the network is whole; a record in flight may differ for a moment. */
  #lookAtLedgers(): void {
    const { timeline, hosts } = this.#world;
    const digests = new Set(hosts.filter((host) => host.present).map((host) => this.#digests[host.index]));
    if (digests.size <= 1) this.#equalAt = timeline.now;
    const calm = this.#calmFor();
    const bound = this.#wasLossyWithin(LOSSY_CALM_BOUND) ? LOSSY_CALM_BOUND : CALM_BOUND;
    // Nodes that have not found one another are reported as that.
    if (calm < bound + LOOK_EVERY * 2 || timeline.now - this.#equalAt < bound) return;
    const listed = hosts.map((host) => `${host.name}=${this.#digests[host.index] ?? "-"}`).join(" ");
    this.#report("ledgers become equal", `after ${calm} ms of calm: ${listed}`);
  }
}
