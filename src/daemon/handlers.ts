/** What the command line can ask of a running daemon. */
import { randomUUID } from "node:crypto";
import type { DeliveryOutcome, Input, Notice } from "../core/io.ts";
import type { NodeState } from "../core/node.ts";
import { inbox, incidentViews, meshView } from "../core/view-of.ts";
import { FailureError, failure } from "../kit/result.ts";
import { effectiveSettings } from "../wire/config-effective.ts";
import type { RpcHandlers, WatchEvent } from "../wire/rpc.ts";
import { tokenCreateReport, tokenListReport, tokenRevokeReport } from "../wire/token-reports.ts";
import { currentEnv, wallNow } from "./clock.ts";
import { examine } from "./doctor.ts";
import type { Identity } from "./identity.ts";
import type { Keymaster } from "./keymaster.ts";
import { inboxReport, incidentsReport, notifyListReport, statusReport, watchEvent } from "./reports.ts";
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
  readonly listening: readonly string[];
  readonly refusals: ReadonlyMap<string, number>;
  readonly push: (input: Input) => void;
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

  const channelsToTest = (wanted: string | undefined): readonly string[] => {
    const all = [...options.settings().channels.keys()];
    if (wanted === undefined) return all;
    if (all.includes(wanted)) return [wanted];
    throw new FailureError({
      code: "channel-unknown",
      message: `this node has no channel named ${wanted}`,
      remedy: `It has: ${all.join(", ")}.`,
      retry: false,
    });
  };

  const handlers: RpcHandlers = {
    status: async () => statusReport(view(), options.version, identity.certificateExpires),
    incidents: async () => incidentsReport(incidentViews(options.state())),
    inbox: async () => inboxReport(inbox(options.state())),
    "notify-list": async () =>
      notifyListReport(view().channels, (name) => {
        if (name === "inbox") return "built in";
        return options.settings().effective.origins[`channels.${name}`] === "shared" ? "shared" : "own";
      }),
    "notify-test": async ({ channel }) => {
      const names = channelsToTest(channel);
      const results = await Promise.all(
        names.map(async (name) => ({ channel: name, ...(await test(name)) })),
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
    doctor: async () =>
      examine({
        view: view(),
        wall: wallNow(),
        certificateExpires: identity.certificateExpires,
        listening: options.listening,
        refusals: options.refusals,
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
      const event = watchEvent(notice, wallNow());
      for (const emit of watchers) emit(event);
    },
  };
}

function requireKeymaster(identity: Identity): Keymaster {
  if (identity.keymaster !== undefined) return identity.keymaster;
  const { roster } = identity.keeper.current();
  const name = roster.nodes.find((node) => node.id === roster.keymaster)?.name ?? roster.keymaster;
  return orThrow(
    failure("not-keymaster", `${identity.name} is not the keymaster, ${name} is`, `Run this on ${name}.`),
  );
}
