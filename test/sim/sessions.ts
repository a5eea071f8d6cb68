/**
 * Sessions, streams and datagrams between hosts, as TCP, TLS and UDP behave:
 * a stream is reliable and in order, its lost segments are sent again after a
 * timeout that doubles, and a segment for a session the host does not know is
 * answered with a reset. A datagram needs the same session at both ends.
 */
import type { SessionEnd, SingleInput } from "../../src/core/io.ts";
import type { Envelope, Plane } from "../../src/core/messages.ts";
import type { Address, NodeId } from "../../src/core/types.ts";
import type { WallTime } from "../../src/kit/time.ts";
import type { Network } from "./network.ts";
import type { Timeline } from "./timeline.ts";
import type { WireMeter } from "./wire-meter.ts";

/** A host as its sessions see it. */
export interface Endpoint {
  readonly id: NodeId;
  /** One for each network. */
  readonly addresses: readonly Address[];
  readonly powered: boolean;
  readonly running: boolean;
  /** Raised with every start of the process. */
  readonly life: number;
  readonly wall: number;
  /** Does it when the process next runs: now, or on resume; datagrams beyond the socket's buffer are lost. */
  whenAwake(kind: "datagram" | "stream", action: () => void): void;
  give(input: SingleInput): void;
}

const DIAL_PATIENCE = 3000;
const SYN_RETRY = 1000;
const RTO_MIN = 200;
const RTO_MAX = 120_000;
/** Linux gives up after about this long without an acknowledgement (tcp_retries2). */
const STREAM_PATIENCE = 924_000;
const CERTIFICATE_LIFE = 30 * 86_400_000;

type Item =
  | { readonly kind: "hello" }
  | { readonly kind: "message"; readonly envelope: Envelope }
  | { readonly kind: "end"; readonly end: SessionEnd };

interface Stream {
  readonly from: number;
  readonly to: number;
  readonly network: number;
  readonly queue: Item[];
  rto: number;
  waiting: boolean;
  stalledSince: number | undefined;
  lastArrival: number;
  dead: boolean;
}

interface Session {
  readonly id: string;
  readonly order: number;
  readonly dialler: number;
  readonly acceptor: number;
  readonly acceptorLife: number;
  readonly network: number;
  readonly open: Set<number>;
  /** Ends that were closed on purpose: what still arrives there is dropped, the end is on its way. */
  readonly closed: Set<number>;
  readonly streams: ReadonlyMap<number, Stream>;
}

export class Sessions {
  readonly #timeline: Timeline;
  readonly #network: Network;
  readonly #hosts: readonly Endpoint[];
  readonly #meter: WireMeter;
  readonly #current: (Session | undefined)[][];
  /** Every session with a stream that may still carry something from the host. */
  readonly #alive: Set<Session>[];
  readonly #dialling = new Set<string>();
  #order = 0;

  constructor(timeline: Timeline, network: Network, hosts: readonly Endpoint[], meter: WireMeter) {
    this.#timeline = timeline;
    this.#network = network;
    this.#hosts = hosts;
    this.#meter = meter;
    this.#current = hosts.map(() => hosts.map(() => undefined));
    this.#alive = hosts.map(() => new Set());
  }

  /** Whether this end of the pair has a session. */
  has(host: number, peer: number): boolean {
    return this.#current[host]?.[peer] !== undefined;
  }

  send(from: number, to: number, plane: Plane, envelope: Envelope): void {
    const session = this.#current[from]?.[to];
    if (session === undefined) return;
    const copy = this.#meter.pass(from, plane, envelope);
    if (plane === "stream") {
      this.#enqueue(session, from, { kind: "message", envelope: copy });
      return;
    }
    if (this.#network.loses(from, to, session.network)) return;
    this.#timeline.in(this.#network.leg(from, to), () => this.#datagramArrives(session, from, to, copy));
  }

  hangUp(host: number, peer: number): void {
    const session = this.#current[host]?.[peer];
    if (session === undefined) return;
    this.#closeEnd(session, host, "goodbye");
    this.#sayDown(session, host, "local");
  }

  /** The process is gone; while its host lives, the kernel still says so to every peer. */
  processEnded(host: number, how: "crash" | "exit" | "power"): void {
    // Without power the kernel says nothing, and what it had yet to send is gone.
    if (how === "power") this.#silence(host);
    this.#hosts.forEach((_, peer) => {
      const session = this.#current[host]?.[peer];
      if (session !== undefined) this.#closeEnd(session, host, how === "exit" ? "goodbye" : "reset");
    });
    for (const key of this.#dialling) if (key.startsWith(`${host}>`)) this.#dialling.delete(key);
  }

  #silence(host: number): void {
    for (const session of this.#alive[host] ?? []) {
      const stream = session.streams.get(host);
      if (stream !== undefined) stream.dead = true;
    }
    this.#alive[host]?.clear();
  }

  dial(from: number, to: number, address: Address): void {
    const key = `${from}>${to} ${address}`;
    const dialler = this.#hosts[from];
    const network = this.#hosts[to]?.addresses.indexOf(address) ?? -1;
    if (this.#dialling.has(key) || dialler === undefined || network < 0) return;
    this.#dialling.add(key);
    this.#order += 1;
    const attempt: Attempt = {
      from,
      to,
      address,
      network,
      key,
      order: this.#order,
      life: dialler.life,
      until: this.#timeline.now + DIAL_PATIENCE,
      over: false,
    };
    this.#timeline.schedule(attempt.until, () => this.#dialFailed(attempt, "no answer within 3 s"));
    this.#knock(attempt);
  }

  /** The TCP handshake: one round trip, or a refusal. */
  #knock(attempt: Attempt): void {
    if (attempt.over) return;
    const { from, to, network } = attempt;
    const peer = this.#hosts[to];
    if (peer === undefined) return;
    if (this.#network.loses(from, to, network) || !peer.powered || this.#network.loses(to, from, network)) {
      this.#timeline.in(SYN_RETRY, () => this.#knock(attempt));
      return;
    }
    const roundTrip = this.#network.leg(from, to) + this.#network.leg(to, from);
    this.#timeline.in(roundTrip, () => {
      if (!peer.running) this.#dialFailed(attempt, "connection refused");
      else this.#shakeHands(attempt, RTO_MIN);
    });
  }

  /** The TLS handshake: one more round trip, for which both processes must be awake. */
  #shakeHands(attempt: Attempt, rto: number): void {
    if (attempt.over) return;
    const { from, to, network } = attempt;
    const peer = this.#hosts[to];
    const dialler = this.#hosts[from];
    if (peer === undefined || dialler === undefined) return;
    const lost =
      this.#network.loses(from, to, network) || !peer.powered || this.#network.loses(to, from, network);
    if (lost) {
      this.#timeline.in(rto, () => this.#shakeHands(attempt, Math.min(rto * 2, RTO_MAX)));
      return;
    }
    this.#timeline.in(this.#network.leg(from, to), () => {
      if (!peer.running) return this.#dialFailed(attempt, "connection reset");
      const { life } = peer;
      peer.whenAwake("stream", () => {
        this.#timeline.in(this.#network.leg(to, from), () => {
          if (dialler.life === attempt.life)
            dialler.whenAwake("stream", () => this.#dialSucceeded(attempt, life));
        });
      });
    });
  }

  #dialSucceeded(attempt: Attempt, acceptorLife: number): void {
    if (attempt.over) return;
    attempt.over = true;
    this.#dialling.delete(attempt.key);
    const { from, to, order, network } = attempt;
    const session: Session = {
      id: `s${order}`,
      order,
      dialler: from,
      acceptor: to,
      acceptorLife,
      network,
      open: new Set(),
      closed: new Set(),
      streams: new Map([
        [from, newStream(from, to, network)],
        [to, newStream(to, from, network)],
      ]),
    };
    this.#alive[from]?.add(session);
    this.#alive[to]?.add(session);
    // First in the stream, before anything the dialler says once it knows of the session.
    this.#enqueue(session, from, { kind: "hello" });
    this.#open(session, from);
  }

  #dialFailed(attempt: Attempt, reason: string): void {
    if (attempt.over) return;
    attempt.over = true;
    const { from, to, address } = attempt;
    const dialler = this.#hosts[from];
    const peer = this.#hosts[to];
    if (dialler === undefined || peer === undefined || dialler.life !== attempt.life) return;
    this.#dialling.delete(attempt.key);
    if (!dialler.running) return;
    dialler.whenAwake("stream", () => dialler.give({ type: "dial-failed", peer: peer.id, address, reason }));
  }

  /** Of two sessions of a pair the one whose dial began later stays, at both ends. */
  #open(session: Session, host: number): void {
    const peerIndex = otherEnd(session, host);
    const end = this.#hosts[host];
    const peer = this.#hosts[peerIndex];
    const row = this.#current[host];
    if (end === undefined || peer === undefined || row === undefined) return;
    const current = row[peerIndex];
    if (current !== undefined && current.order > session.order) {
      this.#enqueue(session, host, { kind: "end", end: "replaced" });
      return;
    }
    if (current !== undefined) {
      this.#closeEnd(current, host, "replaced");
      this.#sayDown(current, host, "replaced");
    }
    session.open.add(host);
    row[peerIndex] = session;
    end.give({
      type: "session-up",
      peer: peer.id,
      session: session.id,
      address: peer.addresses[session.network] ?? "",
      certificateExpires: (end.wall + CERTIFICATE_LIFE) as WallTime,
      certificateFlagged: false,
    });
  }

  /** Closes this end and lets the peer know in the stream's order. */
  #closeEnd(session: Session, host: number, toldPeer: SessionEnd): void {
    this.#forget(session, host);
    if (toldPeer !== "reset") session.closed.add(host);
    this.#enqueue(session, host, { kind: "end", end: toldPeer });
  }

  #forget(session: Session, host: number): void {
    session.open.delete(host);
    const row = this.#current[host];
    const peer = otherEnd(session, host);
    if (row !== undefined && row[peer] === session) row[peer] = undefined;
  }

  #sayDown(session: Session, host: number, end: SessionEnd): void {
    const peer = this.#hosts[otherEnd(session, host)];
    if (peer === undefined) return;
    this.#hosts[host]?.give({ type: "session-down", peer: peer.id, session: session.id, end });
  }

  #enqueue(session: Session, from: number, item: Item): void {
    const stream = session.streams.get(from);
    if (stream === undefined || stream.dead) return;
    stream.queue.push(item);
    if (!stream.waiting) this.#pump(session, stream);
  }

  /** Sends what waits; at the first lost segment, waits for the retransmission timeout. */
  #pump(session: Session, stream: Stream): void {
    stream.waiting = false;
    while (!stream.dead) {
      const item = stream.queue[0];
      if (item === undefined) return;
      const receiver = this.#hosts[stream.to];
      if (receiver?.powered !== true || this.#network.loses(stream.from, stream.to, stream.network)) {
        this.#waitToResend(session, stream);
        return;
      }
      stream.queue.shift();
      stream.rto = RTO_MIN;
      stream.stalledSince = undefined;
      const arrival = this.#timeline.now + this.#network.leg(stream.from, stream.to);
      stream.lastArrival = Math.max(stream.lastArrival, arrival);
      this.#timeline.schedule(stream.lastArrival, () => this.#segmentArrives(session, stream, item));
      if (item.kind === "end") {
        stream.dead = true;
        this.#alive[stream.from]?.delete(session);
      }
    }
  }

  #waitToResend(session: Session, stream: Stream): void {
    stream.stalledSince ??= this.#timeline.now;
    if (this.#timeline.now - stream.stalledSince > STREAM_PATIENCE) {
      stream.dead = true;
      this.#reset(session, stream.from);
      return;
    }
    stream.waiting = true;
    this.#timeline.in(stream.rto, () => this.#pump(session, stream));
    stream.rto = Math.min(stream.rto * 2, RTO_MAX);
  }

  #segmentArrives(session: Session, stream: Stream, item: Item): void {
    const { from, to } = stream;
    const receiver = this.#hosts[to];
    if (receiver?.powered !== true) return;
    const { life } = receiver;
    const knowsSession = session.open.has(to) || (item.kind === "hello" && life === session.acceptorLife);
    if (!receiver.running || !knowsSession) {
      const endIsComing = session.closed.has(to);
      if (item.kind !== "end" && !endIsComing && !this.#network.loses(to, from, session.network)) {
        this.#timeline.in(this.#network.leg(to, from), () => this.#reset(session, from));
      }
      return;
    }
    receiver.whenAwake("stream", () => this.#read(session, from, to, item));
  }

  #read(session: Session, from: number, to: number, item: Item): void {
    if (item.kind === "hello") {
      this.#open(session, to);
      return;
    }
    if (!session.open.has(to)) return;
    if (item.kind === "end") {
      this.#forget(session, to);
      this.#sayDown(session, to, item.end);
      return;
    }
    this.#deliver(session, from, to, "stream", item.envelope);
  }

  #datagramArrives(session: Session, from: number, to: number, envelope: Envelope): void {
    const receiver = this.#hosts[to];
    if (receiver?.running !== true) return;
    receiver.whenAwake("datagram", () => {
      if (this.#current[to]?.[from] === session) this.#deliver(session, from, to, "datagram", envelope);
    });
  }

  #deliver(session: Session, from: number, to: number, plane: Plane, envelope: Envelope): void {
    const sender = this.#hosts[from];
    if (sender === undefined) return;
    this.#hosts[to]?.give({ type: "received", peer: sender.id, session: session.id, plane, envelope });
  }

  #reset(session: Session, host: number): void {
    const stream = session.streams.get(host);
    if (stream !== undefined) stream.dead = true;
    this.#alive[host]?.delete(session);
    const end = this.#hosts[host];
    if (!session.open.has(host) || end?.running !== true) return;
    end.whenAwake("stream", () => {
      if (!session.open.has(host)) return;
      this.#forget(session, host);
      this.#sayDown(session, host, "reset");
    });
  }
}

interface Attempt {
  readonly from: number;
  readonly to: number;
  readonly address: Address;
  readonly network: number;
  readonly key: string;
  readonly order: number;
  /** The life of the process that dials: a later one knows nothing of it. */
  readonly life: number;
  readonly until: number;
  over: boolean;
}

const otherEnd = (session: Session, host: number): number =>
  host === session.dialler ? session.acceptor : session.dialler;

const newStream = (from: number, to: number, network: number): Stream => ({
  from,
  to,
  network,
  queue: [],
  rto: RTO_MIN,
  waiting: false,
  stalledSince: undefined,
  lastArrival: 0,
  dead: false,
});
