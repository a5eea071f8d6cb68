/** What the HTTP port of this node shows, from its state and its roster. */
import { setImmediate } from "node:timers/promises";
import { HttpDoor, type HttpDoorState } from "../adapters/http/http-door.ts";
import { answersHealth } from "../adapters/http/knock.ts";
import type { HttpPages, ReadingsWanted } from "../adapters/http/pages.ts";
import type { NodeState } from "../core/node.ts";
import { latestOf } from "../core/senses.ts";
import { meshView } from "../core/view-of.ts";
import type { Instant } from "../kit/time.ts";
import { type HealthReport, healthStatusCode } from "../wire/health.ts";
import type { HttpListen } from "../wire/http-listen.ts";
import { type ExpositionFormat, expositionLines } from "../wire/metrics/exposition.ts";
import type { TransportCounts } from "../wire/metrics/facts.ts";
import { allMetrics } from "../wire/metrics/metrics.ts";
import { currentEnv, monotonicNow } from "./clock.ts";
import type { Identity } from "./identity.ts";
import type { Log } from "./log.ts";
import { beatCounts, hostReadings, openIncidents, ownCost } from "./metrics-facts.ts";
import { healthReport, statusReport } from "./reports.ts";
import type { Tally } from "./tally.ts";

/** However often somebody asks, a page is made once in this time: what watches comes first. */
const PAGE_KEPT_MS = 500;

export interface HttpPortOptions {
  readonly identity: Identity;
  readonly version: string;
  readonly state: () => NodeState;
  readonly transport: { stats(): TransportCounts };
  readonly tally: Tally;
  /** What of this node's own does not work, in words. */
  readonly troubles: () => readonly string[];
  readonly log: Log;
}

export interface HttpPort {
  open(listen: HttpListen): Promise<void>;
  close(): Promise<void>;
  state(): HttpDoorState;
  /** Asks it, as a reader would. */
  facts(): Promise<HttpFacts>;
}

export interface HttpFacts {
  readonly state: HttpDoorState;
  /** Its page of health came, where it listens. */
  readonly answers: boolean;
}

export function createHttpPort(options: HttpPortOptions): HttpPort {
  const door = new HttpDoor({
    pages: createPages(options),
    onState: (state) => logState(options.log, state),
  });
  return {
    open: (listen) => door.open(listen),
    close: () => door.close(),
    state: () => door.state,
    facts: async () => {
      const { state } = door;
      return { state, answers: state.kind === "listening" && (await answersHealth(state.address)) };
    },
  };
}

/** For the status: the mesh is watched all the same. */
export const httpTrouble = (state: HttpDoorState): string[] =>
  state.kind === "failing" ? [`no metrics: ${state.failure.message}`] : [];

function logState(log: Log, state: HttpDoorState): void {
  if (state.kind === "listening") log.info(`metrics and health at http://${state.address}`);
  if (state.kind !== "failing") return;
  const { message, remedy = "", code } = state.failure;
  log.warning(`no metrics and health: ${message} (${code}); trying again. ${remedy}`);
}

function createPages(options: HttpPortOptions): HttpPages {
  const { identity, tally, log } = options;
  const health = keptBriefly(() => healthOf(options));
  const metrics = keptBriefly((format: ExpositionFormat, readings: ReadingsWanted) =>
    metricsOf(options, format, readings),
  );
  return {
    health: () => {
      const report = health();
      return { code: healthStatusCode(report), report };
    },
    metrics,
    crl: (root) => identity.keeper.current().roster.crls.find((each) => each.root === root)?.pem,
    hostNames: () => ["localhost", identity.name.toLowerCase()],
    onAnswered: (path, code) => tally.answered(path, code),
    onError: (error) => log.error(`the HTTP port failed to answer: ${error.message}`),
  };
}

function healthOf({ identity, version, state: stateNow, troubles }: HttpPortOptions): HealthReport {
  const state = stateNow();
  const view = meshView(state, currentEnv());
  const status = statusReport(view, version, identity.certificateExpires, troubles());
  return healthReport(view, status, {
    startedAt: state.startedAt,
    lastReading: latestOf(state, state.self)?.wall,
  });
}

function metricsOf(
  options: HttpPortOptions,
  format: ExpositionFormat,
  readings: ReadingsWanted,
): Promise<string> {
  const { identity, version, tally } = options;
  const state = options.state();
  const host = currentEnv();
  const view = meshView(state, host);
  const env = { ...host, wall: view.at };
  const { certificateExpires } = identity;
  const { health } = statusReport(view, version, certificateExpires, options.troubles());
  const families = allMetrics({
    version,
    wall: env.wall,
    view,
    health,
    certificateExpires,
    beats: beatCounts(state),
    incidents: openIncidents(state),
    hosts: hostReadings(state, env, readings),
    tallies: tally.all(),
    transport: options.transport.stats(),
    cost: ownCost(env.wall),
    requests: tally.requests(),
  });
  return unhurried(expositionLines(families, format));
}

/** Lines that are made between two looks at what is more urgent: some milliseconds' worth. */
const LINES_AT_ONCE = 500;

/** A mesh of a hundred hosts has thousands of sensors, whose metrics must not hold up a beat. */
export async function unhurried(lines: Iterable<string>): Promise<string> {
  const made: string[] = [];
  for (const line of lines) {
    made.push(line);
    if (made.length % LINES_AT_ONCE === 0) await setImmediate();
  }
  return `${made.join("\n")}\n`;
}

/** By arguments, of which there are few. */
function keptBriefly<A extends readonly string[], T>(make: (...asked: A) => T): (...asked: A) => T {
  const kept = new Map<string, { readonly at: Instant; readonly made: T }>();
  return (...asked) => {
    const key = asked.join(" ");
    const now = monotonicNow();
    const held = kept.get(key);
    if (held !== undefined && now - held.at < PAGE_KEPT_MS) return held.made;
    const made = make(...asked);
    kept.set(key, { at: now, made });
    return made;
  };
}
