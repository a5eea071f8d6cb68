/** The UDP sockets of all own addresses. */
import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { once } from "node:events";
import type { AddressParts } from "../../wire/address.ts";
import { plainHost } from "./socket-address.ts";

/** Room for a burst of beats from everyone while the process is busy. */
const RECEIVE_BUFFER_BYTES = 1_048_576;

export type PacketListener = (packet: Buffer, remote: string) => void;

export class DatagramPort {
  readonly #sockets = new Map<string, { readonly socket: Socket; readonly family: 4 | 6 }>();
  readonly #onPacket: PacketListener;
  constructor(onPacket: PacketListener) {
    this.#onPacket = onPacket;
  }

  /** Rejects with the system's error. */
  async bind({ host, port, family }: AddressParts): Promise<void> {
    const socket = createSocket(
      family === 4 ? { type: "udp4", lookup: asGiven } : { type: "udp6", ipv6Only: true, lookup: asGiven },
      (packet, remote) => this.#onPacket(packet, `${plainHost(remote.address)}:${remote.port}`),
    );
    // It may be listening before `bind` returns.
    const listening = once(socket, "listening");
    socket.bind({ address: host, port, exclusive: true });
    try {
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    // Nothing to do about an error on a bound socket: lost datagrams show in the beats.
    socket.on("error", () => {});
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    } catch {
      // The system's default serves.
    }
    // As the system writes it, which is how connections name their local end.
    this.#sockets.set(socket.address().address, { socket, family });
  }

  /** Best effort, from the own address given where it is one that was bound. */
  send(packet: Buffer, from: string, to: { readonly host: string; readonly port: number }): void {
    const bound = this.#sockets.get(from) ?? this.#anyFor(to.host.includes(":") ? 6 : 4);
    bound?.socket.send(packet, to.port, to.host, ignoreOutcome);
  }

  /** Where datagrams to this own address arrive. */
  portOf(host: string): number | undefined {
    const bound = this.#sockets.get(host) ?? this.#anyFor(host.includes(":") ? 6 : 4);
    return bound?.socket.address().port;
  }

  #anyFor(family: 4 | 6): { readonly socket: Socket } | undefined {
    return [...this.#sockets.values()].find((bound) => bound.family === family);
  }

  close(): void {
    for (const { socket } of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}

/** Addresses only, never names: to look them up costs each datagram a turn of the event loop. */
const asGiven: NonNullable<SocketOptions["lookup"]> = (host, _options, found) =>
  found(null, host, host.includes(":") ? 6 : 4);

/** A datagram that cannot leave is a lost one; the beats show it. */
const ignoreOutcome = (): void => {};
