/** Puts one node's parts together: adapters around the loop, the loop around the core. */
import { createMeshTransport } from "../adapters/mesh/mesh-transport.ts";
import { createProber } from "../adapters/prober/tcp-prober.ts";
import { createUplinks } from "../adapters/uplinks/linux-uplinks.ts";
import type { TransportEvent } from "../core/io.ts";
import { init } from "../core/node.ts";
import type { Store } from "../ports/store.ts";
import type { PeerTransport } from "../ports/transport.ts";
import type { RpcHandlers } from "../wire/rpc.ts";
import { bootId, currentEnv } from "./clock.ts";
import { createControlDesk } from "./handlers.ts";
import type { Identity } from "./identity.ts";
import { countRefusal, logNotice } from "./journal.ts";
import type { Log } from "./log.ts";
import { Loop } from "./loop.ts";
import { createPerformer } from "./performer.ts";
import { Serial } from "./serial.ts";
import { readSettings, type Settings, type SettingsSources } from "./settings.ts";
import { createSharedConfig } from "./shared-config.ts";

export interface Parts {
  readonly identity: Identity;
  readonly sources: SettingsSources;
  readonly settings: Settings;
  readonly store: Store;
  readonly log: Log;
  readonly version: string;
}

export interface Node {
  readonly loop: Loop;
  readonly transport: PeerTransport;
  readonly handlers: RpcHandlers;
  readonly addresses: readonly string[];
  /** Reads the configuration again; what is wrong is logged, and the one in force kept. */
  reload(): Promise<void>;
}

/** Nothing is listening and no time is kept yet when this returns. */
export async function assemble(parts: Parts): Promise<Node> {
  const { identity, store, log } = parts;
  const { keeper, keymaster } = identity;
  const { addresses } = identity;
  const refusals = new Map<string, number>();
  let { settings } = parts;

  const transport = createMeshTransport({
    keyPem: identity.keyPem,
    certificatePem: identity.certificatePem,
    onEvent: (event: TransportEvent) => {
      // Strangers cost no step of the core: a flood of refusals must not take the time that beats need.
      if (event.type === "refused") countRefusal(refusals, event.failure, event.remote, log);
      else loop.push(event);
    },
    ...(keymaster === undefined ? {} : { onJoin: (socket) => void keymaster.handleJoin(socket) }),
  });
  const sharedConfig = createSharedConfig({
    keymaster,
    keymasterId: () => keeper.view().keymaster,
    log: log.info,
    transport,
    mayConfigure: (peer) => loop.state.peers.get(peer)?.session?.certificateFlagged === false,
  });
  const desk = createControlDesk({
    identity,
    version: parts.version,
    state: () => loop.state,
    settings: () => settings,
    sharedConfig,
    listening: addresses,
    refusals,
    push: (input) => loop.push(input),
  });
  const perform = createPerformer({
    transport,
    store,
    prober: createProber({ own: addresses }),
    uplinks: createUplinks(),
    ownAddresses: () => addresses,
    channel: (name) => settings.channels.get(name),
    heartbeat: (name) => settings.heartbeats.get(name),
    considerRoster: async (from, signed) => {
      const considered = await keeper.consider(signed);
      if (considered.ok) return;
      const name = keeper.view().members.find((member) => member.id === from)?.name ?? from;
      countRefusal(refusals, considered.error, name, log);
    },
    relay: sharedConfig.take,
    tested: desk.tested,
    onNotice: (notice) => {
      logNotice(log, notice);
      desk.onNotice(notice);
    },
    push: (input) => loop.push(input),
  });
  const loop = new Loop({
    first: init(await birthOf(parts), currentEnv()),
    env: currentEnv,
    perform,
    onOverload: (dropped) => log.error(`overloaded: ${dropped} inputs were dropped`),
  });

  const readAnew = async (): Promise<void> => {
    const read = await readSettings(parts.sources, keeper.current().roster.config.text);
    if (!read.ok) {
      const { message, remedy } = read.error;
      log.error(
        `the configuration is kept as it was: ${message}${remedy === undefined ? "" : `. ${remedy}`}`,
      );
      return;
    }
    const { config } = read.value.effective;
    if (config.mesh.beat !== settings.effective.config.mesh.beat) {
      log.warning("mesh.beat takes effect at the next start");
    }
    settings = read.value;
    log.level = config.log.level;
    loop.push({
      type: "configured",
      channels: settings.channelRefs,
      heartbeats: settings.heartbeatRefs,
      policy: settings.policy,
    });
    log.info(`configuration read: ${settings.channelRefs.length} channels`);
  };
  // One after the other, so that what was read last is what counts.
  const reloads = new Serial();
  const reload = (): Promise<void> => reloads.run(readAnew);
  let sharedVersion = keeper.current().roster.config.version;
  keeper.onChange(({ roster }) => {
    transport.trust(keeper.trustView(identity.id));
    loop.push({ type: "roster", roster: keeper.view() });
    if (roster.config.version === sharedVersion) return;
    sharedVersion = roster.config.version;
    void reload();
  });
  transport.trust(keeper.trustView(identity.id));
  return { loop, transport, handlers: desk.handlers, addresses, reload };
}

async function birthOf({ identity, settings, store, log }: Parts) {
  const { records, damaged } = await store.load();
  for (const each of damaged) log.warning(each);
  return {
    self: identity.id,
    boot: bootId(process.env),
    period: settings.effective.config.mesh.beat,
    roster: identity.keeper.view(),
    channels: settings.channelRefs,
    heartbeats: settings.heartbeatRefs,
    policy: settings.policy,
    stored: records,
  };
}
