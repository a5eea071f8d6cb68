/** What the daemon counts of itself since its start, for the metrics. Nothing decides by it. */
import type { Notice, SingleInput } from "../core/io.ts";
import type { Verdict } from "../core/types.ts";
import type { Duration } from "../kit/time.ts";
import type { Histogram } from "../wire/metrics/exposition.ts";
import type { OutcomeCount, RequestCount, Tallies } from "../wire/metrics/facts.ts";

/** Names come and go with configuration and roster: further ones are not counted. */
const KINDS_MAX = 2000;
/** In seconds: from what a timer is late by anyhow to what makes others suspect this node. */
const LAG_BOUNDS: readonly number[] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** How often each of several things happened. */
class Counts<T> {
  readonly #counts = new Map<string, { readonly what: T; count: number }>();
  add(what: T): void {
    const key = JSON.stringify(what);
    const held = this.#counts.get(key);
    if (held !== undefined) held.count += 1;
    else if (this.#counts.size < KINDS_MAX) this.#counts.set(key, { what, count: 1 });
  }
  all(): (T & { readonly count: number })[] {
    return [...this.#counts.values()].map(({ what, count }) => ({ ...what, count }));
  }
}

export class Tally {
  readonly #verdicts = new Counts<{ readonly node: string; readonly verdict: Verdict }>();
  readonly #deliveries = new Counts<Omit<OutcomeCount, "count">>();
  readonly #pings = new Counts<Omit<OutcomeCount, "count">>();
  readonly #requests = new Counts<Omit<RequestCount, "count">>();
  readonly #lags: number[] = LAG_BOUNDS.map(() => 0);
  #lagSum = 0;
  #lagCount = 0;
  #inputsDropped = 0;

  notice(notice: Notice): void {
    if (notice.type === "verdict") this.#verdicts.add({ node: notice.name, verdict: notice.to });
  }

  /** The outcome of what the core wanted done. */
  outcome(input: SingleInput): void {
    if (input.type === "delivery")
      this.#deliveries.add({ name: input.channel, outcome: input.result.outcome });
    else if (input.type === "pinged")
      this.#pings.add({ name: input.heartbeat, outcome: input.result.outcome });
  }

  /** The core was woken this much later than it wanted. */
  woken(late: Duration): void {
    const lag = Math.max(0, late) / 1000;
    this.#lagSum += lag;
    this.#lagCount += 1;
    const place = LAG_BOUNDS.findIndex((bound) => lag <= bound);
    if (place >= 0) this.#lags[place] = (this.#lags[place] ?? 0) + 1;
  }

  dropped(inputs: number): void {
    this.#inputsDropped += inputs;
  }

  answered(path: string, code: number): void {
    this.#requests.add({ path, code });
  }

  requests(): readonly RequestCount[] {
    return this.#requests.all();
  }

  all(): Tallies {
    return {
      verdicts: this.#verdicts.all(),
      deliveries: this.#deliveries.all(),
      pings: this.#pings.all(),
      inputsDropped: this.#inputsDropped,
      lag: this.#lag(),
    };
  }

  /** Buckets are cumulative. */
  #lag(): Histogram {
    let count = 0;
    const buckets = LAG_BOUNDS.map((le, place) => {
      count += this.#lags[place] ?? 0;
      return { le, count };
    });
    return { buckets, sum: this.#lagSum, count: this.#lagCount };
  }
}
