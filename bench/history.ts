/**
 * What the history of forty sensors costs: bytes a sample, bytes written a day, time for a chart; beside a
 * plain table of (sensor, time, value) with the same samples. Prints one JSON line, then a table.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HistorySession } from "../src/adapters/history/history-session.ts";
import { CHART_POINTS_MAX, FLUSH_INTERVAL, HISTORY_BYTES_DEFAULT } from "../src/adapters/history/limits.ts";
import { unwrap } from "../src/kit/result.ts";
import { ms, wallTime } from "../src/kit/time.ts";
import type { HistoryChart, SampleBatch } from "../src/ports/history.ts";
import { PERIOD_MS, SENSORS, sensorWeather } from "./sensor-weather.ts";
import { percentile } from "./statistics.ts";
import { readWords } from "./words.ts";

const USAGE = `node bench/history.ts [--days 30] [--folder /tmp] [--no-targets]

Exit code 1 when a target is missed: 2 bytes a raw sample, 50 ms (p90) for a chart of all days.
`;
const BYTES_A_SAMPLE_TARGET = 2;
const CHART_MS_TARGET = 50;

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const BATCHES_A_DAY = DAY_MS / PERIOD_MS;
const RAW_DAYS = 2;
const START = Date.UTC(2026, 0, 1);
const SEED = 1957;
const CHARTS = 40;

interface Keeper {
  keep(batch: SampleBatch): void;
  /** Points of the chart. */
  chart(sensor: string, from: number, to: number, step: number): number;
  /** Of raw samples alone. */
  rawBytes(): number;
  fileBytes(): number;
  close(): void;
}

function history(path: string): Keeper {
  const settings = { path, bytesMax: HISTORY_BYTES_DEFAULT, flushMs: FLUSH_INTERVAL };
  const session = new HistorySession(settings, ({ message }) => {
    throw new Error(message);
  });
  return {
    keep: (batch) => void session.serve({ type: "append", about: batch }),
    chart: (sensor, from, to, step) => {
      const about = { sensor, from: wallTime(from), to: wallTime(to), step: ms(step) };
      return (unwrap(session.serve({ type: "query", about })) as HistoryChart).points.length;
    },
    rawBytes: () => pagesOf(path, "raw") + pagesOf(path, "tail"),
    fileBytes: () => pagesOf(path),
    close: () => void session.serve({ type: "close", about: undefined }),
  };
}

/** What one would write first; a commit a flush interval, as above. */
function plainTable(path: string): Keeper {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE sample (sensor INTEGER, at INTEGER, value REAL, PRIMARY KEY (sensor, at)) WITHOUT ROWID;
  `);
  const put = database.prepare("INSERT OR REPLACE INTO sample VALUES (?, ?, ?)");
  const select = database.prepare(
    "SELECT CAST(at / ? AS INTEGER) AS step, min(value), avg(value), max(value), count(*) FROM sample WHERE sensor = ? AND at >= ? AND at < ? GROUP BY step",
  );
  const numbers = new Map<string, number>();
  const numberOf = (sensor: string): number => {
    const number = numbers.get(sensor) ?? numbers.size + 1;
    numbers.set(sensor, number);
    return number;
  };
  let open: number | undefined;
  const commit = (): void => {
    if (open !== undefined) database.exec("COMMIT");
    open = undefined;
  };
  return {
    keep: ({ at, samples }) => {
      if (open === undefined) database.exec("BEGIN");
      open ??= at;
      for (const { sensor, value } of samples) put.run(numberOf(sensor), at, value);
      if (at - open >= FLUSH_INTERVAL) commit();
    },
    chart: (sensor, from, to, step) => select.all(step, numberOf(sensor), from, to).length,
    rawBytes: () => {
      commit();
      return pagesOf(path, "sample");
    },
    fileBytes: () => pagesOf(path),
    close: () => {
      commit();
      database.close();
    },
  };
}

function pagesOf(path: string, table?: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const where = table === undefined ? "" : "WHERE name = ?";
  const statement = database.prepare(`SELECT sum(pgsize) AS bytes FROM dbstat ${where}`);
  const row = table === undefined ? statement.get() : statement.get(table);
  database.close();
  return Number(row?.bytes ?? 0);
}

/** Bytes this process has given to the kernel to write: proc_pid_io(5). */
const bytesWritten = (): number =>
  Number(/^wchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1] ?? Number.NaN);

interface Measured {
  readonly keeper: string;
  readonly samples: number;
  readonly bytesARawSample: number;
  readonly mbWrittenADay: number;
  readonly cpuSecondsADay: number;
  readonly fileMB: number;
  readonly points: number;
  readonly chartMsP50: number;
  readonly chartMsP90: number;
}

function measure(name: string, days: number, path: string, make: (path: string) => Keeper): Measured {
  const keeper = make(path);
  const rawAfter = Math.min(RAW_DAYS, days) * BATCHES_A_DAY;
  const written = bytesWritten();
  const before = process.cpuUsage();
  let [samples, batches, raw] = [0, 0, 0];
  for (const batch of sensorWeather(SEED, START, days * BATCHES_A_DAY)) {
    keeper.keep(batch);
    samples += batch.samples.length;
    batches += 1;
    if (batches === rawAfter) raw = keeper.rawBytes() / samples;
  }
  const cpu = process.cpuUsage(before);
  const mbWrittenADay = (bytesWritten() - written) / days / 1e6;
  const step = Math.ceil((days * DAY_MS) / CHART_POINTS_MAX / QUARTER_MS) * QUARTER_MS;
  const took: number[] = [];
  let points = 0;
  for (let number = 0; number < CHARTS; number += 1) {
    const began = performance.now();
    points = keeper.chart(`bench/core/${number % 16}`, START, START + days * DAY_MS, step);
    took.push(performance.now() - began);
  }
  const fileMB = keeper.fileBytes() / 1e6;
  keeper.close();
  return {
    keeper: name,
    samples,
    bytesARawSample: round(raw),
    mbWrittenADay: round(mbWrittenADay),
    cpuSecondsADay: round((cpu.user + cpu.system) / 1e6 / days),
    fileMB: round(fileMB),
    points,
    chartMsP50: round(percentile(took, 50)),
    chartMsP90: round(percentile(took, 90)),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;

function main(): number {
  const values = readWords({
    days: { type: "string", default: "30" },
    folder: { type: "string", default: tmpdir() },
    targets: { type: "boolean", default: true },
  });
  const days = Number(values?.days);
  if (values === undefined || !(Number.isInteger(days) && days >= 1 && days <= 366)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const folder = mkdtempSync(join(values.folder, "balefire-bench-"));
  try {
    const ours = measure("history", days, join(folder, "history.sqlite"), history);
    const peer = measure("plain table", days, join(folder, "plain.sqlite"), plainTable);
    process.stdout.write(
      `${JSON.stringify({ schema: 1, event: "history", sensors: SENSORS, days, ours, peer })}\n`,
    );
    console.table(Object.fromEntries([ours, peer].map(({ keeper, ...rest }) => [keeper, rest])));
    const missed = [
      ...(ours.bytesARawSample <= BYTES_A_SAMPLE_TARGET
        ? []
        : [`bytes a raw sample ${ours.bytesARawSample}`]),
      ...(ours.chartMsP90 <= CHART_MS_TARGET ? [] : [`chart p90 ${ours.chartMsP90} ms`]),
    ];
    for (const one of missed) process.stdout.write(`missed: ${one}\n`);
    return missed.length > 0 && values.targets ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

process.exitCode = main();
