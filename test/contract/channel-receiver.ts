/** A receiver of posts that does as it is told, over real sockets on loopback. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What the receiver does with a post once it has read it. */
export type Answer = (response: ServerResponse, received: Received) => void;

export interface Receiver {
  readonly port: number;
  readonly received: readonly Received[];
  /** For all posts from now on. */
  answer(how: Answer): void;
  close(): Promise<void>;
}

export const status =
  (code: number, reply = "", headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(code, headers).end(reply);
  };

/** Reads the post and says nothing, ever. */
export const silence: Answer = () => undefined;

/** Breaks off with a TCP reset instead of an answer. */
export const reset: Answer = (response) => {
  response.socket?.resetAndDestroy();
};

/** Answers, and breaks off in the middle of the reply. */
export const resetInReply: Answer = (response) => {
  response.writeHead(200, { "content-length": "1000" });
  response.write("the beginning of it ".padEnd(500, "."), () => response.socket?.resetAndDestroy());
};

/** Never stops replying. */
export const endlessReply: Answer = (response) => {
  response.writeHead(200);
  const pour = (): void => {
    while (!response.destroyed && response.write("0123456789abcdef".repeat(512)));
  };
  response.on("drain", pour).on("error", () => undefined);
  pour();
};

export interface Certified {
  readonly key: string;
  readonly cert: string;
}

/** Listens on 127.0.0.1, with TLS when a certificate is given. */
export async function startReceiver(tls?: Certified): Promise<Receiver> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let how: Answer = status(200, "ok");

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("error", () => undefined).on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const post: Received = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      received.push(post);
      how(response, post);
    });
  };
  const server: Server = tls === undefined ? createHttpServer(serve) : createHttpsServer(tls, serve);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    answer: (next) => {
      how = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
