/** One simulated machine with its daemon: power, process, clocks, and the queue of what it has yet to be told. */
import type { Birth, Effect, Env, Input, SingleInput, Stored } from "../../src/core/io.ts";
import type { Address, NodeId } from "../../src/core/types.ts";
import type { IncidentView, MeshView } from "../../src/core/view.ts";
import type { Random } from "../../src/kit/random.ts";
import { instant, wallTime } from "../../src/kit/time.ts";
import type { Disk } from "./disk.ts";
import type { Machine } from "./machine.ts";
import { chance, uniform } from "./seeds.ts";
import type { Timeline } from "./timeline.ts";

/** Datagrams that a stopped process's socket holds: net.core.rmem_default over a beat's share of it. */
const SOCKET_BUFFER_DATAGRAMS = 250;
/** Timers of a real loop fire up to this late. */
const TIMER_LATENESS = 1.3;
/** More wakes than this within a second of virtual time is a machine that spins. */
const WAKES_PER_SECOND_MAX = 600;
/** 2026-01-01T00:00:00Z: where every wall clock begins. */
export const WALL_ORIGIN = 1_767_225_600_000;

export interface HostParts {
  readonly index: number;
  readonly id: NodeId;
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly timeline: Timeline;
  readonly random: Random;
  readonly machine: Machine;
  readonly disk: Disk;
  readonly birth: (host: Host, stored: readonly Stored[]) => Birth;
  readonly perform: (host: Host, effects: readonly Effect[]) => void;
  readonly traceInput: (host: Host, input: SingleInput) => void;
  readonly onBug: (host: Host, error: unknown) => void;
}

export class Host {
  readonly index: number;
  readonly id: NodeId;
  readonly name: string;
  /** One for each network. */
  readonly addresses: readonly Address[];
  readonly random: Random;
  readonly disk: Disk;
  powered = false;
  running = false;
  paused = false;
  /** Was told to stop, and is about to end. */
  leaving = false;
  life = 0;
  boots = 0;
  /** When power, process or pause last changed. */
  changedAt = 0;
  startedAt = 0;
  poweredAt = 0;
  wallOffset = 0;
  storeTrouble = false;
  steps = 0;
  readonly #parts: HostParts;
  readonly #timeline: Timeline;
  readonly #machine: Machine;
  #state: unknown;
  /** What was asked of the present state: judges ask again and again. */
  #viewed: { readonly wall: number; readonly view: MeshView } | undefined;
  #incidentsViewed: readonly IncidentView[] | undefined;
  #origin = 0;
  #waiting: { readonly kind: "datagram" | "stream"; readonly action: () => void }[] = [];
  #datagramsWaiting = 0;
  #wakeAt: number | undefined;
  readonly #inputs: Input[] = [];
  /** What is taken in together, while a process that was stopped reads its sockets. */
  #gathering: SingleInput[] | undefined;
  #stepping = false;
  #wakesThisSecond = { second: -1, count: 0 };

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.index = parts.index;
    this.id = parts.id;
    this.name = parts.name;
    this.addresses = parts.addresses;
    this.random = parts.random;
    this.disk = parts.disk;
    this.#timeline = parts.timeline;
    this.#machine = parts.machine;
  }

  get boot(): string {
    return `${this.name}-boot-${this.boots}`;
  }

  get wall(): number {
    return WALL_ORIGIN + this.#timeline.now + this.wallOffset;
  }

  /** The time its node goes by, which is not its clock's while that one is off. */
  get nodeWall(): number {
    return this.meshView()?.at ?? this.wall;
  }

  get awake(): boolean {
    return this.running && !this.paused;
  }

  /** Awake and not taking its leave: its word can be counted on. */
  get present(): boolean {
    return this.awake && !this.leaving;
  }

  env(): Env {
    return {
      now: instant(this.#timeline.now - this.#origin),
      wall: wallTime(Math.floor(this.wall)),
      random: this.random,
    };
  }

  meshView(): MeshView | undefined {
    if (!this.running) return undefined;
    const { wall } = this;
    if (this.#viewed?.wall !== wall)
      this.#viewed = { wall, view: this.#machine.meshView(this.#state, this.env()) };
    return this.#viewed.view;
  }

  incidentViews(): readonly IncidentView[] {
    if (!this.running) return [];
    this.#incidentsViewed ??= this.#machine.incidentViews(this.#state);
    return this.#incidentsViewed;
  }

  #become(state: unknown): void {
    this.#state = state;
    this.#viewed = undefined;
    this.#incidentsViewed = undefined;
  }

  powerOn(): void {
    if (this.powered) return;
    this.powered = true;
    this.boots += 1;
    this.poweredAt = this.#timeline.now;
    this.#origin = this.#timeline.now - uniform(this.random, 0, 20_000);
    this.start();
  }

  powerOff(): void {
    this.end();
    this.powered = false;
    this.changedAt = this.#timeline.now;
  }

  start(): void {
    if (!this.powered || this.running) return;
    this.running = true;
    this.paused = false;
    this.leaving = false;
    this.life += 1;
    this.changedAt = this.#timeline.now;
    this.startedAt = this.#timeline.now;
    this.storeTrouble = false;
    const { life } = this;
    this.disk.load((stored) => {
      if (this.life === life && this.running) this.#begin(stored);
    });
  }

  #begin(stored: readonly Stored[]): void {
    this.#stepping = true;
    this.#guarded(() => {
      const step = this.#machine.init(this.#parts.birth(this, stored), this.env());
      this.#become(step.state);
      this.#parts.perform(this, step.effects);
    });
    this.#stepping = false;
    this.give({ type: "wake" });
  }

  /** The process is gone between two instructions: nothing queued survives it. */
  end(): void {
    if (!this.running) return;
    this.running = false;
    this.paused = false;
    this.changedAt = this.#timeline.now;
    this.#become(undefined);
    this.#waiting = [];
    this.#gathering = undefined;
    this.#datagramsWaiting = 0;
    this.#wakeAt = undefined;
    this.disk.crash();
  }

  leave(): void {
    this.leaving = true;
    this.changedAt = this.#timeline.now;
  }

  pause(): void {
    if (!this.running || this.paused) return;
    this.paused = true;
    this.changedAt = this.#timeline.now;
  }

  /** A real loop takes what waited in its sockets all at once, or some of it at a time, before it looks at its timers. */
  resume(): void {
    if (!this.running || !this.paused) return;
    this.paused = false;
    this.changedAt = this.#timeline.now;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#datagramsWaiting = 0;
    const { life } = this;
    const gathered: SingleInput[] = [];
    if (chance(this.random, 0.5)) this.#gathering = gathered;
    for (const { action } of waiting) {
      if (this.life === life && this.running) action();
    }
    this.#gathering = undefined;
    if (this.life !== life) return;
    if (gathered.length > 0) this.#take({ type: "together", inputs: gathered });
    this.#wakeIfDue();
  }

  whenAwake(kind: "datagram" | "stream", action: () => void): void {
    if (!this.running) return;
    if (!this.paused) {
      action();
      return;
    }
    if (kind === "datagram") {
      if (this.#datagramsWaiting >= SOCKET_BUFFER_DATAGRAMS) return;
      this.#datagramsWaiting += 1;
    }
    this.#waiting.push({ kind, action });
  }

  /** For what comes back from outside to the process that asked: its later lives know nothing of it. */
  whenAwakeInLife(life: number, action: () => void): void {
    if (this.life === life) this.whenAwake("stream", action);
  }

  give(input: SingleInput): void {
    if (!this.running) return;
    if (this.#gathering === undefined) this.#take(input);
    else this.#gathering.push(input);
  }

  /** One step at a time: what an effect brings about at once waits until the step is over. */
  #take(input: Input): void {
    this.#inputs.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    const { life } = this;
    this.#guarded(() => {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        if (this.life === life && this.running) this.#step(next);
      }
      if (this.life === life) this.#arm();
    });
    this.#stepping = false;
  }

  #step(input: Input): void {
    this.steps += 1;
    for (const each of input.type === "together" ? input.inputs : [input]) this.#parts.traceInput(this, each);
    const step = this.#machine.step(this.#state, input, this.env());
    this.#become(step.state);
    this.#parts.perform(this, step.effects);
  }

  #wakeIfDue(): void {
    if (!this.awake) return;
    const wakeAt = this.#machine.nextWakeAt(this.#state);
    if (wakeAt !== undefined && wakeAt + this.#origin <= this.#timeline.now) this.#wake();
    else this.#arm();
  }

  #wake(): void {
    const second = Math.floor(this.#timeline.now / 1000);
    if (this.#wakesThisSecond.second !== second) this.#wakesThisSecond = { second, count: 0 };
    this.#wakesThisSecond.count += 1;
    if (this.#wakesThisSecond.count > WAKES_PER_SECOND_MAX) {
      this.#parts.onBug(this, new Error(`woken ${WAKES_PER_SECOND_MAX} times within one second`));
    }
    this.give({ type: "wake" });
  }

  /** One timer, as in the daemon; it is moved only when an earlier deadline appears. */
  #arm(): void {
    if (!this.awake) return;
    const wakeAt = this.#machine.nextWakeAt(this.#state);
    if (wakeAt === undefined) return;
    const due = Math.max(this.#timeline.now, wakeAt + this.#origin);
    if (this.#wakeAt !== undefined && this.#wakeAt <= due + TIMER_LATENESS) return;
    const at = due + this.random.next() * TIMER_LATENESS;
    this.#wakeAt = at;
    const { life } = this;
    this.#timeline.schedule(at, () => {
      if (this.life !== life || this.#wakeAt !== at) return;
      this.#wakeAt = undefined;
      this.#wakeIfDue();
    });
  }

  /** The core throws only on a broken invariant; then the process ends, as the real one would. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#parts.onBug(this, error);
    }
  }
}
