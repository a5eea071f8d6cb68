/** The command line's end of the control socket: JSON lines, as wire/rpc.ts says. */
import { connect, type Socket } from "node:net";
import type { ErrorCode } from "../kit/errors.ts";
import { type Failure, fail, failure, ok, type Result } from "../kit/result.ts";
import { type Duration, seconds } from "../kit/time.ts";
import type { RpcMethod, RpcParams, RpcResults, WatchEvent } from "../wire/rpc.ts";
import { RPC_LINE_BYTES_MAX } from "../wire/rpc-limits.ts";

/** A local daemon answers at once; one that needs longer than this hangs. */
export const CALL_TIMEOUT: Duration = seconds(5);
/** These wait for receivers or for the keymaster. */
export const SLOW_CALL_TIMEOUT: Duration = seconds(60);

/** One question, one answer, one connection. */
export function call<M extends Exclude<RpcMethod, "watch">>(
  socketPath: string,
  method: M,
  params: RpcParams<M>,
  timeout: Duration = CALL_TIMEOUT,
): Promise<Result<RpcResults[M]>> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const finish = (result: Result<RpcResults[M]>): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish(unanswered(socketPath, timeout)), timeout);
    ask(socket, method, params);
    readLines(socket, socketPath, (line) => finish(answerOf<RpcResults[M]>(line)), finish);
  });
}

/** Events until `signal` aborts (then ok) or the daemon goes (then a failure). */
export function watch(
  socketPath: string,
  onEvent: (event: WatchEvent) => void,
  signal: AbortSignal,
): Promise<Result<undefined>> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const finish = (result: Result<undefined>): void => {
      signal.removeEventListener("abort", leave);
      socket.destroy();
      resolve(result);
    };
    const leave = (): void => finish(ok(undefined));
    if (signal.aborted) return leave();
    signal.addEventListener("abort", leave);
    ask(socket, "watch", {});
    const take = (line: string): void => {
      const message = parseLine(line);
      if (isRecord(message) && isRecord(message.event)) onEvent(message.event as WatchEvent);
      else {
        const answer = answerOf<undefined>(line);
        if (!answer.ok) finish(answer);
      }
    };
    readLines(socket, socketPath, take, finish);
  });
}

const ask = (socket: Socket, method: RpcMethod, params: unknown): void => {
  socket.write(`${JSON.stringify({ id: 1, method, params })}\n`);
};

/** Calls `take` for each whole line, `broken` when the connection fails, ends or floods. */
function readLines(
  socket: Socket,
  socketPath: string,
  take: (line: string) => void,
  broken: (result: Result<never>) => void,
): void {
  let pending = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    pending += chunk;
    const lines = pending.split("\n");
    pending = lines.pop() ?? "";
    lines.forEach(take);
    if (pending.length > RPC_LINE_BYTES_MAX) {
      broken(
        failure(
          "protocol-violation",
          "the daemon's answer is too long",
          "Compare both versions: balefire version.",
        ),
      );
    }
  });
  socket.on("error", (error: NodeJS.ErrnoException) => broken(connectionFailure(socketPath, error)));
  socket.on("close", () =>
    broken(unreachable(`the daemon closed the connection on ${socketPath} before it had answered`)),
  );
}

function connectionFailure(socketPath: string, error: NodeJS.ErrnoException): Result<never> {
  switch (error.code) {
    case "ENOENT":
      return unreachable(`no daemon runs here: there is no socket ${socketPath}`);
    case "ECONNREFUSED":
      return unreachable(`no daemon answers on ${socketPath}`);
    case "EACCES":
    case "EPERM":
      return failure(
        "permission-denied",
        `you may not use ${socketPath}`,
        "Run the command as root, or as the user that the daemon runs as.",
      );
    default:
      return unreachable(`the connection to ${socketPath} failed (${error.code ?? "no code"})`);
  }
}

const unreachable = (message: string): Result<never> =>
  failure(
    "daemon-unreachable",
    message,
    "Start it with `systemctl start balefire` (or `balefire run`), or name its socket with --socket.",
    true,
  );

const unanswered = (socketPath: string, timeout: Duration): Result<never> =>
  failure(
    "daemon-unreachable",
    `the daemon on ${socketPath} has not answered within ${timeout / 1000} s`,
    "See what it does with `journalctl -u balefire`; `systemctl restart balefire` starts it anew.",
    true,
  );

function answerOf<T>(line: string): Result<T> {
  const message = parseLine(line);
  if (isRecord(message)) {
    if (isRecord(message.error)) return fail(failureOf(message.error));
    if (isRecord(message.result)) return ok(message.result as T);
  }
  return failure(
    "protocol-violation",
    "the daemon's answer makes no sense to this version",
    "Compare both versions: balefire version, and the journal's first lines since the daemon's start.",
  );
}

function failureOf(error: Record<string, unknown>): Failure {
  const remedy = error.remedy;
  return {
    code: String(error.code) as ErrorCode,
    message: String(error.message),
    retry: error.retry === true,
    ...(typeof remedy === "string" ? { remedy } : {}),
  };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
