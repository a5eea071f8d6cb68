/** `balefire run`: puts the parts together, keeps them running, ends them in order. */
import { join } from "node:path";
import { createControlServer } from "../adapters/control/server.ts";
import { createMeshTransport } from "../adapters/mesh/mesh-transport.ts";
import { createProber } from "../adapters/prober/tcp-prober.ts";
import { lockState } from "../adapters/state/lock.ts";
import { createStore } from "../adapters/store/sqlite-store.ts";
import { createSupervisor, type Supervisor } from "../adapters/systemd/supervisor.ts";
import { createUplinks } from "../adapters/uplinks/linux-uplinks.ts";
import type { Notice, TransportEvent } from "../core/io.ts";
import { init } from "../core/node.ts";
import { type Failure, FailureError, unwrap } from "../kit/result.ts";
import type { Store } from "../ports/store.ts";
import { bootId, currentEnv } from "./clock.ts";
import { createControlDesk } from "./handlers.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { createLog, type Log } from "./log.ts";
import { Loop } from "./loop.ts";
import { createPerformer } from "./performer.ts";
import { readSettings, type Settings, type SettingsSources } from "./settings.ts";
import { createSharedConfig } from "./shared-config.ts";

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
/** Kinds of refusal that are counted apart; the rest share a line. */
const REFUSAL_KINDS_MAX = 50;

/** Ends with the daemon; the process's exit code. */
export async function runDaemon(options: RunOptions): Promise<number> {
  const log = createLog(process.env, process.stderr);
  try {
    return await serve(options, log);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    logFailure(log, error.failure);
    return 1;
  }
}

function logFailure(log: Log, { code, message, remedy }: Failure): void {
  log.error(`${message} (${code})${remedy === undefined ? "" : `. ${remedy}`}`);
}

async function serve(options: RunOptions, log: Log): Promise<number> {
  const lock = unwrap(lockState(options.stateDir));
  const identity = unwrap(await loadIdentity(options.stateDir));
  const sources: SettingsSources = { ...options, env: process.env };
  const settings = unwrap(await readSettings(sources, identity.keeper.current().roster.config.text));
  log.level = settings.effective.config.log.level;
  const store = await openStore(options.stateDir);
  const node = await assemble({ options, identity, sources, settings, store, log });
  const supervisor = createSupervisor(process.env, { onFailure: (reason) => logFailure(log, reason) });
  const beat = keepAlive(supervisor);
  supervisor.ready();
  log.info(`${identity.name} watches ${node.others()} other nodes of mesh ${identity.mesh}`);

  await stopSignal(() => node.reload());
  log.info("stopping: saying goodbye");
  supervisor.stopping();
  clearInterval(beat);
  await node.stop();
  lock.release();
  return 0;
}

async function openStore(stateDir: string): Promise<Store> {
  return createStore({ path: join(stateDir, "store.sqlite") });
}

/** The event loop's own sign of life: a daemon that hangs is restarted by systemd. */
function keepAlive(supervisor: Supervisor): NodeJS.Timeout | undefined {
  if (supervisor.watchdogEvery === undefined) return undefined;
  return setInterval(() => supervisor.alive(), supervisor.watchdogEvery);
}

function stopSignal(onHangUp: () => void): Promise<void> {
  return new Promise((resolve) => {
    process.on("SIGHUP", onHangUp);
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
}

interface Parts {
  readonly options: RunOptions;
  readonly identity: Identity;
  readonly sources: SettingsSources;
  readonly settings: Settings;
  readonly store: Store;
  readonly log: Log;
}

interface RunningNode {
  others(): number;
  reload(): void;
  stop(): Promise<void>;
}

async function assemble({ options, identity, sources, store, log, ...parts }: Parts): Promise<RunningNode> {
  let { settings } = parts;
  const { keeper, keymaster } = identity;
  const addresses = (): readonly string[] =>
    keeper.view().members.find((member) => member.id === identity.id)?.addresses ?? identity.addresses;
  const refusals = new Map<string, number>();

  const onTransport = (event: TransportEvent): void => {
    if (event.type === "refused") countRefusal(refusals, event.failure, event.remote, log);
    loop.push(event);
  };
  const transport = createMeshTransport({
    keyPem: identity.keyPem,
    certificatePem: identity.certificatePem,
    onEvent: onTransport,
    ...(keymaster === undefined ? {} : { onJoin: (socket) => void keymaster.handleJoin(socket) }),
  });
  const sharedConfig = createSharedConfig({
    keymaster,
    keymasterId: () => keeper.view().keymaster,
    transport,
    mayConfigure: (peer) => loop.state.peers.get(peer)?.session?.certificateFlagged === false,
  });
  const desk = createControlDesk({
    identity,
    version: options.version,
    state: () => loop.state,
    settings: () => settings,
    sharedConfig,
    listening: addresses(),
    refusals,
    push: (input) => loop.push(input),
  });
  const perform = createPerformer({
    transport,
    store,
    prober: createProber({ own: addresses() }),
    uplinks: createUplinks(),
    ownAddresses: addresses,
    channel: (name) => settings.channels.get(name),
    considerRoster: (from, signed) => void considerRoster(identity, from, signed, log),
    relay: sharedConfig.take,
    tested: desk.tested,
    onNotice: (notice) => {
      logNotice(log, notice);
      desk.onNotice(notice);
    },
    push: (input) => loop.push(input),
  });

  const { records, damaged } = await store.load();
  for (const each of damaged) log.warning(each);
  const birth = {
    self: identity.id,
    boot: bootId(process.env),
    period: settings.effective.config.mesh.beat,
    roster: keeper.view(),
    channels: settings.channelRefs,
    policy: settings.policy,
    stored: records,
  };
  const loop = new Loop({
    first: init(birth, currentEnv()),
    env: currentEnv,
    perform,
    onOverload: (dropped) => log.error(`overloaded: ${dropped} inputs were dropped`),
  });
  const control = createControlServer({
    socketPath: options.socketPath,
    handlers: desk.handlers,
    log: (line) => log.warning(line),
  });

  const reload = async (): Promise<void> => {
    const read = await readSettings(sources, keeper.current().roster.config.text);
    if (!read.ok) {
      log.error(`the configuration is kept as it was: ${read.error.message}`);
      return;
    }
    if (read.value.effective.config.mesh.beat !== settings.effective.config.mesh.beat) {
      log.warning("mesh.beat takes effect at the next start");
    }
    settings = read.value;
    log.level = settings.effective.config.log.level;
    loop.push({ type: "configured", channels: settings.channelRefs, policy: settings.policy });
    log.info(`configuration read: ${settings.channelRefs.length} channels`);
  };
  keeper.onChange(() => {
    transport.trust(keeper.trustView(identity.id));
    loop.push({ type: "roster", roster: keeper.view() });
    void reload();
  });

  transport.trust(keeper.trustView(identity.id));
  await transport.listen(addresses());
  unwrap(await control.listen());
  loop.start();

  return {
    others: () => loop.state.peers.size,
    reload: () => void reload(),
    stop: async () => {
      loop.push({ type: "stop" });
      await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
      loop.close();
      await control.close();
      await transport.close();
      await store.close();
    },
  };
}

async function considerRoster(identity: Identity, from: string, signed: string, log: Log): Promise<void> {
  const considered = await identity.keeper.consider(signed);
  if (considered.ok) return;
  const name = identity.keeper.view().members.find((member) => member.id === from)?.name ?? from;
  log.warning(`a roster from ${name} was refused: ${considered.error.message}`);
}

function countRefusal(refusals: Map<string, number>, reason: Failure, remote: string, log: Log): void {
  const kind = refusals.has(reason.message) || refusals.size < REFUSAL_KINDS_MAX ? reason.message : "others";
  const count = (refusals.get(kind) ?? 0) + 1;
  refusals.set(kind, count);
  // Powers of two: a storm of refusals must not fill the journal.
  if ((count & (count - 1)) === 0) log.warning(`refused ${remote}: ${reason.message} (${count} so far)`);
}

function logNotice(log: Log, notice: Notice): void {
  switch (notice.type) {
    case "verdict":
      if (notice.to === "suspect" || (notice.from === "suspect" && notice.to === "alive"))
        log.debug(verdictLine(notice));
      else log.info(verdictLine(notice));
      return;
    case "incident":
      log.warning(`incident ${notice.phase}: ${notice.name} (${notice.kind}, ${notice.incident})`);
      return;
    case "message":
      log.info(`message ${notice.outcome} on ${notice.channel}: ${notice.title} (${notice.detail})`);
      return;
    case "isolated":
      log.warning(
        notice.isolated ? `this node is cut off: ${notice.detail}` : `no longer cut off: ${notice.detail}`,
      );
      return;
    case "warning":
      log.warning(notice.text);
  }
}

const verdictLine = (notice: Extract<Notice, { type: "verdict" }>): string =>
  `${notice.name}: ${notice.from} -> ${notice.to}: ${notice.why}`;
