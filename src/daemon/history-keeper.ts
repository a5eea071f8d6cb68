/** Writes down what the sensors of this host and of its peers measured. What fails here costs history alone. */
import { createHistory } from "../adapters/history/history.ts";
import { SENSOR_ID_CHARS_MAX } from "../adapters/history/limits.ts";
import type { Taken } from "../core/thermal/black-box.ts";
import { presentValue } from "../core/thermal/pass.ts";
import type { SensorTable } from "../core/thermal/sensor-table.ts";
import type { NodeId } from "../core/types.ts";
import { sha256Hex } from "../kit/hash.ts";
import type { Failure } from "../kit/result.ts";
import { type Duration, ms } from "../kit/time.ts";
import type { History, HistoryStatus, Sample, SensorDescription } from "../ports/history.ts";
import type { HistoryLimits } from "../wire/config-heat.ts";
import type { Log } from "./log.ts";

export interface HistoryKeeperOptions {
  readonly path: string;
  readonly limits: HistoryLimits | "off";
  readonly log: Pick<Log, "info" | "warning">;
}

export interface HistoryKeeper {
  /** A pass that became known; of those that others relay nothing is kept. */
  take(node: NodeId, pass: Taken): void;
  /** To ask it; undefined where none is kept. Its thread begins with the first pass or question. */
  history(): History | undefined;
  /** Why nothing can be written now. */
  failing(): string | undefined;
  state(): Promise<HistoryState>;
  close(): Promise<void>;
}

/** What doctor says of it. */
export interface HistoryState {
  readonly kept: boolean;
  readonly failing: string | undefined;
  /** Undefined before there was anything to keep. */
  readonly status: HistoryStatus | undefined;
}

/** While nothing can be written: how often to look whether it can, in flush intervals. */
const RECHECK_FLUSHES = 4;
/** Characters kept of an id that is too long; a hash makes it one of its kind. */
const HASH_DIGITS = 16;

/** The name of a host's sensor in the history. Ids of nodes hold no space. */
export function historyId(node: NodeId, sensor: string): string {
  const whole = `${node} ${sensor}`;
  if (whole.length <= SENSOR_ID_CHARS_MAX) return whole;
  const hash = sha256Hex(sensor).slice(0, HASH_DIGITS);
  return `${whole.slice(0, SENSOR_ID_CHARS_MAX - HASH_DIGITS - 1)}~${hash}`;
}

/** Back again; a long sensor's id is as far as it was kept. */
export function ofHistoryId(id: string): { readonly node: NodeId; readonly sensor: string } {
  const end = id.indexOf(" ");
  return { node: id.slice(0, end), sensor: id.slice(end + 1) };
}

/** A host's sensors, and which of them the history knows by name. */
interface Described {
  readonly table: SensorTable;
  readonly ids: readonly string[];
  readonly told: Set<number>;
}

export function createHistoryKeeper({ path, limits, log }: HistoryKeeperOptions): HistoryKeeper {
  const hosts = new Map<NodeId, Described>();
  let opened: History | undefined;
  let failing: string | undefined;
  let recheck: NodeJS.Timeout | undefined;

  const trouble = (failure: Failure): void => {
    const { code, message, remedy, retry } = failure;
    log.warning(`${message} (${code})${remedy === undefined ? "" : `. ${remedy}`}`);
    // Names that were not yet on disk may be lost with it.
    hosts.clear();
    if (!retry || limits === "off") return;
    failing = message;
    watchForRecovery(ms(RECHECK_FLUSHES * limits.flush));
  };

  const watchForRecovery = (length: Duration): void => {
    clearTimeout(recheck);
    recheck = setTimeout(async () => {
      const flushed = await opened?.flush();
      if (opened === undefined || flushed === undefined) return;
      if (!flushed.ok) return watchForRecovery(length);
      failing = undefined;
      log.info("history is kept again");
    }, length);
    recheck.unref();
  };

  const open = (): History | undefined => {
    if (limits === "off") return undefined;
    opened ??= createHistory({ path, trouble, bytesMax: limits.size, flushInterval: limits.flush });
    return opened;
  };

  const describedOf = (node: NodeId, table: SensorTable): Described => {
    const before = hosts.get(node);
    if (before?.table === table) return before;
    const ids = table.sensors.map((sensor) => (sensor === null ? "" : historyId(node, sensor.id)));
    const described = { table, ids, told: new Set<number>() };
    hosts.set(node, described);
    return described;
  };

  return {
    take: (node, pass) => {
      if (!pass.direct || limits === "off") return;
      const known = describedOf(node, pass.table);
      const samples: Sample[] = [];
      const described: SensorDescription[] = [];
      pass.values.forEach((passed, place) => {
        const sensor = pass.table.sensors[place];
        const value = presentValue(passed);
        const id = known.ids[place];
        if (sensor === null || sensor === undefined || value === undefined || id === undefined) return;
        samples.push({ sensor: id, value });
        // A sensor is known to the history from its first sample on, and not before.
        if (known.told.has(place)) return;
        known.told.add(place);
        described.push({ sensor: id, kind: sensor.kind, name: sensor.name, unit: sensor.unit });
      });
      if (samples.length > 0) open()?.append({ at: pass.wall, samples, described });
    },
    history: open,
    failing: () => failing,
    state: async () => {
      const status = await opened?.status();
      const kept = limits !== "off";
      if (status?.ok === false) return { kept, failing: failing ?? status.error.message, status: undefined };
      return { kept, failing, status: status?.value };
    },
    close: async () => {
      clearTimeout(recheck);
      await opened?.close();
    },
  };
}
