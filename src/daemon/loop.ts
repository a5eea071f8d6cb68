/** One queue, one step at a time, one timer: the core's only contact with the world. */
import type { Effect, Env, Input, SingleInput, Step } from "../core/io.ts";
import { type NodeState, nextWakeAt, step } from "../core/node.ts";
import { between, type Duration } from "../kit/time.ts";

/** Inputs that are taken in together at most: what they bring about is not to wait for ever. */
const TOGETHER_MAX = 256;
/** Inputs that may wait while one is worked on; more means that the host cannot keep up. */
const QUEUE_MAX = 20_000;

export interface LoopOptions {
  readonly first: Step<NodeState>;
  readonly env: () => Env;
  readonly perform: (effect: Effect) => void;
  /** The core was woken this much later than it wanted. */
  readonly onWake?: (late: Duration) => void;
  /** Inputs were dropped because the queue was full. */
  readonly onOverload: (dropped: number) => void;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #queue: SingleInput[] = [];
  #state: NodeState;
  #running = false;
  #closed = false;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt: number | undefined;
  #soon: NodeJS.Immediate | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#state = options.first.state;
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Performs what `init` wanted and begins to keep time. */
  start(): void {
    this.#running = true;
    for (const effect of this.#options.first.effects) this.#options.perform(effect);
    this.#running = false;
    this.#drain();
  }

  /**
   * A process that was kept waiting finds its timers due before it has read what arrived meanwhile. So peers' words
   * and deadlines are gathered until the sockets have been read, and anything else at once takes them along.
   */
  push(input: SingleInput): void {
    if (this.#closed) return;
    if (this.#queue.length >= QUEUE_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(input);
    if (this.#running) return;
    if (input.type === "received" || input.type === "wake") this.#soon ??= setImmediate(() => this.#drain());
    else this.#drain();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
  }

  #drain(): void {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    this.#running = true;
    while (this.#queue.length > 0) {
      const inputs = this.#queue.splice(0, TOGETHER_MAX);
      const input: Input = inputs.length === 1 && inputs[0] ? inputs[0] : { type: "together", inputs };
      const { state, effects } = step(this.#state, input, this.#options.env());
      this.#state = state;
      for (const effect of effects) this.#options.perform(effect);
    }
    this.#running = false;
    if (this.#dropped > 0) {
      this.#options.onOverload(this.#dropped);
      this.#dropped = 0;
    }
    this.#setTimer();
  }

  #setTimer(): void {
    const at = nextWakeAt(this.#state);
    if (this.#closed || at === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === undefined) return;
    const wait = Math.max(0, Math.ceil(at - this.#options.env().now));
    this.#timer = setTimeout(() => {
      this.#timerAt = undefined;
      this.#options.onWake?.(between(at, this.#options.env().now));
      this.push({ type: "wake" });
    }, wait);
  }
}
