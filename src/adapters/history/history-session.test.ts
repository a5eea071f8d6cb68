import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { randomBelow, seededRandom } from "../../kit/random.ts";
import { type Failure, type Result, unwrap } from "../../kit/result.ts";
import { ms, wallTime } from "../../kit/time.ts";
import type { HistoryChart, HistoryStatus, Sample, SampleSeries, SensorRecord } from "../../ports/history.ts";
import { HistorySession } from "./history-session.ts";
import { HOUR_MS, MINUTE_MS, QUARTER_MS } from "./hour.ts";
import { HISTORY_BYTES_DEFAULT, HISTORY_BYTES_MIN, SENSORS_MAX } from "./limits.ts";

const START = Date.UTC(2026, 2, 1);
const DAY_MS = 24 * HOUR_MS;

let folder: string;
let path: string;
let troubles: Failure[];
const sessions: HistorySession[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "balefire-history-"));
  path = join(folder, "history.sqlite");
  troubles = [];
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.serve({ type: "close", about: undefined });
  rmSync(folder, { recursive: true });
});

function open(bytesMax = HISTORY_BYTES_DEFAULT, flushMs = MINUTE_MS): HistorySession {
  const session = new HistorySession({ path, bytesMax, flushMs }, (trouble) => troubles.push(trouble));
  sessions.push(session);
  return session;
}
const close = (session: HistorySession): Result<unknown> =>
  session.serve({ type: "close", about: undefined });
const flush = (session: HistorySession): Result<unknown> =>
  session.serve({ type: "flush", about: undefined });

const append = (session: HistorySession, at: number, ...samples: readonly Sample[]): void => {
  session.serve({ type: "append", about: { at: wallTime(at), samples } });
};
const chart = (
  session: HistorySession,
  from: number,
  to: number,
  step?: number,
  sensor = "t",
): HistoryChart =>
  unwrap(
    session.serve({
      type: "query",
      about: {
        sensor,
        from: wallTime(from),
        to: wallTime(to),
        ...(step === undefined ? {} : { step: ms(step) }),
      },
    }),
  ) as HistoryChart;
const samplesOf = (session: HistorySession, from: number, to: number, sensor = "t"): [number, number][] => {
  const about = { sensors: [sensor], from: wallTime(from), to: wallTime(to) };
  const [series] = unwrap(session.serve({ type: "samples", about })) as SampleSeries[];
  return (series?.samples ?? []).map(({ at, value }) => [at, value]);
};
const sensors = (session: HistorySession): SensorRecord[] =>
  unwrap(session.serve({ type: "sensors", about: undefined })) as SensorRecord[];
const status = (session: HistorySession): HistoryStatus =>
  unwrap(session.serve({ type: "status", about: undefined })) as HistoryStatus;
const countIn = ({ points }: HistoryChart): number => points.reduce((sum, { count }) => sum + count, 0);
const files = (): string[] => readdirSync(folder).sort();

/** A sensor named `t` that says its own hour, once a minute. */
function record(session: HistorySession, from: number, lengthMs: number, every = MINUTE_MS): void {
  for (let at = from; at < from + lengthMs; at += every) {
    append(session, at, { sensor: "t", value: Math.floor((at - START) / HOUR_MS) });
  }
}

describe("what was appended", () => {
  type Act =
    | { readonly type: "samples"; readonly offset: number; readonly values: readonly number[] }
    | { readonly type: "flush" }
    | { readonly type: "restart" };
  const act = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("samples" as const),
        // Mostly onwards, now and then an hour back, a year forward, to where it was before.
        offset: fc.oneof(
          fc.nat(600_000),
          fc.constantFrom(0, -HOUR_MS, 365 * DAY_MS, -365 * DAY_MS, 3 * HOUR_MS),
        ),
        values: fc.array(
          fc.oneof(
            fc.integer({ min: -400, max: 1600 }).map((n) => n / 8),
            fc.constant(Number.NaN),
          ),
          {
            minLength: 1,
            maxLength: 40,
          },
        ),
      }),
    },
    { weight: 1, arbitrary: fc.constantFrom<Act>({ type: "flush" }, { type: "restart" }) },
  );

  it("is there once, at every step, whatever the clock and the daemon did", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), (acts: Act[]) => {
        for (const file of files()) rmSync(join(folder, file));
        const model = new Map<number, number>();
        let session = open();
        let at = START;
        for (const one of acts) {
          if (one.type === "restart") {
            close(session);
            session = open();
          } else if (one.type === "flush") flush(session);
          else {
            at += one.offset;
            for (const value of one.values) {
              append(session, at, { sensor: "t", value });
              model.set(at, value);
              at += 7_000;
            }
          }
        }
        const all = [...model].sort(([a], [b]) => a - b);
        const range = [START - 30 * 365 * DAY_MS, START + 30 * 365 * DAY_MS] as const;
        expect(samplesOf(session, ...range)).toEqual(all);
        for (const [from, to, step] of [
          [START, START + 6 * HOUR_MS, MINUTE_MS],
          [START, START + 6 * HOUR_MS, 10_000],
          [START, START + 30 * DAY_MS, QUARTER_MS],
          [...range, 10 * DAY_MS],
        ] as const) {
          expect(chart(session, from, to, step).points).toEqual(expectedPoints(all, from, to, step));
        }
        close(session);
        expect(troubles).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  function expectedPoints(all: readonly [number, number][], from: number, to: number, step: number) {
    const first = Math.floor(from / step) * step;
    const end = Math.ceil(to / step) * step;
    const groups = Map.groupBy(
      all.filter(([at, value]) => at >= first && at < end && !Number.isNaN(value)),
      ([at]) => Math.floor(at / step) * step,
    );
    return [...groups].map(([at, group]) => {
      const values = group.map(([, value]) => value);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const [min, max] = [Math.min(...values), Math.max(...values)];
      return { at, min, mean: expect.closeTo(mean, 6), max, count: values.length };
    });
  }

  it("is asked for with a step that makes a chart of at most 1000 points", () => {
    const session = open();
    record(session, START, HOUR_MS, 10_000);
    for (const [length, step] of [
      [10 * MINUTE_MS, 1000],
      [HOUR_MS, 5000],
      [DAY_MS, 120_000],
      [30 * DAY_MS, HOUR_MS],
      [5 * 365 * DAY_MS, 2 * DAY_MS],
      [200 * 365 * DAY_MS, 74 * DAY_MS],
    ] as const) {
      const answer = chart(session, START, START + length);
      expect([length, answer.step]).toEqual([length, step]);
      expect(length / answer.step).toBeLessThanOrEqual(1000);
    }
  });

  it("keeps each sensor's description, and the new one when it changes", () => {
    const first = open();
    const at = wallTime(START);
    const description = { sensor: "t", kind: "nvme", name: "Samsung", unit: "°C" };
    const about = { at, samples: [{ sensor: "t", value: 1 }], described: [description] };
    first.serve({ type: "append", about });
    close(first);
    const second = open();
    expect(sensors(second)).toEqual([{ ...description, first: START, last: START }]);
    const renamed = { ...description, name: "Samsung, slot 2" };
    second.serve({
      type: "append",
      about: { at: wallTime(START + 5), samples: about.samples, described: [renamed] },
    });
    close(second);
    expect(sensors(open())).toMatchObject([renamed]);
  });

  it("has its first and latest time also after a restart in the midst of an hour", () => {
    const first = open();
    for (const after of [0, 70_000, 140_000]) {
      append(first, START + after, { sensor: "t", value: 1 });
      flush(first);
    }
    expect(sensors(open())).toMatchObject([{ sensor: "t", first: START, last: START + 140_000 }]);
  });

  it("may have been measured earlier than its batch, as with a disk that sleeps", () => {
    const session = open();
    append(session, START, { sensor: "t", value: 31, at: wallTime(START - 300_000) });
    expect(samplesOf(session, START - DAY_MS, START)).toEqual([[START - 300_000, 31]]);
  });
});

describe("what is not kept", () => {
  it("is told once and counted: impossible times, ids and too many sensors", () => {
    const session = open();
    append(
      session,
      START,
      { sensor: "t", value: 1, at: wallTime(-1) },
      { sensor: "t", value: 1, at: wallTime(Number.NaN) },
    );
    append(session, START, { sensor: "", value: 1 }, { sensor: "x".repeat(201), value: 1 });
    for (let number = 0; number <= SENSORS_MAX; number += 1)
      append(session, START, { sensor: `s${number}`, value: 1 });
    expect(troubles.map(({ code }) => code)).toEqual(["limit-reached", "limit-reached"]);
    expect(status(session)).toMatchObject({ dropped: 5, sensors: SENSORS_MAX });
    append(session, Number.NaN, { sensor: "s1", value: 1 });
    expect(status(session).dropped).toBe(6);
    expect(unwrap(flush(session))).toBeUndefined();
  });

  it("is refused as an answer: too many points, a step too short, a time that ends before it begins", () => {
    const session = open();
    record(session, START, MINUTE_MS, 10_000);
    const ask = (from: number, to: number, step: number): string | undefined => {
      const about = { sensor: "t", from: wallTime(from), to: wallTime(to), step: ms(step) };
      const result = session.serve({ type: "query", about });
      return result.ok ? undefined : result.error.code;
    };
    expect(ask(START, START + DAY_MS, 1000)).toBe("limit-reached");
    expect(ask(START, START + DAY_MS, 0)).toBe("usage");
    expect(ask(START, START + DAY_MS, Number.NaN)).toBe("usage");
    expect(ask(START, START, 1000)).toBe("usage");
    expect(ask(0, 1e300, 1000)).toBe("usage");
    expect(ask(START, START + 10_000_000, 1000)).toBeUndefined();
  });
});

describe("how long it is kept", () => {
  const hour = (number: number): [number, number] => [
    START + number * HOUR_MS,
    START + (number + 1) * HOUR_MS,
  ];

  it("raw for two days, minutes for thirty, quarters after that", () => {
    const session = open(HISTORY_BYTES_DEFAULT, 10 * MINUTE_MS);
    record(session, START, 50 * HOUR_MS);
    expect(samplesOf(session, ...hour(0))).toEqual([]);
    expect(samplesOf(session, ...hour(2))).toHaveLength(60);
    expect(chart(session, ...hour(0), MINUTE_MS).points).toHaveLength(60);
    record(session, START + 50 * HOUR_MS, 29 * DAY_MS);
    expect(chart(session, ...hour(0), MINUTE_MS).points.map(({ count }) => count)).toEqual([15, 15, 15, 15]);
    expect(chart(session, ...hour(29), MINUTE_MS).points).toHaveLength(60);
    expect(countIn(chart(session, START, START + 31 * DAY_MS + 2 * HOUR_MS))).toBe(31 * 1440 + 120);
  });

  it("counts what was recorded, not the calendar: a clock that jumps to 2040 and back deletes nothing", () => {
    const session = open();
    record(session, START, 3 * HOUR_MS);
    const wrong = Date.UTC(2040, 0, 1);
    record(session, wrong, 2 * HOUR_MS);
    record(session, START + 3 * HOUR_MS, 3 * HOUR_MS);
    expect(samplesOf(session, START, START + 6 * HOUR_MS)).toHaveLength(360);
    expect(samplesOf(session, wrong, wrong + DAY_MS)).toHaveLength(120);
    // What the wrong clock wrote goes when its turn comes.
    record(session, START + 6 * HOUR_MS, 48 * HOUR_MS);
    expect(samplesOf(session, wrong, wrong + DAY_MS)).toEqual([]);
    expect(countIn(chart(session, wrong, wrong + DAY_MS))).toBe(120);
  });

  it("does not age while the host is off", () => {
    const first = open();
    record(first, START, 3 * HOUR_MS);
    close(first);
    const second = open();
    record(second, START + 400 * DAY_MS, 3 * HOUR_MS);
    expect(samplesOf(second, START, START + DAY_MS)).toHaveLength(180);
  });

  it("goes on counting after a restart", () => {
    for (let day = 0; day < 3; day += 1) {
      const session = open();
      record(session, START + day * DAY_MS, DAY_MS);
      close(session);
    }
    expect(samplesOf(open(), ...hour(0))).toEqual([]);
  });

  it("is forgotten after five years, and then also the sensor", () => {
    const first = open();
    append(first, START, { sensor: "gone", value: 1 });
    record(first, START, 3 * HOUR_MS);
    close(first);
    const file = new DatabaseSync(path);
    file.prepare("UPDATE recorded SET length = length + ?").run(6 * 365 * DAY_MS);
    file.close();
    const second = open();
    expect(sensors(second)).toHaveLength(2);
    record(second, START + 6 * 365 * DAY_MS, 3 * HOUR_MS);
    expect(sensors(second).map(({ sensor }) => sensor)).toEqual(["t"]);
    expect(countIn(chart(second, START, START + DAY_MS))).toBe(0);
    expect(countIn(chart(second, START, START + DAY_MS, undefined, "gone"))).toBe(0);
    expect(countIn(chart(second, START, START + 10 * 365 * DAY_MS))).toBe(180);
  });

  it("is bounded by size: the oldest of the finest tier goes first, and the file stays within it", () => {
    const session = open(HISTORY_BYTES_MIN, 10 * MINUTE_MS);
    const random = seededRandom(5);
    for (let at = START; at < START + 12 * HOUR_MS; at += 10_000) {
      const samples = Array.from({ length: 60 }, (_, number) => ({
        sensor: number === 0 ? "t" : `s${number}`,
        value: randomBelow(random, 100_000) / 8,
      }));
      append(session, at, ...samples);
    }
    expect(statSync(path).size).toBeLessThanOrEqual(HISTORY_BYTES_MIN);
    expect(samplesOf(session, ...hour(0))).toEqual([]);
    expect(samplesOf(session, ...hour(11))).toHaveLength(360);
    expect(chart(session, ...hour(0), MINUTE_MS).points).toHaveLength(60);
    expect(troubles).toEqual([]);
  });

  it("becomes less when the limit is lowered, and gives the room back to the disk", () => {
    const wide = open();
    const random = seededRandom(6);
    for (let at = START; at < START + 10 * HOUR_MS; at += 10_000) {
      append(
        wide,
        at,
        ...Array.from({ length: 100 }, (_, n) => ({
          sensor: n === 0 ? "t" : `s${n}`,
          value: randomBelow(random, 1e9),
        })),
      );
    }
    close(wide);
    expect(statSync(path).size).toBeGreaterThan(1.5 * HISTORY_BYTES_MIN);
    const narrow = open(HISTORY_BYTES_MIN);
    expect(samplesOf(narrow, ...hour(0))).toEqual([]);
    close(narrow);
    expect(statSync(path).size).toBeLessThanOrEqual(HISTORY_BYTES_MIN);
  });
});

describe("a damaged file", () => {
  const filled = (): void => {
    const session = open();
    record(session, START, 30 * HOUR_MS, 10_000);
    close(session);
  };
  const damage = (change: (bytes: Buffer) => Buffer): void => writeFileSync(path, change(readFileSync(path)));
  const noise = (from: number, to: number) => (bytes: Buffer) => {
    const random = seededRandom(from);
    for (let at = from; at < Math.min(to, bytes.length); at += 1) bytes[at] = randomBelow(random, 256);
    return bytes;
  };

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ["is no database", () => Buffer.from("this is no database ".repeat(1000))],
    ["has lost its end", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["has lost its beginning", (bytes) => bytes.subarray(4096)],
    ["was overwritten at its beginning", noise(0, 200)],
    ["was overwritten in its structure", noise(4096, 40_000)],
    [
      "is of a later release",
      (bytes) => {
        bytes.writeUInt32BE(99, 60);
        return bytes;
      },
    ],
  ])("that %s is set aside under a name that says so, and history begins anew", (_, change) => {
    filled();
    damage(change);
    const damagedSize = statSync(path).size;
    const session = open();
    record(session, START + 30 * HOUR_MS, HOUR_MS);
    flush(session);
    expect(countIn(chart(session, START + 30 * HOUR_MS, START + 31 * HOUR_MS))).toBe(60);
    expect(troubles).toMatchObject([{ code: "state-corrupt" }]);
    expect(troubles[0]?.message).toContain("history.sqlite.damaged-1");
    expect(statSync(`${path}.damaged-1`).size).toBe(damagedSize);
    close(session);
    expect(countIn(chart(open(), START, START + 31 * HOUR_MS))).toBe(60);
  });

  it("that is damaged while it is used loses nothing that is still in memory", () => {
    const session = open();
    const random = seededRandom(7);
    const everySensor = (): Sample[] =>
      Array.from({ length: 60 }, (_, number) => ({ sensor: `s${number}`, value: randomBelow(random, 1e9) }));
    for (let at = START; at < START + 5 * HOUR_MS; at += 10_000) append(session, at, ...everySensor());
    record(session, START + 5 * HOUR_MS, 30 * MINUTE_MS);
    unwrap(flush(session));
    for (const file of [path, `${path}-wal`]) {
      const bytes = readFileSync(file);
      writeFileSync(file, noise(0, bytes.length)(bytes), { flag: "r+" });
    }
    for (let number = 0; number < 60; number += 1)
      chart(session, START, START + DAY_MS, 60_000, `s${number}`);
    record(session, START + 5.5 * HOUR_MS, 30 * MINUTE_MS);
    unwrap(flush(session));
    expect(troubles.map(({ message }) => message)).toContainEqual(expect.stringContaining("damaged-1"));
    expect(countIn(chart(session, START + 5 * HOUR_MS, START + 6 * HOUR_MS))).toBe(60);
    close(session);
    expect(countIn(chart(open(), START + 5 * HOUR_MS, START + 6 * HOUR_MS))).toBe(60);
  });

  it("is kept, the newest two: disks are not filled with them", () => {
    for (let round = 1; round <= 4; round += 1) {
      writeFileSync(path, `no database ${round} `.repeat(1000));
      const session = open();
      append(session, START, { sensor: "t", value: round });
      unwrap(close(session));
    }
    expect(files().filter((name) => name.includes("damaged"))).toEqual([
      "history.sqlite.damaged-1",
      "history.sqlite.damaged-2",
    ]);
    const kept = [1, 2].map((number) => readFileSync(`${path}.damaged-${number}`, "utf8").slice(0, 13));
    expect(kept.sort()).toEqual(["no database 3", "no database 4"]);
  });

  it("with a bit flipped inside a piece is used on; that piece counts as not there, and this is told once", () => {
    filled();
    const database = new DatabaseSync(path);
    const row = database.prepare("SELECT key, chunk FROM raw ORDER BY key LIMIT 1").get();
    const chunk = Buffer.from(row?.chunk as Uint8Array);
    chunk[5] = (chunk[5] ?? 0) ^ 16;
    database.prepare("UPDATE raw SET chunk = ? WHERE key = ?").run(chunk, row?.key ?? 0);
    database.close();
    const session = open();
    expect(samplesOf(session, START, START + 2 * HOUR_MS)).toHaveLength(360);
    expect(samplesOf(session, START, START + 2 * HOUR_MS)).toHaveLength(360);
    // The coarser tiers still know.
    expect(countIn(chart(session, START, START + HOUR_MS, MINUTE_MS))).toBe(360);
    expect(troubles).toMatchObject([{ code: "state-corrupt", message: expect.stringContaining("pieces") }]);
    expect(status(session).damaged).toBe(2);
  });

  it("that cannot be opened at all is tried again, and what came meanwhile is kept", () => {
    mkdirSync(path);
    const session = open();
    record(session, START, HOUR_MS, 10_000);
    expect(flush(session)).toMatchObject({ ok: false, error: { code: "store-failed", retry: true } });
    expect(troubles).toMatchObject([{ code: "store-failed" }]);
    rmSync(path, { recursive: true });
    record(session, START + HOUR_MS, MINUTE_MS, 10_000);
    unwrap(flush(session));
    expect(samplesOf(session, START, START + DAY_MS)).toHaveLength(366);
  });
});
