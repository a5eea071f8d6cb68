/** Virtual time in milliseconds: what is due next happens next; among equals, what was scheduled first. */

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Timeline {
  now = 0;
  /** Events that have happened. */
  happened = 0;
  readonly #heap: Entry[] = [];
  #order = 0;
  #halted = false;
  #unsettled = false;
  #held = 0;

  /** Promises are about to be kept: their consequences come before the next event. */
  settle(): void {
    this.#unsettled = true;
  }

  /** Real work that takes no virtual time: nothing else happens until it is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#held += 1;
    this.settle();
    try {
      return await work;
    } finally {
      this.#held -= 1;
      this.settle();
    }
  }

  /** Nothing happens after the event that is under way. */
  halt(): void {
    this.#halted = true;
  }

  /** An instant in the past counts as now. */
  schedule(at: number, action: () => void): void {
    this.#order += 1;
    this.#push({ at: Math.max(at, this.now), order: this.#order, action });
  }

  in(delay: number, action: () => void): void {
    this.schedule(this.now + delay, action);
  }

  /** Lets everything happen that is due up to and including `end`, then stands there. */
  async runUntil(end: number): Promise<void> {
    while (!this.#halted) {
      const first = this.#heap[0];
      if (first === undefined || first.at > end) break;
      this.#pop();
      this.now = first.at;
      this.happened += 1;
      first.action();
      while (this.#unsettled || this.#held > 0) {
        this.#unsettled = false;
        await new Promise(setImmediate);
      }
    }
    if (!this.#halted) this.now = Math.max(this.now, end);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Entry;
      if (!before(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = index * 2 + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && before(heap[right] as Entry, heap[left] as Entry) ? right : left;
      if (!before(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
  }
}
