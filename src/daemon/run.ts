/** `balefire run`: starts one part after the other, waits for the signal, ends them in reverse. */
import { join } from "node:path";
import { createControlServer } from "../adapters/control/server.ts";
import { LEAF_LIFE } from "../adapters/pki/issue.ts";
import { lockState } from "../adapters/state/lock.ts";
import { createStore } from "../adapters/store/sqlite-store.ts";
import { type StopReason, stopReason } from "../adapters/systemd/stop-reason.ts";
import { createSupervisor, type Supervisor } from "../adapters/systemd/supervisor.ts";
import { FailureError, unwrap } from "../kit/result.ts";
import { formatDuration } from "../kit/time.ts";
import { assemble, type Node } from "./assembly.ts";
import { createNodeClock } from "./clock.ts";
import { loadIdentity } from "./identity.ts";
import { logFailure } from "./journal.ts";
import { leafLife } from "./leaf-life.ts";
import { createLog, type Log } from "./log.ts";
import { rehearse } from "./rehearsal.ts";
import { rehearseDelivery } from "./rehearsed-delivery.ts";
import type { Once } from "./sense-once.ts";
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

/** Ends with it when the node was removed from its mesh: the unit file keeps systemd from starting it again. */
const EXIT_REMOVED = 5;

/** What starting has left behind, two megabytes, is given back once the sessions are up: left alone V8 would keep it. */
const STARTED_MS = 5000;

type Closer = () => void | Promise<void>;

/** Ends with the daemon; the process's exit code. */
export async function runDaemon(options: RunOptions): Promise<Once<number>> {
  const log = createLog(process.env, process.stderr);
  const closers: Closer[] = [];
  try {
    const hanging = await serve(options, log, closers);
    return { value: 0, hanging };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    logFailure(log, error.failure);
    return { value: error.failure.code === "node-removed" ? EXIT_REMOVED : 1, hanging: false };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** True when a thread still waits for a driver at the end. */
async function serve(options: RunOptions, log: Log, closers: Closer[]): Promise<boolean> {
  const lock = unwrap(lockState(options.stateDir));
  closers.push(() => lock.release());
  const life = unwrap(leafLife(process.env));
  const clock = createNodeClock();
  const identity = unwrap(await loadIdentity(options.stateDir, { leafLife: life, clock: clock.now }));
  if (life !== LEAF_LIFE)
    log.warning(`BALEFIRE_TEST_LEAF_LIFE: certificates signed here live ${formatDuration(life)}`);
  unwrap(await identity.seat.settle());
  const sources: SettingsSources = { ...options, env: process.env };
  const shared = identity.keeper.current().roster.config.text;
  const { settings, leftOut } = unwrap(await readFirstSettings(sources, shared));
  log.level = settings.effective.config.settings["log.level"];
  if (leftOut !== undefined) log.error(`the shared configuration is left out: ${leftOut.message}`);
  await rehearseAloud(log);
  const store = await createStore({ path: join(options.stateDir, "store.sqlite") });
  closers.push(() => store.close());
  const historyPath = join(options.stateDir, "history.sqlite");

  const node = await assemble({
    identity,
    sources,
    settings,
    store,
    historyPath,
    clock,
    log,
    version: options.version,
  });
  closers.push(() => node.history.close());
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
  closers.push(() => node.http.close());
  await node.http.open(settings.effective.config.settings["http.listen"]);
  node.watchSensors();
  process.on("SIGHUP", () => void node.reload());

  const stopped = stopSignal();
  const supervisor = createSupervisor(process.env, { onFailure: (reason) => logFailure(log, reason) });
  const alive = keepAlive(supervisor);
  supervisor.ready();
  setTimeout(() => globalThis.gc?.(), STARTED_MS).unref();
  log.info(`${identity.name} watches ${node.loop.state.peers.size} other nodes of mesh ${identity.mesh}`);
  node.renewal.start();
  node.rotation.start();
  node.courier.start();
  const removed = await Promise.race([stopped, node.removed]);
  node.renewal.stop();
  node.rotation.stop();
  node.courier.stop();
  supervisor.stopping();
  clearInterval(alive);
  if (removed !== undefined) {
    node.loop.close();
    node.sensors.close();
    throw new FailureError(removed);
  }
  const why = await stopReason(process.env);
  log.info(`stopping: saying goodbye${why === undefined || why === "stop" ? "" : `, for a ${why}`}`);
  await sayGoodbye(node, why);
  const hanging = node.sensors.state().stuck > 0;
  node.sensors.close();
  return hanging;
}

/** Before anything has a deadline; a daemon watches without it, too. */
async function rehearseAloud(log: Log): Promise<void> {
  try {
    for (const message of rehearse()) {
      const { outcome, detail } = await rehearseDelivery(message);
      log.debug(`rehearsed: ${message.title}: ${detail}`);
      if (outcome !== "delivered") return;
    }
  } catch (error) {
    log.error(`the rehearsal failed: ${(error as Error).message}`);
  }
}

/** The event loop's own sign of life: a daemon that hangs is restarted by systemd. */
function keepAlive(supervisor: Supervisor): NodeJS.Timeout | undefined {
  if (supervisor.watchdogEvery === undefined) return undefined;
  return setInterval(() => supervisor.alive(), supervisor.watchdogEvery);
}

async function sayGoodbye(node: Node, why: StopReason | undefined): Promise<void> {
  node.loop.push({ type: "stop", ...(why === undefined ? {} : { why }) });
  await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
  node.loop.close();
}

const stopSignal = (): Promise<undefined> =>
  new Promise((resolve) => {
    process.once("SIGTERM", () => resolve(undefined));
    process.once("SIGINT", () => resolve(undefined));
  });
