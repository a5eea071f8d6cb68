/** Who is told of a death is told what the host last felt, by whoever had heard it until then. */
import { arrange, neighboursOf } from "../../src/core/topology.ts";
import type { NodeId } from "../../src/core/types.ts";
import type { Host } from "./host.ts";
import type { Arrival } from "./receiver.ts";
import { SENSE_EVERY } from "./sensors.ts";
import type { Truth } from "./truth.ts";
import { MESH, type World } from "./world.ts";

/** Two that have heard one another for so long have exchanged a table, and values after it. */
const ACQUAINTANCE = 3 * SENSE_EVERY;
/** What a message says may be older than the last pass by what the stream was late, and a second look. */
const LATE = 3000;
/** Readings are told of a death that was told soon. */
const TOLD_SOON = 20_000;
/** A node whose clock is off goes by the others' time to within so much. */
const TIME_DRIFT = 2000;
/** Streams lag behind while packets are lost. */
const LOSSY_FOR = 60_000;

/** When two were last well acquainted, and what makes a later comparison of clocks and lives possible. */
interface Acquainted {
  readonly at: number;
  readonly lives: string;
  /** The time that the observer went by, minus the virtual one. */
  readonly timeOffset: number;
}

export class ReadingsJudge {
  /** Messages about a death whose readings were looked at. */
  looked = 0;
  readonly #world: World;
  readonly #truth: Truth;
  readonly #report: (invariant: string, detail: string) => void;
  /** By host: whom it watches while all are present. In a large mesh it knows the others' readings from hearsay. */
  readonly #watched: readonly ReadonlySet<NodeId>[];
  readonly #acquainted = new Map<string, Acquainted>();

  constructor(world: World, truth: Truth, report: (invariant: string, detail: string) => void) {
    this.#world = world;
    this.#truth = truth;
    this.#report = report;
    const ids = world.hosts.map(({ id }) => id);
    const topology = arrange(MESH, ids);
    this.#watched = ids.map((id) => neighboursOf(topology, id, () => true));
    world.receiver.onArrival.push((arrival) => this.#onArrival(arrival));
  }

  look(): void {
    const { hosts, timeline } = this.#world;
    for (const observer of hosts) {
      const timeOffset = observer.nodeWall - timeline.now;
      for (const subject of hosts) {
        if (this.#truth.mutualFor(observer.index, subject.index) < ACQUAINTANCE) continue;
        const lives = livesOf(observer, subject);
        this.#acquainted.set(keyOf(observer, subject), { at: timeline.now, lives, timeOffset });
      }
    }
  }

  #onArrival({ at, from, notification }: Arrival): void {
    const observer = this.#world.hosts[from];
    if (observer === undefined || notification.state !== "open") return;
    if (at - this.#truth.lossyUntil() < LOSSY_FOR) return;
    for (const { id, kind, readings } of notification.subjects) {
      const subject = this.#world.hosts.find((host) => host.id === id);
      if (subject === undefined || kind !== "down" || !this.#shouldKnow(observer, subject, at)) continue;
      this.looked += 1;
      const silentSince = observer.nodeWall - this.#truth.silentFor(from, subject.index);
      const newest = Math.max(...(readings ?? []).map((reading) => Date.parse(reading.at ?? "")));
      if (newest >= silentSince - SENSE_EVERY - LATE) continue;
      const age = Number.isFinite(newest) ? `${Math.round(silentSince - newest)} ms old` : "absent";
      this.#report(
        "a death is told with what the host last felt",
        `${observer.name} heard ${subject.name} until it died, whose readings are ${age}: ${notification.title}`,
      );
    }
  }

  /** They heard one another until the subject fell silent, and it has not come back since. */
  #shouldKnow(observer: Host, subject: Host, at: number): boolean {
    const silentFor = this.#truth.silentFor(observer.index, subject.index);
    const known = this.#acquainted.get(keyOf(observer, subject));
    return (
      known !== undefined &&
      this.#watched[observer.index]?.has(subject.id) === true &&
      silentFor > 0 &&
      silentFor < TOLD_SOON &&
      known.at > at - silentFor - (2 * LATE) / 3 &&
      known.lives === livesOf(observer, subject) &&
      Math.abs(known.timeOffset - (observer.nodeWall - at)) < TIME_DRIFT
    );
  }
}

const keyOf = (observer: Host, subject: Host): string => `${observer.index}>${subject.index}`;
const livesOf = (observer: Host, subject: Host): string => `${observer.life} ${subject.life}`;
