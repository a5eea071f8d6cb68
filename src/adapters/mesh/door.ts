/**
 * The TCP listeners: takes each connection's ClientHello, finds out whom it asks for by ALPN, puts
 * the bytes back and hands the connection on. TLS begins only after that, here or at the keymaster.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Failure } from "../../kit/result.ts";
import type { AddressParts } from "../../wire/address.ts";
import { readAlpn } from "../../wire/client-hello.ts";
import { fault } from "./fault.ts";
import { connectionKey, WaitingRoom } from "./waiting-room.ts";

const BACKLOG = 256;
const KEEP_ALIVE_MS = 10_000;

/** Hands a connection on; the ClientHello is in its buffer again, and nothing reads from it. */
export type Reception = (socket: Socket, alpn: readonly string[]) => void;

export class Door {
  readonly waiting: WaitingRoom;
  readonly #servers: Server[] = [];
  readonly #receive: Reception;
  readonly #refuse: (socket: Socket, failure: Failure) => void;

  constructor(receive: Reception, refuse: (socket: Socket, failure: Failure) => void) {
    this.#receive = receive;
    this.#refuse = refuse;
    this.waiting = new WaitingRoom((socket, why) =>
      refuse(
        socket,
        why === "crowded"
          ? fault(
              "limit-reached",
              "too many connections wait to say who they are; the oldest was closed",
              true,
            )
          : fault("protocol-violation", "a connection did not say who it is in time"),
      ),
    );
  }

  /** Rejects with the system's error. */
  async open({ host, port, family }: AddressParts): Promise<void> {
    const server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      (socket) => this.#enter(socket),
    );
    server.listen({ host, port, backlog: BACKLOG, ipv6Only: family === 6, exclusive: true });
    await once(server, "listening");
    // Accepting can fail when descriptors run out; the listener goes on when they are back.
    server.on("error", () => {});
    this.#servers.push(server);
  }

  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
    this.waiting.clear();
  }

  #enter(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    // A peer that hung up at once has no address left to tell it by.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    this.waiting.enter(socket);
    this.#readClientHello(socket);
  }

  #readClientHello(socket: Socket): void {
    let bytes: Buffer = Buffer.alloc(0);
    let bytesNeeded = 1;
    const onReadable = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      if (bytes.length < bytesNeeded) return;
      const reading = readAlpn(bytes);
      if (reading.ok && reading.value.state === "incomplete") {
        bytesNeeded = reading.value.bytesNeeded;
        return;
      }
      socket.off("readable", onReadable);
      socket.off("end", onEnd);
      if (!reading.ok) {
        this.turnAway(socket, reading.error);
        return;
      }
      socket.unshift(bytes);
      if (reading.value.state === "complete") this.#receive(socket, reading.value.names);
    };
    const onEnd = (): void =>
      this.turnAway(socket, fault("protocol-violation", "a connection ended before it began"));
    socket.on("readable", onReadable);
    socket.on("end", onEnd);
  }

  turnAway(socket: Socket, reason: Failure): void {
    this.waiting.leave(connectionKey(socket));
    this.#refuse(socket, reason);
    socket.destroy();
  }
}
