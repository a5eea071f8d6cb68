/** What the command line can ask of a running daemon. */
import { randomUUID } from "node:crypto";
import { pingNow } from "../core/heartbeat.ts";
import type { DeliveryOutcome, Notice, SingleInput } from "../core/io.ts";
import type { NodeState } from "../core/node.ts";
import { inbox, incidentViews, meshView } from "../core/view-of.ts";
import { holdViews } from "../core/view-of-mutes.ts";
import { failure } from "../kit/result.ts";
import { wallTime } from "../kit/time.ts";
import type { Heartbeat } from "../ports/heartbeat.ts";
import { effectiveSettings } from "../wire/config-effective.ts";
import type { RpcHandlers, WatchEvent } from "../wire/rpc.ts";
import { tokenCreateReport, tokenListReport, tokenRevokeReport } from "../wire/token-reports.ts";
import { currentEnv, meshNow } from "./clock.ts";
import { crlsReport } from "./crl-views.ts";
import { examine } from "./doctor.ts";
import { createHeatDesk } from "./heat-desk.ts";
import type { HistoryKeeper } from "./history-keeper.ts";
import type { HttpPort } from "./http-port.ts";
import type { Identity } from "./identity.ts";
import { createKeyDesk, type KeyDeskOptions } from "./key-desk.ts";
import type { Keymaster } from "./keymaster.ts";
import { createKeymasterDesk } from "./keymaster-desk.ts";
import { createMuteDesk } from "./mute-desk.ts";
import type { Questions } from "./questions.ts";
import type { Renewal } from "./renewal.ts";
import { inboxReport, incidentsReport, notifyListReport, statusReport, watchEvent } from "./reports.ts";
import { createRootDesk, type RootDeskOptions } from "./root-desk.ts";
import type { SensorsState } from "./sensor-watch.ts";
import type { Settings } from "./settings.ts";
import { orThrow, type SharedConfig } from "./shared-config.ts";

/** A channel has this long for an operator's test, retries included. */
const TEST_TIMEOUT_MS = 45_000;

export interface HandlerOptions {
  readonly identity: Identity;
  readonly version: string;
  readonly state: () => NodeState;
  readonly settings: () => Settings;
  readonly sharedConfig: SharedConfig;
  readonly questions: Questions;
  readonly renewal: Renewal;
  readonly rotation: RootDeskOptions["rotation"];
  readonly recoveryCopy: RootDeskOptions["recoveryCopy"];
  /** What peers have shown, by node. */
  readonly certificates: KeyDeskOptions["shown"];
  readonly listening: readonly string[];
  readonly refusals: ReadonlyMap<string, number>;
  readonly sensors: () => SensorsState;
  /** What of this node's own does not work, in words. */
  readonly troubles: () => readonly string[];
  readonly http: Pick<HttpPort, "facts">;
  readonly history: HistoryKeeper;
  readonly push: (input: SingleInput) => void;
  readonly log: (line: string) => void;
}

export interface ControlDesk {
  readonly handlers: RpcHandlers;
  /** The outcome of a test message. */
  readonly tested: (request: string, result: DeliveryOutcome) => void;
  /** Shown to everyone who watches. */
  readonly onNotice: (notice: Notice) => void;
}

export function createControlDesk(options: HandlerOptions): ControlDesk {
  const { identity } = options;
  const tests = new Map<string, (result: DeliveryOutcome) => void>();
  const watchers = new Set<(event: WatchEvent) => void>();
  const view = () => meshView(options.state(), currentEnv());

  const test = (channel: string): Promise<DeliveryOutcome> => {
    const request = randomUUID();
    return new Promise((resolve) => {
      const settle = (result: DeliveryOutcome): void => {
        clearTimeout(timer);
        tests.delete(request);
        resolve(result);
      };
      const timer = setTimeout(
        () => settle({ outcome: "temporary", detail: "no outcome within 45 s" }),
        TEST_TIMEOUT_MS,
      );
      tests.set(request, settle);
      options.push({ type: "notify-test", channel, request });
    });
  };

  /** A real ping: delivered, it counts as the mesh's, and the next is due a period later. */
  const pingAs = async (heartbeat: Heartbeat): Promise<DeliveryOutcome> => {
    const { condition, detail } = pingNow(options.state());
    const result = await heartbeat.ping(condition, detail, TEST_TIMEOUT_MS);
    if (result.outcome === "delivered") options.push({ type: "pinged", heartbeat: heartbeat.name, result });
    return result;
  };

  const testsWanted = (wanted: string | undefined): ReadonlyMap<string, () => Promise<DeliveryOutcome>> => {
    const { channels, heartbeats } = options.settings();
    const all = new Map([
      ...[...channels.keys()].map((name) => [name, () => test(name)] as const),
      ...[...heartbeats].map(([name, heartbeat]) => [name, () => pingAs(heartbeat)] as const),
    ]);
    if (wanted === undefined) return all;
    const run = all.get(wanted);
    if (run !== undefined) return new Map([[wanted, run]]);
    const remedy = `It has: ${[...all.keys()].join(", ")}.`;
    return orThrow(failure("channel-unknown", `this node has no channel named ${wanted}`, remedy));
  };

  const handlers: RpcHandlers = {
    status: async () =>
      statusReport(view(), options.version, identity.certificateExpires, options.troubles()),
    incidents: async () => {
      const state = options.state();
      const wall = meshNow(state);
      return incidentsReport(incidentViews(state), holdViews(state, wall), wall);
    },
    inbox: async () => inboxReport(inbox(options.state())),
    "notify-list": async () =>
      notifyListReport(view(), (name) => {
        if (name === "inbox") return "built in";
        return options.settings().effective.origins[`channels.${name}`] === "shared" ? "shared" : "own";
      }),
    "notify-test": async ({ channel }) => {
      const results = await Promise.all(
        [...testsWanted(channel)].map(async ([name, run]) => ({ channel: name, ...(await run()) })),
      );
      return {
        schema: 1,
        results: results.map(({ channel: name, outcome, detail }) => ({ channel: name, outcome, detail })),
      };
    },
    "config-effective": async () => ({
      schema: 1,
      settings: effectiveSettings(options.settings().effective),
    }),
    "config-apply": async ({ text }) => orThrow(await options.sharedConfig.apply(text)),
    "token-create": async ({ name, expiresMs }) =>
      tokenCreateReport(orThrow(await requireKeymaster(identity).createToken(name, expiresMs))),
    "token-list": async () => tokenListReport(requireKeymaster(identity).listTokens()),
    "token-revoke": async ({ id }) =>
      tokenRevokeReport(orThrow(await requireKeymaster(identity).revokeToken(id))),
    crls: async () => crlsReport(identity.keeper.current().roster),
    ...createMuteDesk(options),
    ...createKeyDesk({
      ...options,
      shown: options.certificates,
      requireKeymaster: () => requireKeymaster(identity),
    }),
    ...createKeymasterDesk({
      ...options,
      wall: () => meshNow(options.state()),
      requireKeymaster: () => requireKeymaster(identity),
    }),
    ...createRootDesk({
      ...options,
      wall: () => meshNow(options.state()),
      requireKeymaster: () => requireKeymaster(identity),
    }),
    ...createHeatDesk({
      state: options.state,
      history: options.history.history,
      removed: () => identity.keeper.current().roster.revoked,
    }),
    doctor: async () =>
      examine({
        view: view(),
        wall: meshNow(options.state()),
        certificateExpires: identity.certificateExpires,
        roots: await handlers["root-status"]({}),
        rosterSigned: wallTime(Date.parse(identity.keeper.current().roster.issuedAt)),
        listening: options.listening,
        refusals: options.refusals,
        channels: options.settings().channelRefs,
        nodesNamed: options.settings().effective.config.nodes.map(({ name }) => name),
        heatRules: options.settings().policy.heat.rules,
        http: await options.http.facts(),
        sensors: options.sensors(),
        history: await options.history.state(),
        damaged: [...identity.keeper.displaced.damage(), ...identity.seat.office.setAside.damage()],
      }),
    watch: (emit) => {
      watchers.add(emit);
      return () => watchers.delete(emit);
    },
  };

  return {
    handlers,
    tested: (request, result) => tests.get(request)?.(result),
    onNotice: (notice) => {
      if (watchers.size === 0) return;
      const event = watchEvent(notice, meshNow(options.state()));
      for (const emit of watchers) emit(event);
    },
  };
}

function requireKeymaster(identity: Identity): Keymaster {
  const keymaster = identity.seat.current();
  if (keymaster !== undefined) return keymaster;
  const { roster } = identity.keeper.current();
  const name = roster.nodes.find((node) => node.id === roster.keymaster)?.name ?? roster.keymaster;
  return orThrow(
    failure("not-keymaster", `${identity.name} is not the keymaster, ${name} is`, `Run this on ${name}.`),
  );
}
