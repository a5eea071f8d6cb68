/** The daemon's control socket, as src/wire/rpc.ts describes it: one JSON object a line. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { RpcMethod, RpcParams, RpcResults, WatchEvent } from "../../src/wire/rpc.ts";
import { within } from "./clock.ts";

const ANSWER_MS_MAX = 10_000;
const CONNECT_MS_MAX = 2_000;

interface Line {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly event?: WatchEvent;
}

export interface Control {
  call<M extends Exclude<RpcMethod, "watch">>(method: M, params: RpcParams<M>): Promise<RpcResults[M]>;
  /** Calls back for every notice until the connection ends. */
  watch(listener: (event: WatchEvent) => void): void;
  /** Resolves when the daemon or we have closed the connection. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Connects to a running daemon; rejects when nobody listens. */
export async function openControl(path: string): Promise<Control> {
  // A connection that watches takes no other requests, so there are two.
  const calls = await openLines(path);
  const notices = await openLines(path);
  return {
    closed: calls.closed,
    close: () => {
      calls.socket.destroy();
      notices.socket.destroy();
    },
    watch: (listener) => {
      notices.ask("watch", {}, (line) => {
        if (line.event !== undefined) listener(line.event);
      });
    },
    call: (method, params) => {
      const answered = new Promise<never>((resolve, reject) => {
        calls.ask(method, params, (line) => {
          if (line.error === undefined) resolve(line.result as never);
          else reject(new Error(`${method}: ${line.error.code}: ${line.error.message}`));
        });
        void calls.closed.then(() => reject(new Error(`${method}: the daemon closed the connection`)));
      });
      return within(`an answer to ${method}`, ANSWER_MS_MAX, answered);
    },
  };
}

interface Lines {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  ask(method: RpcMethod, params: unknown, listener: (line: Line) => void): void;
}

async function openLines(path: string): Promise<Lines> {
  const socket = await connected(path);
  const listeners = new Map<number, (line: Line) => void>();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const lines = createInterface({ input: socket });
  // readline passes on what the socket meets: a killed daemon resets it, and `close` says all there is to say.
  lines.on("error", () => {});
  lines.on("line", (text) => {
    const line = JSON.parse(text) as Line;
    listeners.get(line.id)?.(line);
    if (line.event === undefined) listeners.delete(line.id);
  });
  let counter = 0;
  const ask: Lines["ask"] = (method, params, listener) => {
    counter += 1;
    listeners.set(counter, listener);
    socket.write(`${JSON.stringify({ id: counter, method, params })}\n`);
  };
  return { socket, closed, ask };
}

function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  const ready = new Promise<Socket>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // A daemon that was killed resets the connection; `close` follows and says all there is to say.
      socket.on("error", () => {});
      resolve(socket);
    });
  });
  return within(`to connect to ${path}`, CONNECT_MS_MAX, ready);
}
