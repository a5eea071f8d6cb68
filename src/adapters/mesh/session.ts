/**
 * One authenticated connection to one peer: greets, carries frames, ends in order. Who may be at the
 * other end was settled before (peer-identity.ts); which of two sessions stays, mesh-transport.ts decides.
 */
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import type { SessionEnd } from "../../core/io.ts";
import type { Envelope } from "../../core/messages.ts";
import type { Failure } from "../../kit/result.ts";
import { decodeEnvelope } from "../../wire/envelope.ts";
import {
  type ByeReason,
  decodeBye,
  decodeHello,
  encodeBye,
  encodeHello,
  type Hello,
} from "../../wire/peer-hello.ts";
import { DatagramBox, type Role } from "./datagram-box.ts";
import { fault } from "./fault.ts";
import { encodeFrame, FRAME_BYE, FRAME_ENVELOPE, FRAME_HELLO, type Frame, FrameReader } from "./frames.ts";
import type { Counters } from "./mesh-stats.ts";
import type { PeerIdentity } from "./peer-identity.ts";
import { plainHost } from "./socket-address.ts";

/** Bytes waiting for a peer that does not read; then the session ends rather than memory is eaten. */
export const QUEUED_BYTES_MAX: number = 4_194_304;
/** How long the bye may take to leave before the connection is cut. */
const FAREWELL_MS = 400;

export interface SessionEvents {
  /** The peer's hello came, and a version is agreed on. */
  readonly onGreeted: (session: Session) => void;
  readonly onEnvelope: (session: Session, envelope: Envelope) => void;
  /** The peer broke the protocol or speaks none of our versions. */
  readonly onRefused: (session: Session, failure: Failure) => void;
  /** Once, last. */
  readonly onEnded: (session: Session, end: SessionEnd) => void;
}

/** `greeting`: hello sent, the peer's awaited. `up`: messages flow. `ended`: nothing does. */
export type SessionState = "greeting" | "up" | "ended";

export class Session {
  readonly identity: PeerIdentity;
  /** `client` when this node dialled. */
  readonly role: Role;
  /** Same at both ends. */
  readonly name: string;
  readonly box: DatagramBox;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly localHost: string;
  readonly saidEnded: string | undefined;
  /** Set once greeted. */
  hello: Hello | undefined;
  state: SessionState = "greeting";
  /** What the peer said when the session ended before it was greeted. */
  farewell: ByeReason | undefined;
  readonly #socket: TLSSocket;
  readonly #reader = new FrameReader();
  readonly #events: SessionEvents;
  readonly #counters: Counters;

  constructor(
    socket: TLSSocket,
    identity: PeerIdentity,
    role: Role,
    ownHello: Hello,
    events: SessionEvents,
    counters: Counters,
  ) {
    this.#socket = socket;
    this.identity = identity;
    this.role = role;
    this.saidEnded = ownHello.ended;
    this.#events = events;
    this.#counters = counters;
    this.box = new DatagramBox(socket, role);
    this.name = this.box.session;
    this.remoteHost = plainHost(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localHost = plainHost(socket.localAddress);
    this.#write(FRAME_HELLO, encodeHello(ownHello));
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("end", () => this.#end("reset"));
    socket.on("error", () => this.#end("reset"));
    socket.on("close", () => this.#end("reset"));
  }

  /** One message on the stream; best effort. */
  send(text: string): void {
    if (this.state === "up") this.#write(FRAME_ENVELOPE, text);
  }

  /** Messages flow from now on, and frames may be long. */
  open(): void {
    this.state = "up";
    this.#reader.admit();
  }

  /** Ends in order: the peer is told why. Keys are gone and nothing more is read when this returns. */
  end(reason: ByeReason, end: SessionEnd): void {
    if (this.state === "ended") return;
    this.#write(FRAME_BYE, encodeBye(reason));
    this.#end(end);
  }

  /** Resolves when the connection is closed. */
  async gone(): Promise<void> {
    if (!this.#socket.closed) await once(this.#socket, "close");
  }

  #read(chunk: Buffer): void {
    this.#counters.streamBytesReceived += chunk.length;
    if (this.state === "ended") return;
    this.#reader.add(chunk);
    while (this.#isOpen()) {
      const frame = this.#reader.next();
      if (!frame.ok) this.#violate(frame.error);
      else if (frame.value === undefined) return;
      else this.#take(frame.value);
    }
  }

  /** A method, because each frame may change it. */
  #isOpen(): boolean {
    return this.state !== "ended";
  }

  #take(frame: Frame): void {
    if (frame.kind === FRAME_BYE) this.#leave(decodeBye(frame.text));
    else if (this.state === "greeting") this.#greet(frame);
    else if (frame.kind === FRAME_ENVELOPE) this.#deliver(frame.text);
    else if (frame.kind === FRAME_HELLO) this.#violate(fault("protocol-violation", "a second hello"));
    else this.#counters.unknownMessages += 1;
  }

  #greet(frame: Frame): void {
    if (frame.kind !== FRAME_HELLO) {
      this.#violate(fault("protocol-violation", "the session does not open with a hello"));
      return;
    }
    const hello = decodeHello(frame.text);
    if (!hello.ok) {
      this.#violate(hello.error);
      return;
    }
    this.hello = hello.value;
    this.#events.onGreeted(this);
  }

  #deliver(text: string): void {
    const envelope = decodeEnvelope(text);
    if (!envelope.ok) this.#violate(envelope.error);
    else if (envelope.value === "unknown-message") this.#counters.unknownMessages += 1;
    else this.#events.onEnvelope(this, envelope.value);
  }

  #leave(reason: ByeReason): void {
    this.farewell = reason;
    this.#end(endOfBye(reason));
  }

  #violate(found: Failure): void {
    this.#events.onRefused(this, found);
    this.end(found.code === "version-unsupported" ? "version" : "violation", "local");
  }

  #write(kind: number, text: string): void {
    const frame = encodeFrame(kind, text);
    if (frame === undefined) {
      this.#counters.dropped += 1;
      return;
    }
    if (!this.#socket.writable) return;
    this.#socket.write(frame);
    this.#counters.streamBytesSent += frame.length;
    if (this.#socket.writableLength <= QUEUED_BYTES_MAX) return;
    this.#socket.destroy();
    this.#end("reset");
  }

  #end(end: SessionEnd): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.box.close();
    this.#socket.destroySoon();
    const cut = setTimeout(() => this.#socket.destroy(), FAREWELL_MS);
    cut.unref();
    this.#socket.once("close", () => clearTimeout(cut));
    this.#events.onEnded(this, end);
  }
}

/** Only a connection that breaks without a word is a reason for suspicion; a stop is announced, all else is replaced. */
function endOfBye(reason: ByeReason): SessionEnd {
  switch (reason) {
    case "stop":
      return "goodbye";
    case "revoked":
      return "revoked";
    case "hang-up":
    case "replaced":
    case "version":
    case "violation":
      return "replaced";
  }
}
