/**
 * The daemon's HTTP port. It never keeps the daemon from watching: an address that cannot be had is
 * tried again until it can. HTTP itself is loaded with the first connection, so that a host where
 * nobody asks pays for a listening socket only.
 */
import type { Server as HttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import type { Failure } from "../../kit/result.ts";
import { type HttpListen, type ListenParts, loopbackParts } from "../../wire/http-listen.ts";
import type { HttpPages } from "./pages.ts";

export const HTTP_CONNECTIONS_MAX: number = 16;
/** From connecting to the last byte of the answer. */
export const HTTP_CONNECTION_MS_MAX: number = 10_000;
const RETRY_MS = 5000;

/**
 * - `off`: none is wanted.
 * - `listening`: at this address, with the port that the kernel chose where 0 was asked for.
 * - `failing`: the address cannot be had; it is tried again.
 */
export type HttpDoorState =
  | { readonly kind: "off" }
  | { readonly kind: "listening"; readonly address: string }
  | { readonly kind: "failing"; readonly address: string; readonly failure: Failure };

export interface HttpDoorOptions {
  readonly pages: HttpPages;
  readonly onState: (state: HttpDoorState) => void;
  /** Default: 10 s. */
  readonly connectionMsMax?: number;
  /** Default: 5 s. */
  readonly retryMs?: number;
}

export class HttpDoor {
  readonly #options: HttpDoorOptions;
  readonly #sockets = new Set<Socket>();
  #state: HttpDoorState = { kind: "off" };
  #server: Server | undefined;
  #requests: Promise<HttpServer> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: HttpDoorOptions) {
    this.#options = options;
  }

  get state(): HttpDoorState {
    return this.#state;
  }

  /** Leaves the address it had. Resolves after the first attempt, however that ended. */
  async open(listen: HttpListen): Promise<void> {
    await this.close();
    const parts = loopbackParts(listen);
    if (parts !== undefined) await this.#attempt(listen, parts);
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
    this.#become({ kind: "off" });
  }

  #become(state: HttpDoorState): void {
    const before = this.#state;
    this.#state = state;
    const isNews =
      before.kind !== state.kind ||
      (state.kind !== "off" && before.kind !== "off" && before.address !== state.address);
    if (isNews) this.#options.onState(state);
  }

  async #attempt(listen: HttpListen, { host, port }: ListenParts): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (socket) => void this.#serve(socket));
    server.maxConnections = HTTP_CONNECTIONS_MAX;
    this.#server = server;
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      // Stays for the server's life: what cannot be accepted later, for want of descriptors, ends nothing.
      server.on("error", resolve);
      server.listen({ host, port }, () => resolve(undefined));
    });
    if (this.#server !== server) {
      server.close();
      return;
    }
    if (error === undefined) {
      this.#become({ kind: "listening", address: boundAddress(server, listen) });
      return;
    }
    this.#become({ kind: "failing", address: listen, failure: listenFailure(listen, error) });
    this.#retry = setTimeout(
      () => void this.#attempt(listen, { host, port }),
      this.#options.retryMs ?? RETRY_MS,
    );
    this.#retry.unref();
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const deadline = setTimeout(
      () => socket.destroy(),
      this.#options.connectionMsMax ?? HTTP_CONNECTION_MS_MAX,
    );
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(deadline);
      this.#sockets.delete(socket);
    });
    const requests = await this.#loaded();
    if (requests === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    requests.emit("connection", socket);
    socket.resume();
  }

  /** Undefined where the program's files were replaced under a running daemon, which goes on watching. */
  async #loaded(): Promise<HttpServer | undefined> {
    const { pages } = this.#options;
    const isFirst = this.#requests === undefined;
    this.#requests ??= import("./app.ts").then(({ createRequestServer }) => createRequestServer(pages));
    try {
      return await this.#requests;
    } catch (error) {
      if (isFirst) pages.onError(error as Error);
      return undefined;
    }
  }
}

function boundAddress(server: Server, listen: HttpListen): string {
  const bound = server.address();
  if (bound === null || typeof bound === "string") return listen;
  return bound.family === "IPv6" ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}

function listenFailure(listen: HttpListen, { code = "unknown error" }: NodeJS.ErrnoException): Failure {
  if (code === "EADDRINUSE") {
    const port = listen.slice(listen.lastIndexOf(":") + 1);
    const remedy = `Find who has it with \`ss -ltnp 'sport = :${port}'\`, or set http.listen to another port or to off.`;
    return { code: "address-in-use", message: `${listen} is in use by another process`, remedy, retry: true };
  }
  const remedy = "Set http.listen to an address and a port that this daemon may have, or to off.";
  return {
    code: "address-invalid",
    message: `${listen} cannot be listened on (${code})`,
    remedy,
    retry: true,
  };
}
