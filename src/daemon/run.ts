/** `balefire run`: starts one part after the other, waits for the signal, ends them in reverse. */
import { join } from "node:path";
import { createControlServer } from "../adapters/control/server.ts";
import { lockState } from "../adapters/state/lock.ts";
import { createStore } from "../adapters/store/sqlite-store.ts";
import { createSupervisor, type Supervisor } from "../adapters/systemd/supervisor.ts";
import { FailureError, unwrap } from "../kit/result.ts";
import { assemble, type Node } from "./assembly.ts";
import { loadIdentity } from "./identity.ts";
import { logFailure } from "./journal.ts";
import { createLog, type Log } from "./log.ts";
import { readFirstSettings, type SettingsSources } from "./settings.ts";

export interface RunOptions {
  readonly stateDir: string;
  readonly configPath: string;
  /** The person named the file, so it must exist. */
  readonly configRequired: boolean;
  readonly socketPath: string;
  readonly version: string;
}

/** The goodbye's frames get this long to leave. */
const GOODBYE_MS = 150;

type Closer = () => void | Promise<void>;

/** Ends with the daemon; the process's exit code. */
export async function runDaemon(options: RunOptions): Promise<number> {
  const log = createLog(process.env, process.stderr);
  const closers: Closer[] = [];
  try {
    await serve(options, log, closers);
    return 0;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    logFailure(log, error.failure);
    return 1;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function serve(options: RunOptions, log: Log, closers: Closer[]): Promise<void> {
  const lock = unwrap(lockState(options.stateDir));
  closers.push(() => lock.release());
  const identity = unwrap(await loadIdentity(options.stateDir));
  const sources: SettingsSources = { ...options, env: process.env };
  const shared = identity.keeper.current().roster.config.text;
  const { settings, leftOut } = unwrap(await readFirstSettings(sources, shared));
  log.level = settings.effective.config.log.level;
  if (leftOut !== undefined) log.error(`the shared configuration is left out: ${leftOut.message}`);
  const store = await createStore({ path: join(options.stateDir, "store.sqlite") });
  closers.push(() => store.close());

  const node = await assemble({ identity, sources, settings, store, log, version: options.version });
  closers.push(() => node.transport.close());
  await node.transport.listen(node.addresses);
  const control = createControlServer({
    socketPath: options.socketPath,
    handlers: node.handlers,
    log: (line) => log.warning(line),
  });
  unwrap(await control.listen());
  closers.push(() => control.close());
  node.loop.start();
  process.on("SIGHUP", () => void node.reload());

  const stopped = stopSignal();
  const supervisor = createSupervisor(process.env, { onFailure: (reason) => logFailure(log, reason) });
  const alive = keepAlive(supervisor);
  supervisor.ready();
  log.info(`${identity.name} watches ${node.loop.state.peers.size} other nodes of mesh ${identity.mesh}`);
  await stopped;
  log.info("stopping: saying goodbye");
  supervisor.stopping();
  clearInterval(alive);
  await sayGoodbye(node);
}

/** The event loop's own sign of life: a daemon that hangs is restarted by systemd. */
function keepAlive(supervisor: Supervisor): NodeJS.Timeout | undefined {
  if (supervisor.watchdogEvery === undefined) return undefined;
  return setInterval(() => supervisor.alive(), supervisor.watchdogEvery);
}

async function sayGoodbye(node: Node): Promise<void> {
  node.loop.push({ type: "stop" });
  await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
  node.loop.close();
}

const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
