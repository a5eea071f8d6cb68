/** A receiver of HTTP requests that does as it is told, over real sockets on loopback. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { createChannel } from "../../src/adapters/channels/registry.ts";
import { wallTime } from "../../src/kit/time.ts";
import { channelConfig, type ToldConfig } from "../../src/wire/channel-config.ts";
import type { Arrived, ChannelUnderTest, ServiceMood } from "./channel-contract.ts";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What the receiver does with a request once it has read it. */
export type Answer = (response: ServerResponse, received: Received) => void;

export interface Receiver {
  readonly port: number;
  readonly received: readonly Received[];
  /** For all requests from now on. */
  answer(how: Answer): void;
  close(): Promise<void>;
}

export const status =
  (code: number, reply = "", headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(code, headers).end(reply);
  };

/** Reads the request and says nothing, ever. */
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

/** The moods of a service that says with HTTP's own means how it is; others translate some of them anew. */
export function httpAnswer(mood: ServiceMood): Answer {
  switch (mood.type) {
    case "accepts":
      return status(200, mood.saying);
    case "busy":
      return status(503, "busy", { "retry-after": String(mood.retryAfterSeconds) });
    case "refuses":
      return status(403, mood.saying);
    case "resets":
      return reset;
    case "babbles":
      return endlessReply;
    case "mute":
    case "gone":
      return silence;
  }
}

/** A channel of these settings, and the service behind it on this receiver. */
export function underTest(
  receiver: Receiver,
  settings: Readonly<Record<string, unknown>>,
  secrets: readonly string[],
  arrivedAs: (received: Received) => Arrived,
  answerOf: (mood: ServiceMood) => Answer = httpAnswer,
): ChannelUnderTest {
  const config = channelConfig.parse({ name: "phone", ...settings }) as ToldConfig;
  return {
    channel: createChannel(config, { wall: () => wallTime(Date.now()) }),
    secrets,
    service: {
      mood: async (mood) => {
        receiver.answer(answerOf(mood));
        if (mood.type === "gone") await receiver.close();
      },
      arrived: () => receiver.received.map(arrivedAs),
    },
    close: () => receiver.close(),
  };
}

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
