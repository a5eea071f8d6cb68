/** The control socket: who may speak, how many at once, and where it lies. wire/rpc.ts has the language. */
import { chmod, lstat, mkdir, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { type Failure, failure, ok, type Result } from "../../kit/result.ts";
import type { RpcHandlers } from "../../wire/rpc.ts";
import { answer, serveConnection } from "./connection.ts";
import { type PeerCredentials, peerCredentials } from "./peer-credentials.ts";

export const CONTROL_CONNECTIONS_MAX: number = 32;
/** sun_path of `struct sockaddr_un` (unix(7)) with its closing zero. */
export const SOCKET_PATH_BYTES_MAX: number = 107;

const SOCKET_MODE = 0o600;
const FOLDER_MODE = 0o755;

export interface ControlServerOptions {
  readonly socketPath: string;
  readonly handlers: RpcHandlers;
  /** Default: root, and the user this process runs as. */
  readonly allow?: (credentials: PeerCredentials) => boolean;
  /** For what must not reach the caller: an unexpected error in a handler, a stranger turned away. */
  readonly log?: (line: string) => void;
}

export interface ControlServer {
  /** Fails with `daemon-running` when someone answers on the socket already. */
  listen(): Promise<Result<undefined>>;
  /** Ends all connections and removes the socket. */
  close(): Promise<void>;
}

export const rootOrSelf = ({ uid }: PeerCredentials): boolean => uid === 0 || uid === process.getuid?.();

export function createControlServer(options: ControlServerOptions): ControlServer {
  const { socketPath, handlers, allow = rootOrSelf, log = () => undefined } = options;
  const served = new Set<Socket>();
  const refused = new Set<Socket>();

  const accept = (socket: Socket): void => {
    socket.on("error", () => socket.destroy());
    const refusal = refusalOf(socket, served.size, allow);
    const kept = refusal === undefined ? served : refused;
    kept.add(socket);
    socket.on("close", () => kept.delete(socket));
    if (refusal === undefined) {
      serveConnection(socket, handlers, log);
    } else {
      log(`control socket: ${refusal.message}`);
      turnAway(socket, refusal, refused.size);
    }
  };
  const server = createServer(accept);

  return {
    listen: () => listen(server, socketPath),
    close: async () => {
      for (const socket of [...served, ...refused]) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Long enough for a caller to write its request and read why it is not answered. */
const FAREWELL_MS = 1000;

/** Reads on for a moment: a caller that writes to a closed socket would see a broken pipe instead of the reason. */
function turnAway(socket: Socket, reason: Failure, turnedAway: number): void {
  if (turnedAway > CONTROL_CONNECTIONS_MAX) {
    socket.destroy();
    return;
  }
  socket.resume();
  socket.end(answer(0, { error: reason }));
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
  socket.on("close", () => clearTimeout(timer));
}

function refusalOf(
  socket: Socket,
  connected: number,
  allow: (credentials: PeerCredentials) => boolean,
): Failure | undefined {
  const credentials = peerCredentials(socket);
  if (credentials === undefined || !allow(credentials)) {
    const who = credentials === undefined ? "a caller the kernel does not name" : `user ${credentials.uid}`;
    const remedy = "Run the command as root, or as the user that the daemon runs as.";
    return { code: "permission-denied", message: `${who} may not control this daemon`, remedy, retry: false };
  }
  if (connected >= CONTROL_CONNECTIONS_MAX) {
    const message = `${CONTROL_CONNECTIONS_MAX} commands are connected already`;
    return { code: "limit-reached", message, remedy: "End some of them, and try again.", retry: true };
  }
  return undefined;
}

async function listen(server: Server, socketPath: string): Promise<Result<undefined>> {
  if (Buffer.byteLength(socketPath) > SOCKET_PATH_BYTES_MAX) {
    const message = `the socket path ${socketPath} is longer than ${SOCKET_PATH_BYTES_MAX} bytes, the kernel's limit`;
    return failure("usage", message, "Name a shorter one with --socket.");
  }
  try {
    await makeFolder(dirname(socketPath));
    const free = await clearStale(socketPath);
    if (!free.ok) return free;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socketPath, () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
    // Between bind and here the mode is the umask's; the check of credentials covers that moment.
    await chmod(socketPath, SOCKET_MODE);
    return ok(undefined);
  } catch (error) {
    return listenFailure(socketPath, error as NodeJS.ErrnoException);
  }
}

/** One level only: Node's recursive mkdir never ends where the kernel says ENOENT for ever, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: FOLDER_MODE }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

function listenFailure(socketPath: string, error: NodeJS.ErrnoException): Result<never> {
  if (error.code === "EADDRINUSE") return daemonRunning(socketPath);
  if (error.code === "EACCES" || error.code === "EPERM" || error.code === "EROFS") {
    return failure(
      "permission-denied",
      `the control socket ${socketPath} cannot be made (${error.code})`,
      "Run the daemon as root, or name a socket elsewhere with --socket.",
    );
  }
  if (error.code === "ENOENT") {
    const remedy = "Make it first, or name a socket elsewhere with --socket.";
    return failure("usage", `the folder above ${dirname(socketPath)} does not exist`, remedy);
  }
  if (error.code === "ENOTDIR" || error.code === "EEXIST") {
    const remedy = "Name a socket elsewhere with --socket.";
    return failure("usage", `part of the path ${socketPath} is not a folder`, remedy);
  }
  throw error;
}

const daemonRunning = (socketPath: string): Result<never> =>
  failure(
    "daemon-running",
    `a daemon answers on ${socketPath} already`,
    "Stop it first, or give this one a socket of its own with --socket.",
  );

/** Removes a socket that nobody answers on: what a killed daemon leaves behind. Never removes anything else. */
async function clearStale(socketPath: string): Promise<Result<undefined>> {
  const found = await lstat(socketPath).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return ok(undefined);
  if (!found.isSocket()) {
    return failure("usage", `${socketPath} exists and is not a socket`, "Name another path with --socket.");
  }
  if (await someoneAnswers(socketPath)) return daemonRunning(socketPath);
  await unlink(socketPath);
  return ok(undefined);
}

/** Only a refused connection proves that nobody does. */
function someoneAnswers(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      else if (error.code === "EAGAIN") resolve(true);
      else reject(error);
    });
  });
}
