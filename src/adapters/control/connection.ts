/** One caller on the control socket: lines in, one at a time; answers out. */
import type { Socket } from "node:net";
import { type Failure, FailureError } from "../../kit/result.ts";
import {
  RPC_LINE_BYTES_MAX,
  type RpcHandlers,
  type RpcMethod,
  type RpcParams,
  rpcParams,
  rpcRequest,
  type WatchEvent,
} from "../../wire/rpc.ts";

/** A watcher that does not read is let go before the daemon's memory fills. */
export const UNREAD_BYTES_MAX: number = 1_048_576;

type Log = (line: string) => void;
type Answer = { readonly result: unknown } | { readonly error: Failure } | { readonly event: WatchEvent };

interface Connection {
  readonly socket: Socket;
  readonly handlers: RpcHandlers;
  readonly log: Log;
  /** Bytes of requests that were not looked at yet. */
  pending: Buffer<ArrayBufferLike>;
  busy: boolean;
  /** One watch a connection, and nothing after it. */
  watching: boolean;
}

const NEWLINE = 0x0a;

export const answer = (id: number, body: Answer): string => `${JSON.stringify({ id, ...body })}\n`;

/** Requests of one caller are answered in order; nothing more is read while one is under way. */
export function serveConnection(socket: Socket, handlers: RpcHandlers, log: Log): void {
  const connection = { socket, handlers, log, pending: Buffer.alloc(0), busy: false, watching: false };
  socket.on("data", (chunk: Buffer) => {
    connection.pending = Buffer.concat([connection.pending, chunk]);
    if (!connection.busy) void drain(connection);
  });
}

async function drain(connection: Connection): Promise<void> {
  const { socket } = connection;
  connection.busy = true;
  socket.pause();
  while (!socket.writableEnded && !socket.destroyed) {
    const end = connection.pending.indexOf(NEWLINE);
    if ((end === -1 ? connection.pending.length : end) > RPC_LINE_BYTES_MAX) refuse(socket, TOO_LONG);
    else if (end === -1) break;
    else {
      const line = connection.pending.toString("utf8", 0, end);
      connection.pending = connection.pending.subarray(end + 1);
      await serveLine(line, connection);
    }
  }
  connection.busy = false;
  socket.resume();
}

const TOO_LONG: Failure = {
  code: "limit-reached",
  message: `a request is longer than ${RPC_LINE_BYTES_MAX} bytes`,
  retry: false,
};

/** Says why, and ends the connection; what still arrives is dropped unread. */
function refuse(socket: Socket, error: Failure): void {
  socket.removeAllListeners("data");
  socket.end(answer(0, { error }));
}

async function serveLine(line: string, connection: Connection): Promise<void> {
  const { socket, handlers, log } = connection;
  const request = rpcRequest.safeParse(parseJson(line));
  if (!request.success) return refuse(socket, violation("this is not a request"));
  const { id, method, params } = request.data;
  const send = (body: Answer): void => {
    if (!socket.destroyed) socket.write(answer(id, body));
  };
  if (connection.watching)
    return refuse(socket, violation("a connection that watches takes no more requests"));
  if (!isMethod(method)) return send({ error: violation("this daemon does not know the method asked for") });
  const checked = rpcParams[method].safeParse(params);
  if (!checked.success) {
    return send({ error: violation(`the parameters of ${method} are not as they should be`) });
  }
  if (method === "watch") {
    connection.watching = true;
    return startWatch(socket, send, handlers);
  }
  send(await outcomeOf(() => invoke(handlers, method, checked.data), method, log));
}

const isMethod = (method: string): method is RpcMethod => Object.hasOwn(rpcParams, method);

const violation = (message: string): Failure => ({
  code: "protocol-violation",
  message,
  remedy: "The command and the daemon may be of different versions: restart the daemon after an upgrade.",
  retry: false,
});

function invoke<M extends Exclude<RpcMethod, "watch">>(
  handlers: RpcHandlers,
  method: M,
  params: unknown,
): Promise<unknown> {
  // The schema of this very method has checked the parameters.
  const handler = handlers[method] as (params: RpcParams<M>) => Promise<unknown>;
  return handler(params as RpcParams<M>);
}

/** A FailureError is the answer; anything else is a bug whose details stay in the log. */
async function outcomeOf(work: () => Promise<unknown>, method: string, log: Log): Promise<Answer> {
  try {
    return { result: await work() };
  } catch (error) {
    if (error instanceof FailureError) return { error: error.failure };
    log(`control socket: ${method} failed: ${error instanceof Error ? error.stack : String(error)}`);
    const remedy = "See the daemon's journal: journalctl -u balefire.";
    return { error: { code: "internal", message: `the daemon failed at ${method}`, remedy, retry: false } };
  }
}

function startWatch(socket: Socket, send: (body: Answer) => void, handlers: RpcHandlers): void {
  const stop = handlers.watch((event) => {
    if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy();
    else send({ event });
  });
  socket.once("close", stop);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
