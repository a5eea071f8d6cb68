/** A peer of our own making: it has a certificate and keys, and says whatever the test wants. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type ConnectionOptions, connect, createServer, type TLSSocket } from "node:tls";
import { DatagramBox, type Role } from "../../src/adapters/mesh/datagram-box.ts";
import {
  encodeFrame,
  FRAME_BYE,
  FRAME_ENVELOPE,
  FRAME_HELLO,
  type Frame,
  FrameReader,
} from "../../src/adapters/mesh/frames.ts";
import type { Envelope } from "../../src/core/messages.ts";
import type { Address } from "../../src/core/types.ts";
import { encodeEnvelope } from "../../src/wire/envelope.ts";
import type { TestIdentity } from "./mesh-identities.ts";
import { freshHost, PORT } from "./mesh-rig.ts";

export interface PuppetWishes {
  /** Parts of the hello to say otherwise; false says none. */
  readonly hello?: object | false;
  readonly alpn?: readonly string[];
  readonly maxVersion?: "TLSv1.2";
  readonly session?: Buffer;
  readonly host?: string;
}

export class Puppet {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  readonly #role: Role;
  readonly #reader = new FrameReader();
  readonly closed: Promise<void>;
  #box: DatagramBox | undefined;

  constructor(socket: TLSSocket, role: Role) {
    this.socket = socket;
    this.#role = role;
    this.#reader.admit();
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", () => resolve());
    });
    socket.on("data", (chunk: Buffer) => {
      this.#reader.add(chunk);
      for (let next = this.#reader.next(); next.ok && next.value !== undefined; next = this.#reader.next()) {
        this.frames.push(next.value);
        socket.emit("frame");
      }
    });
  }

  /** Our end of the session's datagrams. */
  get box(): DatagramBox {
    this.#box ??= new DatagramBox(this.socket, this.#role);
    return this.#box;
  }

  say(kind: number, text: string): void {
    const frame = encodeFrame(kind, text);
    if (frame !== undefined) this.socket.write(frame);
  }

  send(envelope: Envelope): void {
    this.say(FRAME_ENVELOPE, encodeEnvelope(envelope));
  }

  greet(parts: object = {}): void {
    this.say(
      FRAME_HELLO,
      JSON.stringify({ versions: [1, 1], life: "ab".repeat(8), udpPort: PORT, ...parts }),
    );
  }

  seal(envelope: Envelope): Buffer {
    const packet = this.box.seal(Buffer.from(encodeEnvelope(envelope)));
    if (packet === undefined) throw new Error("not sealed");
    return packet;
  }

  /** The first frame of this kind, already here or to come; undefined when the connection closes before. */
  async frame(kind: number): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find((frame) => frame.kind === kind);
      if (found !== undefined || this.socket.destroyed) return found;
      await Promise.race([once(this.socket, "frame"), this.closed]);
    }
  }

  /** The reason in the bye that ended the session. */
  async bye(): Promise<string | undefined> {
    const frame = await this.frame(FRAME_BYE);
    return frame === undefined ? undefined : JSON.parse(frame.text).reason;
  }
}

const common = (identity: TestIdentity): { readonly key: string; readonly cert: string } => ({
  key: identity.keyPem,
  cert: identity.certificatePem,
});

/** Connects to a node; says hello unless told otherwise. Resolves when TLS stands at this end. */
export async function dialAsPuppet(
  target: { readonly host: string },
  identity: TestIdentity | undefined,
  wishes: PuppetWishes = {},
): Promise<Puppet> {
  const options: ConnectionOptions & { localAddress: string } = {
    host: target.host,
    port: PORT,
    localAddress: wishes.host ?? freshHost(),
    rejectUnauthorized: false,
    ALPNProtocols: [...(wishes.alpn ?? ["balefire/1"])],
    ...(identity === undefined ? {} : common(identity)),
    ...(wishes.maxVersion === undefined ? {} : { maxVersion: wishes.maxVersion }),
    ...(wishes.session === undefined ? {} : { session: wishes.session }),
  };
  const socket = connect(options);
  const puppet = new Puppet(socket, "client");
  await Promise.race([once(socket, "secureConnect").catch(() => {}), puppet.closed]);
  if (wishes.hello !== false && !socket.destroyed) puppet.greet(wishes.hello);
  return puppet;
}

export interface PuppetHost {
  readonly host: string;
  readonly address: Address;
  /** The next connection made to it, once TLS stands. */
  readonly next: () => Promise<Puppet>;
  /** Those that were not asked for. */
  readonly arrived: readonly Puppet[];
  readonly close: () => void;
}

/** A listener with that identity, for nodes to dial. */
export async function hostPuppet(identity: TestIdentity, host: string = freshHost()): Promise<PuppetHost> {
  const server = createServer({
    ...common(identity),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["balefire/1"],
  });
  const arrived: Puppet[] = [];
  server.on("secureConnection", (socket) => {
    arrived.push(new Puppet(socket, "server"));
    server.emit("puppet");
  });
  server.listen(PORT, host);
  await once(server, "listening");
  const next = async (): Promise<Puppet> => {
    if (arrived.length === 0) await once(server, "puppet");
    const puppet = arrived.shift();
    if (puppet === undefined) throw new Error("nobody came");
    return puppet;
  };
  return { host, address: `${host}:${PORT}` as Address, next, arrived, close: () => server.close() };
}

/** Sends raw datagrams to a node, from anywhere. */
export async function shoot(target: { readonly host: string }, ...packets: readonly Buffer[]): Promise<void> {
  const socket = createSocket("udp4");
  for (const packet of packets) {
    await new Promise<void>((resolve) => socket.send(packet, PORT, target.host, () => resolve()));
  }
  socket.close();
}
