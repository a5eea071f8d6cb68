/**
 * What is really the case, and since when: who can hear whom. The machines never
 * see it; the judge holds their verdicts against it. Random loss is left out
 * here (it only makes the judge more patient).
 */
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** A fact about an ordered pair, and when it last changed. */
interface Fact {
  holds: boolean;
  since: number;
}

const facts = (size: number): Fact[] =>
  Array.from({ length: size * size }, () => ({ holds: false, since: 0 }));

export class Truth {
  readonly #world: World;
  readonly #size: number;
  /** The subject's word can reach the observer, directly or over one other host, asked for or not. */
  readonly #audible: Fact[];
  /** Both are awake and each can reach the other. */
  readonly #mutual: Fact[];

  constructor(world: World) {
    this.#world = world;
    this.#size = world.hosts.length;
    this.#audible = facts(this.#size);
    this.#mutual = facts(this.#size);
    world.onChange.push(() => this.#refresh());
  }

  /** For how long no word of the subject can have reached the observer; 0 while one can. */
  silentFor(observer: number, subject: number): number {
    const fact = this.#at(this.#audible, observer, subject);
    return fact.holds ? 0 : this.#world.timeline.now - fact.since;
  }

  /** For how long the two have been able to talk directly. */
  mutualFor(a: number, b: number): number {
    const fact = this.#at(this.#mutual, a, b);
    return fact.holds ? this.#world.timeline.now - fact.since : 0;
  }

  /** For how long the kernel of the subject has been within the observer's reach, whatever its processes do. */
  kernelReachableFor(observer: number, subject: number): number {
    const { network, timeline } = this.#world;
    const host = this.#host(subject);
    if (!host.powered || !network.bothWays(observer, subject)) return 0;
    const since = Math.max(
      host.poweredAt,
      network.changedAt(observer, subject),
      network.changedAt(subject, observer),
    );
    return timeline.now - since;
  }

  /** For how long the subject's kernel has been out of the observer's reach. */
  kernelSilentFor(observer: number, subject: number): number {
    const { network, timeline } = this.#world;
    const host = this.#host(subject);
    const reasons: number[] = [];
    if (!host.powered) reasons.push(host.changedAt);
    if (!network.isUp(observer, subject)) reasons.push(network.changedAt(observer, subject));
    if (!network.isUp(subject, observer)) reasons.push(network.changedAt(subject, observer));
    return reasons.length === 0 ? 0 : timeline.now - Math.min(...reasons);
  }

  /**
   * Hosts that have for so long been able to hear the subject and to talk with the
   * observer; the observer itself is one. The observer's own sleep is no excuse for it.
   */
  witnesses(observer: number, subject: number, steadyFor: number): number[] {
    const { network, timeline, hosts } = this.#world;
    const limit = timeline.now - steadyFor;
    const steadyPath = (from: number, to: number): boolean =>
      network.isUp(from, to) && network.changedAt(from, to) <= limit;
    const subjectHost = this.#host(subject);
    if (!subjectHost.present || subjectHost.changedAt > limit || this.#host(observer).startedAt > limit)
      return [];
    if (steadyPath(subject, observer) && steadyPath(observer, subject)) return [observer];
    return hosts
      .filter((host) => host.index !== observer && host.index !== subject)
      .filter((host) => host.present && host.changedAt <= limit)
      .map((host) => host.index)
      .filter(
        (witness) =>
          steadyPath(subject, witness) &&
          steadyPath(witness, subject) &&
          steadyPath(witness, observer) &&
          steadyPath(observer, witness),
      );
  }

  /** The last moment at which random loss put packets of any path at risk. */
  lossyUntil(): number {
    const { network, timeline } = this.#world;
    let latest = Number.NEGATIVE_INFINITY;
    for (let from = 0; from < this.#size; from += 1) {
      for (let to = 0; to < this.#size; to += 1) {
        latest = Math.max(latest, network.lossyUntil(from, to, timeline.now));
      }
    }
    return latest;
  }

  #refresh(): void {
    const { network, hosts } = this.#world;
    for (const a of hosts) {
      for (const b of hosts) {
        if (a.index !== b.index)
          this.#set(this.#mutual, a, b, a.present && b.present && network.bothWays(a.index, b.index));
      }
    }
    for (const observer of hosts) {
      for (const subject of hosts) {
        if (observer.index !== subject.index)
          this.#set(this.#audible, observer, subject, this.#canHear(observer, subject));
      }
    }
  }

  #canHear(observer: Host, subject: Host): boolean {
    const { network, hosts } = this.#world;
    if (!subject.present) return false;
    if (network.isUp(subject.index, observer.index)) return true;
    return hosts.some(
      (other) =>
        other.present &&
        network.isUp(subject.index, other.index) &&
        network.isUp(other.index, observer.index),
    );
  }

  #set(table: Fact[], a: Host, b: Host, holds: boolean): void {
    const fact = this.#at(table, a.index, b.index);
    if (fact.holds === holds) return;
    fact.holds = holds;
    fact.since = this.#world.timeline.now;
  }

  #at(table: Fact[], a: number, b: number): Fact {
    return table[a * this.#size + b] as Fact;
  }

  #host(index: number): Host {
    return this.#world.hosts[index] as Host;
  }
}
