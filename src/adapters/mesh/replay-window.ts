/** Which of the last numbers were seen, as RFC 4303 section 3.4.3 describes it. */

/** Datagrams overtaken by this many later ones are refused. */
export const REPLAY_WINDOW: number = 1024;
const WORD_BITS = 32;

export class ReplayWindow {
  readonly #seen = new Uint32Array(REPLAY_WINDOW / WORD_BITS);
  #highest = -1;

  /** Whether the number is new. Ask before decrypting; `note` it only after it proved authentic. */
  isFresh(number: number): boolean {
    if (number > this.#highest) return true;
    if (number <= this.#highest - REPLAY_WINDOW) return false;
    return ((this.#seen[this.#word(number)] ?? 0) & this.#bit(number)) === 0;
  }

  note(number: number): void {
    if (number > this.#highest) {
      if (number - this.#highest >= REPLAY_WINDOW) this.#seen.fill(0);
      else for (let skipped = this.#highest + 1; skipped <= number; skipped += 1) this.#clear(skipped);
      this.#highest = number;
    }
    const word = this.#word(number);
    this.#seen[word] = (this.#seen[word] ?? 0) | this.#bit(number);
  }

  #clear(number: number): void {
    const word = this.#word(number);
    this.#seen[word] = (this.#seen[word] ?? 0) & ~this.#bit(number);
  }
  #word(number: number): number {
    return Math.floor((number % REPLAY_WINDOW) / WORD_BITS);
  }
  #bit(number: number): number {
    return 1 << (number % WORD_BITS);
  }
}
