/** The TLS end of what the door lets through: peers show a certificate, joiners have none yet. */
import { constants, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from "node:tls";
import type { WallTime } from "../../kit/time.ts";
import type { TrustView } from "../../ports/transport.ts";
import type { AddressParts } from "../../wire/address.ts";
import { JOIN_ALPN } from "../../wire/join.ts";
import { isFlagged, PEER_ALPN } from "./peer-identity.ts";
import { UNAUTHENTICATED_MS } from "./waiting-room.ts";

export interface OwnIdentity {
  /** PKCS #8 or SEC 1. */
  readonly keyPem: string;
  /** Leaf, then intermediate. */
  readonly certificatePem: string;
}

export interface GateEvents {
  readonly onPeer: (socket: TLSSocket) => void;
  readonly onJoiner: (socket: TLSSocket) => void;
  /** The handshake failed. */
  readonly onFailed: (socket: TLSSocket, error: Error) => void;
}

/** One set of TLS contexts for one set of roots and issuers; replaced as a whole when those change. */
export class Gate {
  readonly #peers: Server;
  readonly #joiners: Server;
  readonly #dialling: ConnectionOptions;
  readonly #own: X509Certificate;

  constructor(own: OwnIdentity, trust: Pick<TrustView, "roots" | "issuers">, events: GateEvents) {
    const common: SecureContextOptions = {
      key: own.keyPem,
      cert: own.certificatePem,
      // OpenSSL takes an issuer it knows before the one it is shown, and does not stop short of a root.
      ca: authoritiesOf(trust),
      minVersion: "TLSv1.3",
      // Without tickets there is nothing to resume, so no key outlives its connection.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
    // The roster decides who is a peer (peer-identity.ts), after the handshake and before any byte is used.
    const checkedLater = { requestCert: true, rejectUnauthorized: false };
    const patience = { handshakeTimeout: UNAUTHENTICATED_MS };
    this.#peers = createServer({ ...common, ...checkedLater, ...patience, ALPNProtocols: [PEER_ALPN] });
    this.#joiners = createServer({ ...common, ...patience, ALPNProtocols: [JOIN_ALPN] });
    this.#peers.on("secureConnection", events.onPeer);
    this.#joiners.on("secureConnection", events.onJoiner);
    for (const server of [this.#peers, this.#joiners]) {
      server.on("tlsClientError", (error, socket) => events.onFailed(socket, error));
    }
    this.#dialling = {
      secureContext: createSecureContext(common),
      ...checkedLater,
      ALPNProtocols: [PEER_ALPN],
      servername: "",
      checkServerIdentity: () => undefined,
    };
    this.#own = new X509Certificate(own.certificatePem);
  }

  admitPeer(socket: Socket): void {
    this.#peers.emit("connection", socket);
  }

  admitJoiner(socket: Socket): void {
    this.#joiners.emit("connection", socket);
  }

  dial({ host, port }: AddressParts, localAddress: string | undefined): TLSSocket {
    const socket = connect({
      ...this.#dialling,
      host,
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return socket;
  }

  /** A node outside its certificate's dates does not relay joins. */
  mayRelay(now: WallTime): boolean {
    return !isFlagged(this.#own, now);
  }
}

/** What a certificate has to lead to, or by. */
export const authoritiesOf = ({ roots, issuers }: Pick<TrustView, "roots" | "issuers">): string[] => [
  ...roots,
  ...issuers,
];

const KEEP_ALIVE_MS = 10_000;
