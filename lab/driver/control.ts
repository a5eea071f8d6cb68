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
  const socket = await connected(path);
  const waiting = new Map<number, (line: Line) => void>();
  let counter = 0;
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  createInterface({ input: socket }).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    waiting.get(line.id)?.(line);
  });
  const ask = (method: RpcMethod, params: unknown, listener: (line: Line) => void): number => {
    counter += 1;
    waiting.set(counter, listener);
    socket.write(`${JSON.stringify({ id: counter, method, params })}\n`);
    return counter;
  };
  return {
    closed,
    close: () => socket.destroy(),
    watch: (listener) => {
      ask("watch", {}, (line) => {
        if (line.event !== undefined) listener(line.event);
      });
    },
    call: (method, params) => {
      const answered = new Promise<never>((resolve, reject) => {
        const id = ask(method, params, (line) => {
          waiting.delete(id);
          if (line.error === undefined) resolve(line.result as never);
          else reject(new Error(`${method}: ${line.error.code}: ${line.error.message}`));
        });
        void closed.then(() => reject(new Error(`${method}: the daemon closed the connection`)));
      });
      return within(`an answer to ${method}`, ANSWER_MS_MAX, answered);
    },
  };
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
