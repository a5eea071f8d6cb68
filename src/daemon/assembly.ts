/** Puts one node's parts together: adapters around the loop, the loop around the core. */
import { isDeepStrictEqual } from "node:util";
import { createMeshTransport } from "../adapters/mesh/mesh-transport.ts";
import { createProber } from "../adapters/prober/tcp-prober.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { createUplinks } from "../adapters/uplinks/linux-uplinks.ts";
import type { TransportEvent } from "../core/io.ts";
import { init } from "../core/node.ts";
import type { Failure } from "../kit/result.ts";
import type { Store } from "../ports/store.ts";
import type { PeerTransport } from "../ports/transport.ts";
import type { RpcHandlers } from "../wire/rpc.ts";
import { bootId, currentEnv, monotonicNow, type NodeClock } from "./clock.ts";
import { createControlDesk } from "./handlers.ts";
import { createHistoryKeeper, type HistoryKeeper } from "./history-keeper.ts";
import { createHttpPort, type HttpPort, httpTrouble } from "./http-port.ts";
import type { Identity } from "./identity.ts";
import { countRefusal, logNotice } from "./journal.ts";
import { serveRenewals, signer } from "./key-desk.ts";
import type { Log } from "./log.ts";
import { Loop } from "./loop.ts";
import {
  announceDepartures,
  announceToAll,
  dialAnew,
  mayConfigure,
  reachPeer,
  sessionsOf,
  watchDeparture,
} from "./peers.ts";
import { createPerformer } from "./performer.ts";
import { createQuestions } from "./questions.ts";
import { keepRecoveryCopy } from "./recovery-copy.ts";
import { createRenewal, type Renewal } from "./renewal.ts";
import { rotationTroubles } from "./root-views.ts";
import { createRosterOffers } from "./roster-offers.ts";
import { Rotation } from "./rotation.ts";
import { createSensorWatch, type SensorWatch } from "./sensor-watch.ts";
import { Serial } from "./serial.ts";
import { type Courier, createCourier } from "./set-aside-courier.ts";
import { readSettings, type Settings, type SettingsSources } from "./settings.ts";
import { createSharedConfig } from "./shared-config.ts";
import { serveStandby } from "./standby-questions.ts";
import { Tally } from "./tally.ts";

export interface Parts {
  readonly identity: Identity;
  readonly sources: SettingsSources;
  readonly settings: Settings;
  readonly store: Store;
  /** The database; made with the first reading. */
  readonly historyPath: string;
  readonly clock: NodeClock;
  readonly log: Log;
  readonly version: string;
}

export interface Node {
  readonly loop: Loop;
  readonly transport: PeerTransport;
  readonly handlers: RpcHandlers;
  readonly addresses: readonly string[];
  readonly sensors: SensorWatch;
  /** Begins to look at the sensors. */
  watchSensors(): void;
  readonly history: HistoryKeeper;
  readonly http: HttpPort;
  readonly renewal: Renewal;
  readonly rotation: Rotation;
  readonly courier: Courier;
  /** Resolves when a roster comes that no longer holds this node. */
  readonly removed: Promise<Failure>;
  /** Reads the configuration again; what is wrong is logged, and the one in force kept. */
  reload(): Promise<void>;
}

/** Nothing is listening and no time is kept yet when this returns. */
export async function assemble(parts: Parts): Promise<Node> {
  const { identity, store, clock, log } = parts;
  const { keeper, seat } = identity;
  const { addresses } = identity;
  const refusals = new Map<string, number>();
  let { settings } = parts;
  let watching = false;

  const transport = createMeshTransport({
    keyPem: identity.keyPem,
    certificatePem: identity.certificatePem,
    wall: clock.now,
    onEvent: (event: TransportEvent) => {
      // Strangers cost no step of the core: a flood of refusals must not take the time that beats need.
      if (event.type === "refused") countRefusal(refusals, event.failure, event.remote, log);
      else loop.push(event);
      if (event.type === "session-up" && event.peer === keeper.view().keymaster) renewal.keymasterReached();
    },
    onJoin: (socket) => {
      const keymaster = seat.current();
      if (keymaster === undefined) socket.destroy();
      else void keymaster.handleJoin(socket);
    },
  });
  const questions = createQuestions({
    transport,
    reach: (peer) => reachPeer(peer, { state: () => loop.state, transport }),
  });
  const sharedConfig = createSharedConfig({
    keymaster: () => seat.current(),
    keymasterId: () => keeper.view().keymaster,
    log: log.info,
    questions,
    mayConfigure: (peer) => mayConfigure(peer, { identity, state: loop.state, wall: clock.now() }),
  });
  const renewal = createRenewal({
    certificate: identity.certificate,
    sign: signer(identity, questions),
    onRenewed: (before) => {
      transport.present(identity.certificatePem);
      // Who has flagged this node for its old certificate is shown the new one; the session stands till then.
      if (before === "expired" || before === "early") dialAnew({ state: loop.state, transport });
    },
    onLate: (late) => loop.push({ type: "certificate", late }),
    log: log.info,
    wall: clock.now,
    now: monotonicNow,
    chance: Math.random,
  });
  serveRenewals(identity, questions, renewal, log.info);
  serveStandby(identity, questions, log.info);
  const courier = createCourier({
    identity,
    questions,
    wall: clock.now,
    log: log.info,
    warn: log.warning,
  });
  const rotation = new Rotation({
    self: identity.id,
    keeper,
    seat,
    certificatePem: () => identity.certificatePem,
    renewal,
    questions,
    present: () => sessionsOf(loop.state),
    log: log.info,
    wall: clock.now,
    onLate: (late) => loop.push({ type: "root-change", late }),
  });
  const sensors = createSensorWatch({
    path: parts.sources.env.PATH ?? "",
    push: (input) => loop.push(input),
    log,
  });
  const history = createHistoryKeeper({
    path: parts.historyPath,
    limits: settings.effective.config.settings.history,
    log,
  });
  const tally = new Tally();
  const troubles = (): string[] => [
    ...[history.failing() ?? [], httpTrouble(http.state())].flat(),
    ...rotationTroubles(keeper.current().roster, rotation.step(), clock.now()),
  ];
  const http = createHttpPort({
    identity,
    version: parts.version,
    state: () => loop.state,
    transport,
    tally,
    troubles,
    log,
  });
  const desk = createControlDesk({
    identity,
    version: parts.version,
    state: () => loop.state,
    settings: () => settings,
    sharedConfig,
    questions,
    renewal,
    rotation,
    recoveryCopy: keepRecoveryCopy(new StateFolder(identity.stateDir), keeper, log.warning),
    certificates: () => transport.certificates(),
    listening: addresses,
    refusals,
    sensors: sensors.state,
    history,
    http,
    troubles,
    push: (input) => loop.push(input),
    log: log.info,
  });
  const offers = createRosterOffers(keeper, (from, error) => {
    const name = keeper.view().members.find((member) => member.id === from)?.name ?? from;
    countRefusal(refusals, error, name, log);
  });
  const perform = createPerformer({
    transport,
    store,
    prober: createProber({ own: addresses }),
    uplinks: createUplinks(),
    ownAddresses: () => addresses,
    channel: (name) => settings.channels.get(name),
    heartbeat: (name) => settings.heartbeats.get(name),
    considerRoster: offers.take,
    relay: questions.take,
    tested: desk.tested,
    felt: history.take,
    onNotice: (notice) => {
      logNotice(log, notice);
      tally.notice(notice);
      desk.onNotice(notice);
    },
    push: (input) => {
      tally.outcome(input);
      loop.push(input);
    },
  });
  const loop = new Loop({
    first: init(await birthOf(parts), currentEnv()),
    env: currentEnv,
    perform,
    onWake: (late) => tally.woken(late),
    onOverload: (dropped) => {
      tally.dropped(dropped);
      log.error(`overloaded: ${dropped} inputs were dropped`);
    },
  });

  clock.follow(() => loop.state);

  const readAnew = async (): Promise<void> => {
    const read = await readSettings(parts.sources, keeper.current().roster.config.text);
    if (!read.ok) {
      const { message, remedy } = read.error;
      log.error(
        `the configuration is kept as it was: ${message}${remedy === undefined ? "" : `. ${remedy}`}`,
      );
      return;
    }
    const { settings: values } = read.value.effective.config;
    if (values["mesh.beat"] !== settings.effective.config.settings["mesh.beat"]) {
      log.warning("mesh.beat takes effect at the next start");
    }
    if (!isDeepStrictEqual(values.history, settings.effective.config.settings.history)) {
      log.warning("history takes effect at the next start");
    }
    const moved = values["http.listen"] !== settings.effective.config.settings["http.listen"];
    settings = read.value;
    if (moved) await http.open(values["http.listen"]);
    log.level = values["log.level"];
    if (watching) sensors.configure(values);
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
  let signedBy = keeper.current().signed.signer;
  const departure = watchDeparture(identity);
  // A node that was removed is told, and cut off, though the disk be slow, or full.
  keeper.beforeChange(({ roster, encoded }) => {
    announceDepartures({ roster, encoded, state: loop.state, transport });
    transport.trust(keeper.trustView(identity.id, roster.nodes));
  });
  keeper.onChange(({ roster, signed, encoded }) => {
    const begins = signed.signer !== signedBy;
    const signs = seat.current() !== undefined;
    if (signs) announceToAll({ roster, encoded, state: loop.state, transport }, begins);
    transport.trust(keeper.trustView(identity.id));
    loop.push({ type: "roster", roster: keeper.view() });
    // Joiners check the keymaster's own certificate by the key that signs: it has to be by that one.
    if (begins && signs) void renewal.renew();
    else if (begins && identity.certificate.isByASuccessor()) renewal.keymasterChanged();
    else if (begins) renewal.hasten();
    signedBy = signed.signer;
    if (roster.config.version === sharedVersion) return;
    sharedVersion = roster.config.version;
    void reload();
  });
  transport.trust(keeper.trustView(identity.id));
  const watchSensors = (): void => {
    watching = true;
    sensors.configure(settings.effective.config.settings);
  };
  return {
    loop,
    transport,
    handlers: desk.handlers,
    addresses,
    sensors,
    history,
    http,
    watchSensors,
    courier,
    renewal,
    rotation,
    removed: departure,
    reload,
  };
}

async function birthOf({ identity, settings, store, log }: Parts) {
  const { records, damaged } = await store.load();
  for (const each of damaged) log.warning(each);
  return {
    self: identity.id,
    boot: bootId(process.env),
    period: settings.effective.config.settings["mesh.beat"],
    roster: identity.keeper.view(),
    channels: settings.channelRefs,
    heartbeats: settings.heartbeatRefs,
    policy: settings.policy,
    stored: records,
  };
}
