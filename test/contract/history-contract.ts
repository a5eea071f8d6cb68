/** What every history promises (src/ports/history.ts). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unwrap } from "../../src/kit/result.ts";
import { type Duration, minutes, wallTime } from "../../src/kit/time.ts";
import type { History, HistoryChart, HistoryPoint } from "../../src/ports/history.ts";
import {
  COUNTING_SENSORS,
  COUNTING_START,
  countingBatch,
  countingTime,
  countingValue,
} from "./history-counting.ts";

export interface HistoryUnderTest {
  /** Opens what there is; the history that was opened before has been closed. */
  open(): History;
  /** What `trouble` was told since the last call. */
  troubles(): readonly string[];
  /** Fills the disk until the returned function is called; undefined where none can be made. */
  fill(): Promise<() => void>;
  /** Records `countingBatch(from)`, … until the process is killed, at no particular moment. */
  killWhileRecording(from: number): Promise<{ readonly acknowledged: number }>;
  close(): Promise<void>;
}

const KILLS = 8;
/** Each of them starts a process: on a busy machine that takes a while. */
const KILLS_TIMEOUT_MS = 90_000;
const BATCHES_A_MINUTE = 6;
const SENSOR = COUNTING_SENSORS[0] ?? "";

export function historyContract(name: string, make: () => Promise<HistoryUnderTest>): void {
  describe(`${name} keeps the contract of a history`, () => {
    let under: HistoryUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close());

    const chart = async (history: History, to: number, step?: Duration): Promise<HistoryChart> => {
      const query = { sensor: SENSOR, from: wallTime(COUNTING_START), to: wallTime(countingTime(to)) };
      return unwrap(await history.query(step === undefined ? query : { ...query, step }));
    };
    const countOf = ({ points }: HistoryChart): number => points.reduce((sum, { count }) => sum + count, 0);

    it("is empty at first", async () => {
      const history = under.open();
      expect(unwrap(await history.sensors())).toEqual([]);
      expect((await chart(history, 100)).points).toEqual([]);
      await history.close();
    });

    it("answers with what was appended just before, and after it was closed and opened again", async () => {
      const first = under.open();
      for (let number = 0; number < 500; number += 1) first.append(countingBatch(number));
      expect(countOf(await chart(first, 500))).toBe(500);
      await first.close();
      const second = under.open();
      expect(countOf(await chart(second, 500))).toBe(500);
      expect(unwrap(await second.sensors()).map(({ sensor }) => sensor)).toEqual(COUNTING_SENSORS);
      await second.close();
    });

    it("answers while it is appended to: what was there stays, what comes is added", async () => {
      const history = under.open();
      const answers: Promise<HistoryChart>[] = [];
      for (let number = 0; number < 2000; number += 1) {
        history.append(countingBatch(number));
        if (number % 100 === 99) answers.push(chart(history, 2000));
        if (number % 500 === 499) await answers.at(-1);
      }
      const counts = (await Promise.all(answers)).map(countOf);
      expect(counts).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 100));
      await history.close();
    });

    it("fails what is asked once it is closed, and takes no notice of what is appended", async () => {
      const history = under.open();
      await history.close();
      history.append(countingBatch(0));
      for (const answer of [
        history.flush(),
        history.sensors(),
        history.status(),
        chart(history, 10).catch(() => ({ ok: false })),
      ]) {
        expect(await answer).toMatchObject({ ok: false });
      }
      await history.close();
      expect(under.troubles()).toEqual([]);
    });

    it("goes on in memory while the disk is full, says so once, and writes all of it when there is room", async () => {
      const history = under.open();
      for (let number = 0; number < 100; number += 1) history.append(countingBatch(number));
      unwrap(await history.flush());
      const makeRoom = await under.fill();
      for (let number = 100; number < 3000; number += 1) {
        history.append(countingBatch(number));
        if (number % 500 === 0) unwrap(await history.status());
      }
      expect(await history.flush()).toMatchObject({
        ok: false,
        error: { code: "store-failed", retry: true },
      });
      expect(await history.flush()).toMatchObject({ ok: false });
      expect(under.troubles()).toHaveLength(1);
      expect(countOf(await chart(history, 3000))).toBe(3000);
      makeRoom();
      unwrap(await history.flush());
      await history.close();
      const again = under.open();
      expect(countOf(await chart(again, 3000))).toBe(3000);
      expect(under.troubles()).toEqual([]);
      await again.close();
    });

    const kills = `when killed at any moment has all that was flushed, once, in every tier (${KILLS} times)`;
    it(
      kills,
      async () => {
        let next = 0;
        for (let kill = 0; kill < KILLS; kill += 1) {
          const { acknowledged } = await under.killWhileRecording(next);
          const history = under.open();
          next = await checkLeft(history, acknowledged);
          await history.close();
          expect(under.troubles()).toEqual([]);
        }
      },
      KILLS_TIMEOUT_MS,
    );

    /** Returns the number of the first batch that is not there. */
    async function checkLeft(history: History, acknowledged: number): Promise<number> {
      const to = wallTime(COUNTING_START + 10 * 365 * 86_400_000);
      const recent = wallTime(countingTime(Math.max(0, acknowledged - 2000)));
      const everything = { sensors: [SENSOR], from: recent, to };
      const [series] = unwrap(await history.samples(everything));
      const samples = series?.samples ?? [];
      const left = samples.length === 0 ? 0 : ((samples.at(-1)?.at ?? 0) - COUNTING_START) / 10_000 + 1;
      expect(left).toBeGreaterThan(acknowledged);
      const first = left - samples.length;
      expect(samples).toEqual(
        samples.map((_, index) => ({
          at: countingTime(first + index),
          value: countingValue(first + index, 0),
        })),
      );
      await checkMinutes(history, left);
      for (const step of [minutes(15), minutes(24 * 60)])
        expect(countOf(await chart(history, left, step))).toBe(left);
      return left;
    }

    /** The last that are whole. */
    async function checkMinutes(history: History, left: number): Promise<void> {
      const whole = Math.floor(left / BATCHES_A_MINUTE) * BATCHES_A_MINUTE;
      const from = Math.max(0, whole - 300 * BATCHES_A_MINUTE);
      if (whole === 0) return;
      const range = { sensor: SENSOR, from: wallTime(countingTime(from)), to: wallTime(countingTime(whole)) };
      const { points } = unwrap(await history.query({ ...range, step: minutes(1) }));
      const length = (whole - from) / BATCHES_A_MINUTE;
      const expected = Array.from({ length }, (_, minute) => minuteOf(from + minute * BATCHES_A_MINUTE));
      expect(points).toEqual(expected);
    }

    function minuteOf(first: number): HistoryPoint {
      const values = Array.from({ length: BATCHES_A_MINUTE }, (_, index) => countingValue(first + index, 0));
      return {
        at: wallTime(countingTime(first)),
        min: Math.min(...values),
        mean: expect.closeTo(values.reduce((sum, value) => sum + value, 0) / values.length, 9) as number,
        max: Math.max(...values),
        count: values.length,
      };
    }
  });
}
