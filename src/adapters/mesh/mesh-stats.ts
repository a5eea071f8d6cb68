/** What the mesh transport counts; shown by doctor and measured by the benchmark. */
import type { TransportEvent } from "../../core/io.ts";
import type { ErrorCode } from "../../kit/errors.ts";
import type { Failure } from "../../kit/result.ts";

/** Refusals beyond this many a second are counted and not told, so that a flood does not fill the daemon's queue. */
const TOLD_PER_SECOND_MAX = 20;
const SECOND_MS = 1000;

export interface Counters {
  datagramsSent: number;
  datagramBytesSent: number;
  datagramsReceived: number;
  datagramBytesReceived: number;
  /** Overtook the peer's hello on the stream, and were dropped. */
  datagramsEarly: number;
  /** Without TLS's own bytes. */
  streamBytesSent: number;
  streamBytesReceived: number;
  /** Messages meant for datagrams that were too large and went over the stream. */
  datagramsTooLarge: number;
  /** Messages that could not be sent: no session, or longer than a frame. */
  dropped: number;
  /** Messages and frames of kinds that only a newer release knows. */
  unknownMessages: number;
}

export interface MeshStats extends Readonly<Counters> {
  readonly sessions: number;
  /** Connections whose peer is not known yet. */
  readonly unauthenticated: number;
  readonly splices: number;
  readonly refused: Readonly<Partial<Record<ErrorCode, number>>>;
}

export const noCounts = (): Counters => ({
  datagramsSent: 0,
  datagramBytesSent: 0,
  datagramsReceived: 0,
  datagramBytesReceived: 0,
  datagramsEarly: 0,
  streamBytesSent: 0,
  streamBytesReceived: 0,
  datagramsTooLarge: 0,
  dropped: 0,
  unknownMessages: 0,
});

/** Counts every refusal and tells of as many as a person can use. */
export class Refusals {
  readonly counts: Partial<Record<ErrorCode, number>> = {};
  readonly #onEvent: (event: TransportEvent) => void;
  #second = 0;
  #told = 0;
  constructor(onEvent: (event: TransportEvent) => void) {
    this.#onEvent = onEvent;
  }
  add(remote: string, failure: Failure): void {
    this.counts[failure.code] = (this.counts[failure.code] ?? 0) + 1;
    const second = Math.floor(performance.now() / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#told = 0;
    }
    this.#told += 1;
    if (this.#told <= TOLD_PER_SECOND_MAX) this.#onEvent({ type: "refused", remote, failure });
  }
}
