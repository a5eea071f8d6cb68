/**
 * Everything that happened, in order, as one hash: two runs with the same hash
 * were the same run. The last telling lines are kept for the report of a failure.
 */
import { createHash } from "node:crypto";

/** Lines are hashed in blocks of this size: one call a line would dominate the run. */
const BLOCK_CHARACTERS = 1 << 16;
export const KEPT_LINES = 50;

export class Trace {
  readonly #hash = createHash("sha256");
  readonly #kept: string[] = [];
  readonly #listener: ((line: string) => void) | undefined;
  readonly #onRoutine: ((at: number, text: string) => void) | undefined;
  #block = "";
  lines = 0;

  constructor(
    listener: ((line: string) => void) | undefined,
    onRoutine: ((at: number, text: string) => void) | undefined,
  ) {
    this.#listener = listener;
    this.#onRoutine = onRoutine;
  }

  /** Messages and timers: hashed, and shown only to who asks for them. */
  routine(at: number, text: string): void {
    this.#hashLine(at, text);
    this.#onRoutine?.(at, text);
  }

  #hashLine(at: number, text: string): void {
    this.lines += 1;
    this.#block += `${at} ${text}\n`;
    if (this.#block.length > BLOCK_CHARACTERS) this.#flush();
  }

  telling(at: number, text: string): void {
    this.#hashLine(at, text);
    const line = `${at.toFixed(3).padStart(14)} ${text}`;
    this.#kept.push(line);
    if (this.#kept.length > KEPT_LINES) this.#kept.shift();
    this.#listener?.(line);
  }

  lastLines(): readonly string[] {
    return [...this.#kept];
  }

  /** Of everything so far; the trace goes on. */
  sha256(): string {
    this.#flush();
    return this.#hash.copy().digest("hex");
  }

  #flush(): void {
    this.#hash.update(this.#block);
    this.#block = "";
  }
}
