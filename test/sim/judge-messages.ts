/** What a person was told, held against what happened. */
import type { IncidentId } from "../../src/core/types.ts";
import { DEFAULT_POLICY } from "../../src/core/types.ts";
import type { IncidentView } from "../../src/core/view.ts";
import { CHANNEL } from "./effects.ts";
import type { Host } from "./host.ts";
import type { Expectations } from "./judge.ts";
import type { Arrival } from "./receiver.ts";
import type { Truth } from "./truth.ts";
import type { World } from "./world.ts";

/** A death is told within this, of which the verdict takes its part; during an outage it waits for company. */
const TELL_BOUND = 8000;
/** Kinds that speak of a host's absence. */
const ABOUT_ABSENCE: ReadonlySet<string> = new Set(["down", "daemon-down", "missing", "flapping"]);
/** Hung: the verdict alone takes five seconds. */
const HANG_EXTRA = 7000;
const LOSSY_EXTRA = 12_000;
/** A host whose daemon was dead is looked at every other second only. */
const REPROBE_EXTRA = 4000;
/** When only some nodes have a way to the receiver, the others must fail first. */
const BROKEN_CHANNEL_EXTRA = 60_000;
/** The receiver's last word about a host that is well again is not "down", this long after calm: flapping ends after a minute. */
const RECOVERY_BOUND = 110_000;
/** Retries back off up to five minutes. */
const RETRY_BACKOFF = 310_000;
/** A second "down" about one incident is excused by more than one fault within so long before the first. */
const SINGLE_FAULT_SPAN = 20_000;

export class MessageJudge {
  /** Further "open" messages about one incident, excused or not. */
  duplicates = 0;
  /** Told again by a group that had not heard of the recovery when the others told of it. */
  contradictions = 0;
  /** Those of them that bore the id of the first: a receiver that takes a key shows them once. */
  repeats = 0;
  /** From a host's falling silent to the first message about it, where nothing else was going on. */
  readonly tellTimes: number[] = [];
  readonly #world: World;
  readonly #truth: Truth;
  readonly #expectations: Expectations;
  readonly #report: (invariant: string, detail: string) => void;
  /** Whether the one ever came to know the other in its present life. */
  readonly #knows: (observer: Host, subject: Host) => boolean;
  readonly #incidents = new Map<Host, readonly IncidentView[]>();
  readonly #opens = new Map<IncidentId, Arrival>();
  /** Incidents whose end the receiver has heard of. */
  readonly #ended = new Set<IncidentId>();
  /** What the receiver last heard about each host. */
  readonly #lastWord: ("open" | "resolved" | undefined)[];
  /** When it last heard that the host is down: a group that sees it otherwise may speak later. */
  readonly #lastOpenAt: number[];
  /** When the way from each host to the receiver last changed. */
  readonly #routeChangedAt: number[];
  readonly #routeWasUp: boolean[];

  constructor(
    world: World,
    truth: Truth,
    expectations: Expectations,
    report: (invariant: string, detail: string) => void,
    knows: (observer: Host, subject: Host) => boolean,
  ) {
    this.#knows = knows;
    this.#world = world;
    this.#truth = truth;
    this.#expectations = expectations;
    this.#report = report;
    this.#lastWord = world.hosts.map(() => undefined);
    this.#lastOpenAt = world.hosts.map(() => Number.NEGATIVE_INFINITY);
    this.#routeChangedAt = world.hosts.map(() => Number.NEGATIVE_INFINITY);
    this.#routeWasUp = world.hosts.map(() => true);
    world.receiver.onArrival.push((arrival) => this.#onArrival(arrival));
    world.onChange.push(() => this.#noteRoutes());
  }

  #onArrival(arrival: Arrival): void {
    const { notification } = arrival;
    if (this.#expectations.nothingIsTold && notification.kind !== "clock")
      this.#report("nothing is told while nobody dies", notification.title);
    if (notification.state === "note") return;
    for (const subject of notification.subjects) {
      const index = this.#world.hosts.findIndex((host) => host.id === subject.id);
      if (ABOUT_ABSENCE.has(notification.kind))
        this.#noteWord(index, notification.state, subject.incident, arrival.at);
      if (notification.state === "open") this.#onOpen(arrival, subject.incident, index);
      else if (!this.#opens.has(subject.incident))
        this.#report("every resolved pairs with an open", `${notification.title} (${subject.incident})`);
    }
  }

  #noteWord(index: number, state: "open" | "resolved", incident: IncidentId, at: number): void {
    // What was swallowed counts as not said: the sender must think so too, and takes nothing back.
    if (index < 0 || this.#world.receiver.mood !== "well") return;
    if (state === "open") this.#lastOpenAt[index] = at;
    if (state === "resolved") this.#ended.add(incident);
    else if (this.#ended.has(incident)) {
      this.contradictions += 1;
      return;
    }
    this.#lastWord[index] = state;
  }

  #onOpen(arrival: Arrival, incident: IncidentId, subject: number): void {
    const first = this.#opens.get(incident);
    if (first === undefined) {
      this.#opens.set(incident, arrival);
      this.#measure(arrival, subject);
      return;
    }
    this.duplicates += 1;
    if (first.notification.id === arrival.notification.id) this.repeats += 1;
    if (!this.#excused(first, arrival)) {
      this.#report(
        "one message an incident",
        `${arrival.notification.title}: from ${this.#world.names[first.from]} at ${first.at.toFixed(0)} ms and again from ${this.#world.names[arrival.from]}`,
      );
    }
  }

  #measure(arrival: Arrival, subject: number): void {
    const { faultTimes } = this.#world;
    const recent = faultTimes.filter((at) => arrival.at - at < SINGLE_FAULT_SPAN);
    const silentFor = this.#truth.silentFor(arrival.from, subject);
    const death = recent[0];
    if (recent.length !== 1 || death === undefined || silentFor < arrival.at - death) return;
    if (silentFor < SINGLE_FAULT_SPAN) this.tellTimes.push(silentFor);
  }

  /** When doubt remains, a duplicate beats silence: more than one fault, loss, a store or receiver in trouble. */
  #excused(first: Arrival, second: Arrival): boolean {
    const { timeline, faultTimes, receiver, hosts } = this.#world;
    const faults = faultTimes.filter((at) => at > first.at - SINGLE_FAULT_SPAN).length;
    return (
      faults > 1 ||
      timeline.now - this.#truth.lossyUntil() < SINGLE_FAULT_SPAN ||
      receiver.swallowedAt > first.at - SINGLE_FAULT_SPAN ||
      receiver.mood !== "well" ||
      hosts.some((host) => host.disk.health !== "well") ||
      !this.#hadAgreed(first.from, second.from)
    );
  }

  /** Two that could not hear one another tell twice. */
  #hadAgreed(one: number, other: number): boolean {
    return one === other || this.#truth.mutualFor(one, other) > SINGLE_FAULT_SPAN;
  }

  look(calm: number): void {
    this.#incidents.clear();
    for (const subject of this.#world.hosts) this.#lookForUntold(subject);
    if (calm < RECOVERY_BOUND) return;
    for (const subject of this.#world.hosts) this.#lookForUnresolved(subject, calm);
  }

  /** Whoever is dead for long enough has been told of, while somebody lives who knows it and has a channel. */
  #lookForUntold(subject: Host): void {
    if (this.#expectations.muted === true) return;
    if (this.#lastWord[subject.index] === "open") return;
    const { hosts } = this.#world;
    const tellers = hosts.filter((host) => host !== subject && this.#shouldHaveTold(host, subject));
    const teller = tellers[0];
    if (teller === undefined) return;
    const silentFor = this.#truth.silentFor(teller.index, subject.index);
    this.#report(
      "every death is told",
      `${subject.name} is silent to ${teller.name} for ${silentFor} ms, which has a channel, and nobody was told`,
    );
  }

  #shouldHaveTold(teller: Host, subject: Host): boolean {
    const { timeline, hosts, network } = this.#world;
    const silentFor = this.#truth.silentFor(teller.index, subject.index);
    if (silentFor < TELL_BOUND || !teller.present) return false;
    if (!this.#hasChannel(teller) || !this.#knows(teller, subject)) return false;
    const view = teller.meshView()?.nodes.find((node) => node.id === subject.id);
    // What it never knew, or took leave of, it need not tell.
    if (view === undefined || view.verdict === "planned" || view.verdict === "unknown") return false;
    const alone = hosts.every((host) => host === teller || !network.bothWays(teller.index, host.index));
    const everyoneHasChannel = hosts.every((host) => !host.present || this.#hasChannel(host));
    const bound =
      TELL_BOUND +
      this.#daemonExtra(teller, subject) +
      this.#receiverExtra() +
      (timeline.now - this.#truth.lossyUntil() < 60_000 ? LOSSY_EXTRA : 0) +
      (everyoneHasChannel || alone ? 0 : BROKEN_CHANNEL_EXTRA);
    return (
      silentFor > bound &&
      (this.#lastOpenAt[subject.index] ?? 0) < timeline.now - silentFor &&
      timeline.now - teller.changedAt > bound &&
      timeline.now - this.#channelsChangedAt() > bound &&
      !this.#toldByItsGroup(teller, subject)
    );
  }

  /** Another group may have told since that the host is back, which it is, there. */
  #toldByItsGroup(teller: Host, subject: Host): boolean {
    return this.#incidentsOf(teller).some(
      ({ id, subject: of, resolved }) => of === subject.id && resolved === undefined && this.#opens.has(id),
    );
  }

  /** A dead daemon is told after its grace; one that hangs is noticed later still. */
  #daemonExtra(teller: Host, subject: Host): number {
    const { hosts } = this.#world;
    const seesKernel = (host: Host): boolean =>
      host.present && this.#truth.kernelReachableFor(host.index, subject.index) > 0;
    const kernelAnswers = seesKernel(teller) || hosts.some((host) => host !== subject && seesKernel(host));
    if (kernelAnswers) return DEFAULT_POLICY.daemonDownGrace + HANG_EXTRA;
    // First the daemon died, later its host.
    const daemonAlone =
      this.#truth.silentFor(teller.index, subject.index) -
      this.#truth.kernelSilentFor(teller.index, subject.index);
    return Math.max(0, daemonAlone) + (daemonAlone > 1000 ? REPROBE_EXTRA : 0);
  }

  /** Senders that met a broken channel not long ago may be pausing. */
  #receiverExtra(): number {
    return this.#world.timeline.now - this.#channelsChangedAt() < RETRY_BACKOFF * 2 ? RETRY_BACKOFF : 0;
  }

  #lookForUnresolved(subject: Host, calm: number): void {
    const { hosts } = this.#world;
    if (this.#lastWord[subject.index] !== "open" || !subject.present) return;
    const others = hosts.filter(
      (host) => host !== subject && this.#hasChannel(host) && this.#knowsItWasTold(host, subject),
    );
    if (others.length === 0 || calm < RECOVERY_BOUND + this.#receiverExtra()) return;
    this.#report(
      "every recovery is told",
      `${subject.name} is back, calm for ${calm} ms, and the last word of it is "down"`,
    );
  }

  #hasChannel(host: Host): boolean {
    return this.#world.receiver.mood === "well" && this.#routeUp(host);
  }

  #routeUp(host: Host): boolean {
    return this.#world.routes[host.index] === true && this.#world.network.linkUp(host.index);
  }

  #channelsChangedAt(): number {
    return Math.max(this.#world.receiver.changedAt, ...this.#routeChangedAt);
  }

  #noteRoutes(): void {
    for (const host of this.#world.hosts) {
      const up = this.#routeUp(host);
      if (up === this.#routeWasUp[host.index]) continue;
      this.#routeWasUp[host.index] = up;
      this.#routeChangedAt[host.index] = this.#world.timeline.now;
    }
  }

  /** Its ledger says that somebody told of a death of the subject. */
  #knowsItWasTold(host: Host, subject: Host): boolean {
    if (!host.present) return false;
    return this.#incidentsOf(host).some(
      (incident) =>
        incident.subject === subject.id &&
        incident.told.some(
          ({ channel, phase, state }) => channel === CHANNEL && phase === "open" && state === "delivered",
        ),
    );
  }

  /** Costly with a long ledger: once a look. */
  #incidentsOf(host: Host): readonly IncidentView[] {
    const known = this.#incidents.get(host) ?? host.incidentViews();
    this.#incidents.set(host, known);
    return known;
  }
}
