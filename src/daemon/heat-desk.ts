/** What the command line can ask about sensors: those of all hosts now, a dead host's last minutes, the past. */
import type { NodeState } from "../core/node.ts";
import { meshView } from "../core/view-of.ts";
import { blackBoxOf, readingsView } from "../core/view-of-readings.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { ms, type WallTime, wallTime } from "../kit/time.ts";
import type { History, SensorRecord } from "../ports/history.ts";
import {
  BLACKBOX_SPAN,
  HISTORY_SPAN_DEFAULT,
  POINTS_MAX,
  RECENT_SPAN,
  RECENT_STEPS,
} from "../wire/heat-limits.ts";
import type { BlackBoxReport, HeatParamsOf, HostTempsReport, TempsReport } from "../wire/heat-reports.ts";
import type { RpcHandlers } from "../wire/rpc.ts";
import { currentEnv, meshNow } from "./clock.ts";
import { blackBoxReport, historyReport, hostTempsReport, storedBlackBoxReport } from "./heat-reports.ts";
import { ofHistoryId } from "./history-keeper.ts";
import { memberNamed } from "./member-named.ts";
import { orThrow } from "./shared-config.ts";

/** A node's id and name. */
export interface Who {
  readonly node: string;
  readonly name: string;
}

export interface HeatDeskOptions {
  readonly state: () => NodeState;
  /** Undefined where this node keeps none. */
  readonly history: () => History | undefined;
  /** Who was removed from the mesh, oldest first. */
  readonly removed: () => readonly Who[];
}

/** Of one answer of `temps`, in characters: a line of the control socket has 1 MiB. */
const ANSWER_CHARS = 400_000;
const CANDIDATES_SHOWN = 12;

export function createHeatDesk(options: HeatDeskOptions): Pick<RpcHandlers, keyof HeatParamsOf> {
  const { state } = options;

  const whoIs = (name: string): Who => {
    const { id, name: known } = orThrow(memberNamed(state(), name));
    return { node: id, name: known };
  };

  const history = (): History =>
    options.history() ??
    orThrow(
      failure("history-off", "this node keeps no history", "Remove `history: off` from its configuration."),
    );

  /** Also who is a member no more: its past outlives it. A name that was given anew is the member's. */
  const whoWas = async (name: string): Promise<Who> => {
    const member = memberNamed(state(), name);
    if (member.ok) return { node: member.value.id, name: member.value.name };
    const removed = options.removed().findLast((one) => one.name === name || one.node === name);
    if (removed !== undefined) return { node: removed.node, name: removed.name };
    const records = options.history() === undefined ? [] : orThrow(await history().sensors());
    const isKept = records.some(({ sensor }) => ofHistoryId(sensor).node === name);
    return isKept ? { node: name, name } : orThrow(member);
  };

  /** What the history knows of one host. */
  const recordsOf = async ({ node }: Who): Promise<readonly SensorRecord[]> =>
    orThrow(await history().sensors()).filter(({ sensor }) => ofHistoryId(sensor).node === node);

  const silentSince = (node: string): WallTime | undefined => {
    const seen = meshView(state(), currentEnv()).nodes.find(({ id }) => id === node);
    return seen === undefined || seen.verdict === "alive" || seen.path === "self"
      ? undefined
      : seen.lastHeard;
  };

  const stored = async (who: Who, at: number | undefined): Promise<BlackBoxReport> => {
    const records = await recordsOf(who);
    const last = records.reduce((latest, record) => Math.max(latest, record.last), 0);
    if (records.length === 0) return orThrow(nothingKnown(who));
    // The end of a range is not part of it.
    const to = wallTime((at ?? last) + 1);
    const from = wallTime(Math.max(0, to - BLACKBOX_SPAN));
    const sensors = records.map(({ sensor }) => sensor);
    const series = orThrow(await history().samples({ sensors, from, to }));
    return storedBlackBoxReport({ ...who, silentSince: silentSince(who.node) }, records, series);
  };

  return {
    temps: async ({ node, from = 0 }) => {
      const views = readingsView(state(), currentEnv());
      const only = node === undefined ? undefined : whoIs(node).node;
      const { heat } = state().policy;
      const hosts: HostTempsReport[] = [];
      let room = ANSWER_CHARS;
      for (let place = from; place < views.length; place += 1) {
        const view = views[place];
        if (view === undefined || (only !== undefined && view.node !== only)) continue;
        const report = hostTempsReport(view, state().senses.boxes.get(view.node) ?? [], heat);
        room -= JSON.stringify(report).length;
        if (room < 0 && hosts.length > 0) return tempsReport(hosts, place);
        hosts.push(report);
      }
      return tempsReport(hosts, null);
    },
    blackbox: async ({ node, at }) => {
      const who = await whoWas(node);
      const held = at === undefined ? blackBoxOf(state(), who.node) : undefined;
      if (held !== undefined) return blackBoxReport(held, silentSince(who.node));
      return options.history() === undefined && at === undefined
        ? orThrow(nothingKnown(who))
        : stored(who, at);
    },
    history: async ({ sensor, node, from, to, stepMs }) => {
      const who = await whoWas(node ?? state().self);
      const record = orThrow(sensorNamed(who, sensor, await recordsOf(who)));
      const end = wallTime(to ?? meshNow(state()) + 1);
      const range = { from: wallTime(from ?? Math.max(0, end - HISTORY_SPAN_DEFAULT)), to: end };
      if (stepMs !== undefined && (range.to - range.from) / stepMs > POINTS_MAX) {
        const remedy = "Ask for a longer step or a shorter time.";
        return orThrow(failure("limit-reached", `that makes more than ${POINTS_MAX} points`, remedy));
      }
      const step = stepMs === undefined ? {} : { step: ms(stepMs) };
      const chart = orThrow(await history().query({ sensor: record.sensor, ...range, ...step }));
      return historyReport(who, record, range, chart);
    },
  };
}

const tempsReport = (hosts: readonly HostTempsReport[], next: number | null): TempsReport => ({
  schema: 1,
  recentMs: RECENT_SPAN / RECENT_STEPS,
  hosts,
  next,
});

const nothingKnown = ({ name }: Who): Result<never> =>
  failure(
    "readings-unknown",
    `nothing is known of the sensors of ${name}`,
    `Does \`balefire sensors\` on ${name} show any, and does \`balefire temps\` here? This daemon may have started after they were last told.`,
  );

/** By its id, its name, or a part of one, in this order. */
export function sensorNamed(
  who: Who,
  wanted: string,
  records: readonly SensorRecord[],
): Result<SensorRecord> {
  if (records.length === 0) return nothingKnown(who);
  const lower = wanted.toLowerCase();
  const called = records.map((record) => ({
    record,
    id: ofHistoryId(record.sensor).sensor.toLowerCase(),
    name: record.name.toLowerCase(),
  }));
  const tries = [
    called.filter(({ id }) => id === lower),
    called.filter(({ name }) => name === lower),
    called.filter(({ id, name }) => id.includes(lower) || name.includes(lower)),
  ];
  const found = tries.find((some) => some.length > 0) ?? [];
  const [first, ...others] = found;
  if (first === undefined) {
    const remedy = `There are: ${listed(records)}.`;
    return failure("sensor-unknown", `no sensor of ${who.name} is called "${wanted}"`, remedy);
  }
  if (others.length === 0) return ok(first.record);
  const remedy = `Name one of: ${listed(found.map(({ record }) => record))}.`;
  return failure("sensor-ambiguous", `"${wanted}" fits ${found.length} sensors of ${who.name}`, remedy);
}

function listed(records: readonly SensorRecord[]): string {
  const shown = records.slice(0, CANDIDATES_SHOWN);
  const names = shown.map(({ sensor, name }) => `${ofHistoryId(sensor).sensor} (${name})`);
  const more = records.length - shown.length;
  return `${names.join(", ")}${more === 0 ? "" : `, and ${more} more`}`;
}
