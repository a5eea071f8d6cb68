/** Joins that arrive at the mesh port: served on the keymaster, relayed by every other node. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Address } from "../../core/types.ts";
import type { Failure } from "../../kit/result.ts";
import type { WallTime } from "../../kit/time.ts";
import type { TrustView } from "../../ports/transport.ts";
import { fault } from "./fault.ts";
import type { Gate } from "./gate.ts";
import { type LocalHostFor, Splices } from "./splice.ts";

/** Joins served at a time by the keymaster, each this long at most. */
const JOINS_MAX = 8;
const JOIN_MS_MAX = 30_000;

export interface JoinEvents {
  readonly localHostFor: LocalHostFor;
  /** Whoever takes the connection ends it; undefined where joins are not served. */
  readonly serve: ((socket: TLSSocket) => void) | undefined;
  /** It is no longer this node's to find out who that is. */
  readonly onSettled: (socket: Socket) => void;
  readonly onRefused: (socket: Socket, failure: Failure) => void;
}

export class Joins {
  readonly #events: JoinEvents;
  readonly #splices: Splices;
  readonly #served = new Set<TLSSocket>();

  constructor(events: JoinEvents) {
    this.#events = events;
    this.#splices = new Splices(events.localHostFor);
  }

  get splices(): number {
    return this.#splices.size;
  }

  /** A connection that asked for a join, before TLS. */
  receive(socket: Socket, gate: Gate, trust: TrustView, now: WallTime): void {
    if (trust.keymaster === undefined) gate.admitJoiner(socket);
    else if (gate.mayRelay(now)) this.#relay(socket, trust.keymaster.addresses);
    else
      this.#refuse(
        socket,
        fault("certificate-invalid", "a join was not relayed: this node's certificate ran out"),
      );
  }

  /** The same on the keymaster, when TLS stands. */
  serve(socket: TLSSocket): void {
    socket.on("error", () => socket.destroy());
    const { serve } = this.#events;
    if (serve === undefined || this.#served.size >= JOINS_MAX) {
      this.#refuse(socket, fault("limit-reached", `${JOINS_MAX} joins are being served already`, true));
      return;
    }
    this.#events.onSettled(socket);
    this.#served.add(socket);
    const cut = setTimeout(() => socket.destroy(), JOIN_MS_MAX);
    socket.once("close", () => {
      clearTimeout(cut);
      this.#served.delete(socket);
    });
    serve(socket);
  }

  close(): void {
    this.#splices.close();
    for (const socket of this.#served) socket.destroy();
  }

  #relay(socket: Socket, keymaster: readonly Address[]): void {
    this.#events.onSettled(socket);
    void this.#splices.relay(socket, keymaster).then((failed) => {
      if (failed !== undefined) this.#refuse(socket, failed);
    });
  }

  #refuse(socket: Socket, failure: Failure): void {
    this.#events.onRefused(socket, failure);
    socket.destroy();
  }
}
