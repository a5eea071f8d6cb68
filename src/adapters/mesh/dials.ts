/** Attempts at peers' addresses under way. */
import type { TLSSocket } from "node:tls";
import type { Address, NodeId } from "../../core/types.ts";
import type { ByeReason } from "../../wire/peer-hello.ts";

const CONNECT_MS_MAX = 3000;
/** From the TCP connection to the peer's hello. */
const GREETING_MS_MAX = 5000;

export const NOT_IN_ROSTER = "the peer is not in the roster";

export interface Dial {
  readonly peer: NodeId;
  readonly address: Address;
  readonly socket: TLSSocket;
  /** The session that the peer had when this began: whoever dials all the same has given it up. */
  readonly insteadOf: string | undefined;
}

export interface DialEvents {
  readonly onConnected: (dial: Dial) => void;
  /** Once, and only if it did not succeed. */
  readonly onFailed: (dial: Dial, reason: string) => void;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  EHOSTUNREACH: "the host does not answer",
  ENETUNREACH: "there is no way to that network",
  EADDRNOTAVAIL: "this node's own address is not on any interface",
  ECONNRESET: "the connection was reset during the handshake",
};

export class Dials {
  readonly #underWay = new Map<string, { readonly dial: Dial; timer: NodeJS.Timeout }>();
  readonly #events: DialEvents;
  constructor(events: DialEvents) {
    this.#events = events;
  }

  isUnderWay(peer: NodeId, address: Address): boolean {
    return this.#underWay.has(keyOf({ peer, address }));
  }

  start(dial: Dial): void {
    const { socket } = dial;
    const attempt = { dial, timer: this.#limit(dial, CONNECT_MS_MAX, "the host does not answer") };
    this.#underWay.set(keyOf(dial), attempt);
    socket.once("connect", () => {
      clearTimeout(attempt.timer);
      attempt.timer = this.#limit(dial, GREETING_MS_MAX, "the peer does not greet");
    });
    socket.once("secureConnect", () => this.#events.onConnected(dial));
    socket.once("error", (error) => this.fail(dial, describe(error)));
    socket.once("close", () => this.fail(dial, "the connection closed during the handshake"));
  }

  /** Nothing happens when it is no longer under way. */
  fail(dial: Dial, reason: string): void {
    if (!this.#finish(dial)) return;
    dial.socket.destroySoon();
    this.#events.onFailed(dial, reason);
  }

  /** The peer's other addresses need no attempt any more. */
  succeed(dial: Dial): void {
    this.#finish(dial);
    for (const { dial: other } of [...this.#underWay.values()]) {
      if (other.peer !== dial.peer) continue;
      this.#abandon(other, "the peer was reached at another address");
    }
  }

  /** Ends attempts at all others. A peer that is removed keeps no half-open connection either. */
  keepTo(peers: ReadonlySet<NodeId>): void {
    for (const { dial } of [...this.#underWay.values()]) {
      if (!peers.has(dial.peer)) this.#abandon(dial, NOT_IN_ROSTER);
    }
  }

  close(): void {
    for (const { dial } of [...this.#underWay.values()]) {
      this.#finish(dial);
      dial.socket.destroy();
    }
  }

  #limit(dial: Dial, milliseconds: number, reason: string): NodeJS.Timeout {
    return setTimeout(() => this.#abandon(dial, reason), milliseconds);
  }

  /** Whatever was to be written to it is not. */
  #abandon(dial: Dial, reason: string): void {
    this.fail(dial, reason);
    dial.socket.destroy();
  }

  #finish(dial: Dial): boolean {
    const key = keyOf(dial);
    const attempt = this.#underWay.get(key);
    if (attempt?.dial !== dial) return false;
    clearTimeout(attempt.timer);
    return this.#underWay.delete(key);
  }
}

const keyOf = ({ peer, address }: { peer: NodeId; address: Address }): string => `${peer} ${address}`;

function describe(error: NodeJS.ErrnoException): string {
  const code = error.code ?? error.name;
  const reason = REASONS[code];
  return reason === undefined ? code : `${reason} (${code})`;
}

/** Why a connection that was dialled never became a session. */
export function reasonOf(farewell: ByeReason | undefined): string {
  switch (farewell) {
    case undefined:
      return "the connection closed before the peer greeted";
    case "replaced":
      return "another session took its place";
    case "version":
      return "the peer speaks no protocol version of ours";
    case "stop":
    case "hang-up":
    case "revoked":
    case "violation":
      return `the peer ended it: ${farewell}`;
  }
}
