/** Who is said to have a wrong clock, held against the clocks. */
import { CLOCK_OFF_FROM, CLOCK_RIGHT_WITHIN } from "../../src/core/limits.ts";
import { FULL_MESH_MAX } from "../../src/core/topology.ts";
import type { Host } from "./host.ts";
import type { Arrival } from "./receiver.ts";
import type { World } from "./world.ts";

/** Clocks are compared to within a round trip. */
const TOLERANCE = 3000;
/** Nothing has happened for so long: clocks were compared, and what was found has reached everyone. */
const SETTLED = 60_000;
/** A message may wait for a channel that is broken, and be sent by a group that cannot see how it went on. */
const TOLD_LATE = 600_000;

export class ClockJudge {
  readonly #world: World;
  readonly #report: (invariant: string, detail: string) => void;
  /** When each host's clock last differed from another's by enough. */
  readonly #differedAt: number[];

  constructor(world: World, report: (invariant: string, detail: string) => void) {
    this.#world = world;
    this.#report = report;
    this.#differedAt = world.hosts.map(() => Number.NEGATIVE_INFINITY);
    world.receiver.onArrival.push((arrival) => this.#onArrival(arrival));
  }

  #onArrival({ at, notification }: Arrival): void {
    if (notification.kind !== "clock" || notification.state !== "open") return;
    for (const { id, name } of notification.subjects) {
      const host = this.#world.hosts.find((each) => each.id === id);
      if (host !== undefined && at - (this.#differedAt[host.index] ?? 0) > TOLD_LATE)
        this.#report("only a clock that is off is called so", `${name}: ${notification.title}`);
    }
  }

  look(calmFor: number): void {
    const { hosts, timeline } = this.#world;
    const running = hosts.filter((host) => host.running);
    for (const host of running) {
      const differs = running.some(
        (other) => Math.abs(other.wallOffset - host.wallOffset) > CLOCK_OFF_FROM - TOLERANCE,
      );
      if (differs) this.#differedAt[host.index] = timeline.now;
    }
    if (calmFor > SETTLED && hosts.length <= FULL_MESH_MAX)
      this.#lookAtIncidents(hosts.filter((host) => host.present));
  }

  /** Where most clocks agree, all that differ are called off by everyone, and no others. */
  #lookAtIncidents(present: readonly Host[]): void {
    const reference = majority(present);
    if (reference === undefined || present.length < 2) return;
    for (const observer of present) {
      const called = observer
        .incidentViews()
        .filter(({ kind, resolved }) => kind === "clock" && resolved === undefined)
        .map(({ subject }) => subject);
      for (const { id, name, wallOffset } of present) {
        const off = Math.abs(wallOffset - reference);
        if (off > CLOCK_OFF_FROM + TOLERANCE && !called.includes(id))
          this.#report(
            "a clock that is off is called so",
            `${observer.name} says nothing of ${name}, off by ${off} ms`,
          );
        if (off < CLOCK_RIGHT_WITHIN - TOLERANCE && called.includes(id))
          this.#report("a clock that is right is not called off", `${observer.name} calls ${name}'s off`);
      }
    }
  }
}

/** The middle of more than half of the clocks that agree; undefined where there are no so many. */
function majority(hosts: readonly Host[]): number | undefined {
  const offsets = hosts.map(({ wallOffset }) => wallOffset).sort((a, b) => a - b);
  const middle = offsets[offsets.length >> 1] ?? 0;
  const agreeing = offsets.filter((offset) => Math.abs(offset - middle) < TOLERANCE);
  return agreeing.length * 2 > offsets.length ? middle : undefined;
}
