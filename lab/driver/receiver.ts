import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { machineMs } from "./clock.ts";

const BODY_BYTES_MAX = 1_048_576;
const DELIVERIES_MAX = 10_000;

/** `accept`: 200. `refuse`: 500. `hang`: takes the request and never answers. */
export type Answering = "accept" | "refuse" | "hang";

/** One webhook call as it arrived. */
export interface Delivery {
  /** When the whole body had arrived, on the machine's clock (clock.ts). */
  readonly atMs: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed JSON body, or the text when it is not JSON. */
  readonly body: unknown;
  readonly answered: Answering;
}

export interface Receiver {
  readonly url: string;
  readonly deliveries: readonly Delivery[];
  /** Calls back for every delivery from now on, until the returned function is called. */
  listen(listener: (delivery: Delivery) => void): () => void;
  /** How calls are answered from now on. */
  answer(mode: Answering): Promise<void>;
  close(): Promise<void>;
}

/** The deliveries so far and those who wait for more; shared by the server here and its proxy in another namespace. */
export class DeliveryLog {
  readonly deliveries: Delivery[] = [];
  readonly #listeners = new Set<(delivery: Delivery) => void>();

  add(delivery: Delivery): void {
    if (this.deliveries.length < DELIVERIES_MAX) this.deliveries.push(delivery);
    for (const listener of this.#listeners) listener(delivery);
  }

  listen(listener: (delivery: Delivery) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A real HTTP server that records what it is told. */
export async function openReceiver(host: string): Promise<Receiver> {
  const log = new DeliveryLog();
  let answering: Answering = "accept";
  const server = createServer((request, response) => {
    readBody(request)
      .then((text) => {
        log.add({
          atMs: machineMs(),
          path: request.url ?? "/",
          headers: flatten(request),
          body: parse(text),
          answered: answering,
        });
        reply(response, answering);
      })
      .catch(() => response.destroy());
  });
  await listening(server, host);
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return {
    url: `http://${host}:${port}/`,
    deliveries: log.deliveries,
    listen: (listener) => log.listen(listener),
    answer: async (mode) => {
      answering = mode;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const listening = (server: Server, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => resolve());
  });

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > BODY_BYTES_MAX) throw new Error("body too long");
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const flatten = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );

function reply(response: ServerResponse, answering: Answering): void {
  if (answering === "hang") return;
  response.writeHead(answering === "accept" ? 200 : 500, { "content-type": "text/plain" });
  response.end(answering === "accept" ? "received\n" : "not today\n");
}
