/** Who can reach whom, how fast and how surely. Hosts are numbered from 0. */
import type { Random } from "../../src/kit/random.ts";
import { uniform } from "./seeds.ts";

/** One way through a switch, in milliseconds. */
const LEG_MIN = 0.1;
const LEG_MAX = 0.9;

interface Path {
  readonly base: number;
  /** Fault on this direction of this pair alone. */
  cut: boolean;
  loss: number;
  /** Each packet takes up to this much longer. */
  jitter: number;
  /** By network: whether packets pass there. */
  readonly lanes: boolean[];
  /** Packets pass on one of them. */
  up: boolean;
  /** When `up` last changed. */
  changedAt: number;
  /** When packets were last at risk on it; -Infinity = never. */
  lossyUntil: number;
}

export class Network {
  readonly #size: number;
  readonly #random: Random;
  readonly #paths: Path[] = [];
  /** By network, then by host: its cable there is connected. */
  readonly #links: boolean[][];
  /** Networks that carry anything at all. */
  readonly #networks: boolean[];
  #groups: number[];

  /** Every host has a cable in each of so many networks. */
  constructor(size: number, random: Random, networks = 1) {
    this.#size = size;
    this.#random = random;
    this.#networks = Array.from({ length: networks }, () => true);
    this.#links = this.#networks.map(() => Array.from({ length: size }, () => true));
    this.#groups = Array.from({ length: size }, () => 0);
    for (let index = 0; index < size * size; index += 1) {
      this.#paths.push({
        base: uniform(random, LEG_MIN, LEG_MAX),
        cut: false,
        loss: 0,
        jitter: 0.2,
        lanes: this.#networks.map(() => true),
        up: true,
        changedAt: 0,
        lossyUntil: Number.NEGATIVE_INFINITY,
      });
    }
  }

  isUp(from: number, to: number): boolean {
    return this.#path(from, to).up;
  }

  /** On one network at least. */
  bothWays(a: number, b: number): boolean {
    const there = this.#path(a, b).lanes;
    const back = this.#path(b, a).lanes;
    return there.some((up, network) => up && back[network] === true);
  }

  linkUp(host: number): boolean {
    return this.#links.some((links) => links[host] === true);
  }

  /** Since when this direction has been as it is. */
  changedAt(from: number, to: number): number {
    return this.#path(from, to).changedAt;
  }

  /** The last moment at which a packet on it was at risk of random loss. */
  lossyUntil(from: number, to: number, now: number): number {
    const path = this.#path(from, to);
    return path.loss > 0 ? now : path.lossyUntil;
  }

  /** How long one packet takes. */
  leg(from: number, to: number): number {
    const path = this.#path(from, to);
    return path.base + this.#random.next() * path.jitter;
  }

  /** Whether one packet sent now on that network does not arrive. */
  loses(from: number, to: number, network: number): boolean {
    const path = this.#path(from, to);
    if (path.lanes[network] !== true) return true;
    return path.loss > 0 && this.#random.next() < path.loss;
  }

  /** Its cables in all networks, or in one. */
  setLink(now: number, host: number, up: boolean, network?: number): void {
    this.#links.forEach((links, each) => {
      if (network === undefined || network === each) links[host] = up;
    });
    this.#recompute(now);
  }

  /** The network's switch; the hosts' cables keep their carrier. */
  setNetwork(now: number, network: number, up: boolean): void {
    this.#networks[network] = up;
    this.#recompute(now);
  }

  setCut(now: number, from: number, to: number, cut: boolean): void {
    this.#path(from, to).cut = cut;
    this.#recompute(now);
  }

  /** Hosts not named form a group of their own together. */
  partition(now: number, groups: readonly (readonly number[])[]): void {
    this.#groups = this.#groups.map((_, host) => groups.findIndex((group) => group.includes(host)));
    this.#recompute(now);
  }

  heal(now: number): void {
    this.#groups = this.#groups.map(() => 0);
    this.#recompute(now);
  }

  setQuality(now: number, from: number, to: number, loss: number, jitter: number): void {
    const path = this.#path(from, to);
    if (path.loss > 0) path.lossyUntil = now;
    path.loss = loss;
    path.jitter = jitter;
  }

  #recompute(now: number): void {
    for (let from = 0; from < this.#size; from += 1) {
      for (let to = 0; to < this.#size; to += 1) {
        const path = this.#path(from, to);
        const sameGroup = this.#groups[from] === this.#groups[to];
        this.#links.forEach((links, network) => {
          const wired = links[from] === true && links[to] === true && this.#networks[network] === true;
          path.lanes[network] = wired && sameGroup && !path.cut;
        });
        const up = path.lanes.includes(true);
        if (up === path.up) continue;
        path.up = up;
        path.changedAt = now;
      }
    }
  }

  #path(from: number, to: number): Path {
    return this.#paths[from * this.#size + to] as Path;
  }
}
