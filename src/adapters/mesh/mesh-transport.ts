/**
 * The mesh: TLS 1.3 sessions among pinned peers, one a pair, and encrypted datagrams under each
 * session's keys. Decides which connection becomes a session and which of two sessions stays; who
 * dials and when is the core's business.
 */
import { randomBytes, type X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { SessionEnd, TransportEvent } from "../../core/io.ts";
import type { Envelope, Plane } from "../../core/messages.ts";
import type { Address, NodeId } from "../../core/types.ts";
import type { Failure } from "../../kit/result.ts";
import { type WallTime, wallTime } from "../../kit/time.ts";
import type { PeerTransport, TrustView } from "../../ports/transport.ts";
import { decodeEnvelope, encodeEnvelope } from "../../wire/envelope.ts";
import { JOIN_ALPN } from "../../wire/join.ts";
import { nearestOwn } from "../../wire/nearest-address.ts";
import { type Hello, PROTOCOL_VERSIONS } from "../../wire/peer-hello.ts";
import { claimedSession, DATAGRAM_PLAINTEXT_BYTES_MAX, type Role, type Unopened } from "./datagram-box.ts";
import { DatagramPort } from "./datagram-port.ts";
import { type Dial, Dials, NOT_IN_ROSTER, reasonOf } from "./dials.ts";
import { Dismissals } from "./dismissal.ts";
import { Door } from "./door.ts";
import { fault } from "./fault.ts";
import { authoritiesOf, Gate } from "./gate.ts";
import { Joins } from "./joins.ts";
import { bindAll } from "./listen.ts";
import { type Counters, type MeshStats, noCounts, Refusals } from "./mesh-stats.ts";
import { identify, isDismissed, isStillPinned, leadsToRoot, PEER_ALPN } from "./peer-identity.ts";
import { supersedes } from "./precedence.ts";
import { Session, type SessionEvents } from "./session.ts";
import { addressOf, ipAddressParts, plainHost } from "./socket-address.ts";
import { connectionKey } from "./waiting-room.ts";

export interface MeshTransportOptions {
  readonly keyPem: string;
  /** Leaf, then intermediate. */
  readonly certificatePem: string;
  readonly onEvent: (event: TransportEvent) => void;
  /** Given the TLS connection of a joiner when this node is the keymaster; whoever takes it ends it. */
  readonly onJoin?: (socket: TLSSocket) => void;
  readonly wall?: () => number;
}

export interface MeshTransport extends PeerTransport {
  stats(): MeshStats;
  /** What the peers with a session have shown in it. */
  certificates(): ReadonlyMap<NodeId, X509Certificate>;
}

/** How long `close` waits for byes to leave. */
const CLOSE_MS_MAX = 500;
const LIFE_BYTES = 8;
/** Said by a node that listens nowhere: the discard port (RFC 863). */
const UNBOUND_PORT = 9;

export const createMeshTransport = (options: MeshTransportOptions): MeshTransport => new Mesh(options);

class Mesh implements MeshTransport {
  readonly #options: MeshTransportOptions;
  readonly #life = randomBytes(LIFE_BYTES).toString("hex");
  readonly #counters: Counters = noCounts();
  readonly #refusals: Refusals;
  readonly #door: Door;
  readonly #datagrams: DatagramPort;
  readonly #joins: Joins;
  readonly #dials: Dials;
  readonly #dismissals = new Dismissals();
  /** Every connection that is authenticated and not ended, greeted or not. */
  readonly #open = new Set<Session>();
  /** The one session of each peer. */
  readonly #sessions = new Map<NodeId, Session>();
  /** All that are open, by name. */
  readonly #named = new Map<string, Session>();
  /** The last session with each peer that ended here; told in the next hello. */
  readonly #ended = new Map<NodeId, string>();
  #own: readonly Address[] = [];
  #certificatePem: string;
  #trust: TrustView | undefined;
  #gate: Gate | undefined;
  #closed = false;

  constructor(options: MeshTransportOptions) {
    this.#options = options;
    this.#certificatePem = options.certificatePem;
    this.#refusals = new Refusals((event) => this.#emit(event));
    this.#door = new Door(
      (socket, alpn) => this.#receive(socket, alpn),
      (socket, failure) => this.#refusals.add(remoteOf(socket), failure),
    );
    this.#datagrams = new DatagramPort((packet, remote) => this.#openDatagram(packet, remote));
    this.#joins = new Joins({
      localHostFor: (target) => nearestOwn(this.#own, target)?.host,
      serve: options.onJoin,
      onSettled: (socket) => this.#door.waiting.leave(connectionKey(socket)),
      onRefused: (socket, failure) => this.#refusals.add(remoteOf(socket), failure),
    });
    this.#dials = new Dials({
      onConnected: (dial) => this.#meet(dial.socket, "client", dial),
      onFailed: ({ peer, address }, reason) => this.#emit({ type: "dial-failed", peer, address, reason }),
    });
  }

  async listen(addresses: readonly Address[]): Promise<void> {
    this.#own = addresses;
    await bindAll(addresses, this.#door, this.#datagrams);
  }

  trust(view: TrustView): void {
    const before = this.#trust;
    this.#trust = view;
    const isSame = before !== undefined && authoritiesOf(before).join() === authoritiesOf(view).join();
    if (!isSame) this.#gate = this.#openGate(view);
    for (const session of [...this.#open]) {
      if (!isStillPinned(session.identity, view)) session.end("revoked", "revoked");
    }
    // Takes long with many peers; and what a chain leads to changes with nothing else.
    for (const session of isSame ? [] : [...this.#open]) {
      if (!leadsToRoot(session.identity.leaf, view)) session.end("revoked", "revoked");
    }
    const peers = new Set(view.peers.map(({ id }) => id));
    this.#dials.keepTo(peers);
    for (const peer of this.#ended.keys()) {
      if (!peers.has(peer)) this.#ended.delete(peer);
    }
  }

  present(certificatePem: string): void {
    this.#certificatePem = certificatePem;
    if (this.#trust !== undefined) this.#gate = this.#openGate(this.#trust);
  }

  dial(peer: NodeId, address: Address): void {
    if (this.#closed || this.#dials.isUnderWay(peer, address)) return;
    const target = ipAddressParts(address);
    const gate = this.#gate;
    const isPeer = this.#trust?.peers.some(({ id }) => id === peer);
    if (gate === undefined || target === undefined || isPeer !== true) {
      const wrong = target === undefined ? "this is not an address" : NOT_IN_ROSTER;
      const reason = gate === undefined ? "nobody is trusted yet" : wrong;
      queueMicrotask(() => this.#emit({ type: "dial-failed", peer, address, reason }));
      return;
    }
    const socket = gate.dial(target, nearestOwn(this.#own, target)?.host);
    this.#dials.start({ peer, address, socket, insteadOf: this.#sessions.get(peer)?.name });
  }

  send(peer: NodeId, plane: Plane, envelope: Envelope): void {
    const session = this.#sessions.get(peer);
    if (session === undefined) {
      this.#counters.dropped += 1;
      return;
    }
    const text = encodeEnvelope(envelope);
    if (plane === "stream" || !this.#sendDatagram(session, text)) session.send(text);
  }

  hangUp(peer: NodeId): void {
    this.#sessions.get(peer)?.end("hang-up", "local");
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#door.close();
    this.#joins.close();
    this.#dials.close();
    this.#dismissals.close();
    const leaving = [...this.#open];
    for (const session of leaving) session.end("stop", "local");
    this.#datagrams.close();
    await Promise.race([Promise.all(leaving.map((session) => session.gone())), pause(CLOSE_MS_MAX)]);
  }

  stats(): MeshStats {
    return {
      ...this.#counters,
      sessions: this.#sessions.size,
      unauthenticated: this.#door.waiting.size,
      splices: this.#joins.splices,
      refused: { ...this.#refusals.counts },
    };
  }

  certificates(): ReadonlyMap<NodeId, X509Certificate> {
    return new Map([...this.#sessions].map(([peer, { identity }]) => [peer, identity.leaf]));
  }

  #emit(event: TransportEvent): void {
    this.#options.onEvent(event);
  }

  #now(): WallTime {
    return wallTime(this.#options.wall?.() ?? Date.now());
  }

  #openGate(view: TrustView): Gate {
    const own = { keyPem: this.#options.keyPem, certificatePem: this.#certificatePem };
    return new Gate(own, view, {
      onPeer: (socket) => this.#meet(socket, "server"),
      onJoiner: (socket) => this.#joins.serve(socket),
      onFailed: (socket, error) => {
        this.#refusals.add(
          remoteOf(socket),
          fault("protocol-violation", `a TLS handshake failed: ${codeOf(error)}`),
        );
        socket.destroy();
      },
    });
  }

  /** A connection whose ClientHello was read. */
  #receive(socket: Socket, alpn: readonly string[]): void {
    const gate = this.#gate;
    if (gate === undefined || this.#trust === undefined) {
      this.#door.turnAway(
        socket,
        fault("protocol-violation", "a connection came before the roster was read", true),
      );
    } else if (alpn.includes(PEER_ALPN)) {
      gate.admitPeer(socket);
    } else if (alpn.includes(JOIN_ALPN)) {
      this.#joins.receive(socket, gate, this.#trust, this.#now());
    } else {
      this.#door.turnAway(
        socket,
        fault("protocol-violation", "a connection asks for a protocol this is not"),
      );
    }
  }

  /** A TLS connection stands: find out who it is before a byte of it is used, and greet. */
  #meet(socket: TLSSocket, role: Role, dial?: Dial): void {
    socket.on("error", () => socket.destroy());
    const trust = this.#trust;
    if (trust === undefined || socket.destroyed || this.#closed) {
      socket.destroy();
      return;
    }
    const identity = identify(socket, trust, this.#now(), dial?.peer);
    if (!identity.ok) {
      this.#refusals.add(remoteOf(socket), identity.error);
      if (dial !== undefined) this.#dials.fail(dial, identity.error.message);
      if (!this.#dismiss(socket, trust)) socket.destroy();
      return;
    }
    const { peer } = identity.value;
    const ended = dial?.insteadOf ?? this.#ended.get(peer);
    const hello = this.#helloFor(plainHost(socket.localAddress), ended);
    const events = this.#sessionEvents(connectionKey(socket), dial);
    const session = new Session(socket, identity.value, role, hello, events, this.#counters);
    this.#open.add(session);
    this.#named.set(session.name, session);
  }

  /** False when there is nothing to tell it. */
  #dismiss(socket: TLSSocket, trust: TrustView): boolean {
    if (trust.dismissal === undefined || !isDismissed(socket, trust)) return false;
    const hello = this.#helloFor(plainHost(socket.localAddress), undefined);
    return this.#dismissals.tell(socket, hello, trust.dismissal);
  }

  #helloFor(localHost: string, ended: string | undefined): Hello {
    const udpPort = this.#datagrams.portOf(localHost) ?? UNBOUND_PORT;
    return {
      versions: PROTOCOL_VERSIONS,
      life: this.#life,
      udpPort,
      ...(ended === undefined ? {} : { ended }),
    };
  }

  #sessionEvents(key: string, dial: Dial | undefined): SessionEvents {
    return {
      onGreeted: (session) => {
        this.#door.waiting.leave(key);
        if (this.#settle(session) && dial !== undefined) this.#dials.succeed(dial);
      },
      onEnvelope: (session, envelope) => this.#received(session, "stream", envelope),
      onRefused: (session, { code, message, ...rest }) => {
        const { name } = session.identity;
        this.#refusals.add(remoteOfSession(session), { ...rest, code, message: `${name}: ${message}` });
        if (dial !== undefined) this.#dials.fail(dial, message);
      },
      onEnded: (session, end) => {
        if (dial !== undefined) this.#dials.fail(dial, reasonOf(session.farewell));
        this.#forget(session, end);
      },
    };
  }

  /** Whether the greeted session stays; the peer has one afterwards either way. */
  #settle(session: Session): boolean {
    const current = this.#sessions.get(session.identity.peer);
    if (current !== undefined) {
      if (!supersedes(session, current, this.#trust?.self ?? "", session.identity.peer)) {
        session.end("replaced", "replaced");
        return false;
      }
      current.end("replaced", "replaced");
    }
    const { identity, name } = session;
    session.open();
    this.#sessions.set(identity.peer, session);
    this.#emit({
      type: "session-up",
      peer: identity.peer,
      session: name,
      address: addressOf(session.remoteHost, session.remotePort),
      certificateExpires: identity.expires,
      certificateFlagged: identity.flagged,
    });
    return true;
  }

  #forget(session: Session, end: SessionEnd): void {
    const { peer } = session.identity;
    this.#open.delete(session);
    this.#named.delete(session.name);
    if (this.#sessions.get(peer) !== session) return;
    this.#sessions.delete(peer);
    this.#ended.set(peer, session.name);
    this.#emit({ type: "session-down", peer, session: session.name, end });
  }

  #received(session: Session, plane: Plane, envelope: Envelope): void {
    this.#emit({ type: "received", peer: session.identity.peer, session: session.name, plane, envelope });
  }

  /** False when it does not fit a datagram. */
  #sendDatagram(session: Session, text: string): boolean {
    const payload = Buffer.from(text);
    const packet = session.box.seal(payload);
    if (packet === undefined) {
      if (payload.length > DATAGRAM_PLAINTEXT_BYTES_MAX) this.#counters.datagramsTooLarge += 1;
      return false;
    }
    const port = session.hello?.udpPort ?? 0;
    this.#datagrams.send(packet, session.localHost, { host: session.remoteHost, port });
    this.#counters.datagramsSent += 1;
    this.#counters.datagramBytesSent += packet.length;
    return true;
  }

  #openDatagram(packet: Buffer, remote: string): void {
    this.#counters.datagramsReceived += 1;
    this.#counters.datagramBytesReceived += packet.length;
    const name = claimedSession(packet);
    const session = name === undefined ? undefined : this.#named.get(name);
    if (session === undefined) {
      const what = name === undefined ? "a datagram is not ours" : "a datagram belongs to no session";
      this.#refusals.add(remote, fault("protocol-violation", what));
      return;
    }
    if (session.state === "greeting") {
      this.#counters.datagramsEarly += 1;
      return;
    }
    const payload = session.box.open(packet);
    if (typeof payload === "string") this.#refusals.add(remote, unopened(session, payload));
    else this.#readDatagram(session, payload, remote);
  }

  #readDatagram(session: Session, payload: Buffer, remote: string): void {
    const envelope = decodeEnvelope(payload.toString("utf8"));
    if (!envelope.ok) this.#refusals.add(remote, envelope.error);
    else if (envelope.value === "unknown-message") this.#counters.unknownMessages += 1;
    else this.#received(session, "datagram", envelope.value);
  }
}

const unopened = (session: Session, why: Unopened): Failure =>
  fault("protocol-violation", `a datagram said to be from ${session.identity.name} was ${why}`);

const remoteOf = (socket: Socket): string => `${plainHost(socket.remoteAddress)}:${socket.remotePort ?? 0}`;
const remoteOfSession = ({ remoteHost, remotePort }: Session): string => addressOf(remoteHost, remotePort);

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name;

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
