/** Connections whose other end is not known yet: few, briefly, and never in the way of a real peer. */
import type { Socket } from "node:net";
import { plainHost } from "./socket-address.ts";

export const UNAUTHENTICATED_MAX = 64;
export const UNAUTHENTICATED_PER_HOST_MAX = 16;
/** From accept to the peer's hello. */
export const UNAUTHENTICATED_MS = 5000;

/** Why a connection had to leave the waiting room. */
export type Eviction = "crowded" | "too-slow";

interface Guest {
  readonly socket: Socket;
  readonly host: string;
  readonly timer: NodeJS.Timeout;
}

/** The same for a raw socket and the TLS socket on top of it. */
export const connectionKey = (socket: Socket): string =>
  `${socket.remoteAddress}|${socket.remotePort}|${socket.localAddress}|${socket.localPort}`;

/**
 * When it is full the oldest guest leaves, of the same host if that has its fill: a flood of idle
 * connections pushes itself out, and a peer that finishes its handshake in time is not kept waiting.
 */
export class WaitingRoom {
  readonly #guests = new Map<string, Guest>();
  readonly #onEvicted: (socket: Socket, why: Eviction) => void;
  constructor(onEvicted: (socket: Socket, why: Eviction) => void) {
    this.#onEvicted = onEvicted;
  }

  get size(): number {
    return this.#guests.size;
  }

  enter(socket: Socket): void {
    const key = connectionKey(socket);
    const host = plainHost(socket.remoteAddress);
    const sameHost = [...this.#guests].filter(([, guest]) => guest.host === host);
    const [oldestOfHost] = sameHost;
    const [oldest] = this.#guests;
    if (sameHost.length >= UNAUTHENTICATED_PER_HOST_MAX && oldestOfHost)
      this.#evict(oldestOfHost[0], "crowded");
    else if (this.#guests.size >= UNAUTHENTICATED_MAX && oldest) this.#evict(oldest[0], "crowded");
    const timer = setTimeout(() => this.#evict(key, "too-slow"), UNAUTHENTICATED_MS);
    this.#guests.set(key, { socket, host, timer });
    socket.once("close", () => this.leave(key));
  }

  /** The other end is known, or the connection is over. */
  leave(key: string): void {
    clearTimeout(this.#guests.get(key)?.timer);
    this.#guests.delete(key);
  }

  clear(): void {
    for (const [key, { socket }] of this.#guests) {
      this.leave(key);
      socket.destroy();
    }
  }

  #evict(key: string, why: Eviction): void {
    const guest = this.#guests.get(key);
    if (guest === undefined) return;
    this.leave(key);
    this.#onEvicted(guest.socket, why);
    guest.socket.destroy();
  }
}
