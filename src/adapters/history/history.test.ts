import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Failure, unwrap } from "../../kit/result.ts";
import { ms, wallTime } from "../../kit/time.ts";
import type { History } from "../../ports/history.ts";
import { createHistory, type HistoryOptions } from "./history.ts";
import { BATCHES_WAITING_MAX, QUESTIONS_WAITING_MAX } from "./limits.ts";

const AT = wallTime(Date.UTC(2026, 4, 5));
/** On a busy machine. */
const PATIENCE = { timeout: 20_000 };
const RANGE = { sensor: "t", from: AT, to: wallTime(AT + 3_600_000) };

describe("the history's thread", () => {
  let folder: string;
  let path: string;
  let troubles: Failure[];
  const opened: History[] = [];
  /** Wakes who waits for the next trouble. */
  let heard: () => void;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "balefire-history-"));
    path = join(folder, "history.sqlite");
    troubles = [];
    heard = () => undefined;
  });
  afterEach(async () => {
    for (const history of opened.splice(0)) await history.close();
    rmSync(folder, { recursive: true });
  });
  const open = (options: Partial<HistoryOptions> = {}): History => {
    const trouble = (failure: Failure): void => {
      troubles.push(failure);
      heard();
    };
    const history = createHistory({ path, trouble, ...options });
    opened.push(history);
    return history;
  };
  const append = (history: History, offset: number, value = 40): void =>
    history.append({ at: wallTime(AT + offset), samples: [{ sensor: "t", value }] });
  const count = async (history: History): Promise<number> =>
    unwrap(await history.query(RANGE)).points.reduce((sum, point) => sum + point.count, 0);

  it("writes what was appended within the flush interval, unasked", async () => {
    const history = open({ flushInterval: ms(30) });
    append(history, 0);
    await expect.poll(async () => unwrap(await history.status()).unwritten, PATIENCE).toBe(0);
    const file = new DatabaseSync(path, { readOnly: true });
    expect(file.prepare("SELECT count(*) AS rows FROM tail").get()).toEqual({ rows: 1 });
    file.close();
  });

  it("never holds up its owner while the disk does not answer, and loses nothing of it", async () => {
    const history = open();
    append(history, 0);
    unwrap(await history.flush());
    const rival = new DatabaseSync(path);
    rival.exec("BEGIN EXCLUSIVE");
    append(history, 10_000);
    const flushed = history.flush();
    const late: number[] = [];
    for (let tick = 0; tick < 10; tick += 1) {
      const begun = performance.now();
      append(history, 20_000 + tick);
      await new Promise((resolve) => setTimeout(resolve, 20));
      late.push(performance.now() - begun - 20);
    }
    expect(late.sort((a, b) => a - b)[5]).toBeLessThan(20);
    rival.exec("ROLLBACK");
    rival.close();
    unwrap(await flushed);
    expect(await count(history)).toBe(12);
  });

  it("bounds what waits for it: batches are dropped, which is told once, and questions fail", async () => {
    const history = open();
    for (let number = 0; number < BATCHES_WAITING_MAX + 5; number += 1) append(history, number);
    expect(troubles).toMatchObject([{ code: "limit-reached" }]);
    const answers = Array.from({ length: QUESTIONS_WAITING_MAX + 1 }, () => history.status());
    expect(await answers.at(-1)).toMatchObject({ ok: false, error: { code: "store-failed", retry: true } });
    expect(await answers[0]).toMatchObject({ ok: true });
    expect(await count(history)).toBe(BATCHES_WAITING_MAX);
  });

  it("that ends by a fault of its own fails what was asked, says so, and begins again with what was flushed", async () => {
    const history = open({ restartDelay: ms(10) });
    append(history, 0);
    unwrap(await history.flush());
    const told = new Promise<void>((resolve) => {
      heard = resolve;
    });
    append(history, 10_000, 1n as unknown as number);
    expect(await history.query(RANGE)).toMatchObject({ ok: false, error: { code: "store-failed" } });
    await told;
    expect(troubles).toHaveLength(1);
    expect(await history.sensors()).toMatchObject({ ok: false });
    await expect.poll(async () => (await history.status()).ok, PATIENCE).toBe(true);
    append(history, 20_000);
    expect(await count(history)).toBe(2);
  });

  it("finds its entry beside a bundle", async () => {
    const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
    await build({
      entryPoints: { main: here("./history.ts"), "history-worker": here("./history-worker.ts") },
      outdir: join(folder, "dist"),
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "silent",
    });
    writeFileSync(join(folder, "dist/package.json"), '{"type":"module"}');
    const script = `
      const { createHistory } = await import("./main.js");
      const history = createHistory({ path: ${JSON.stringify(path)}, trouble: (one) => console.log(one) });
      history.append({ at: ${AT}, samples: [{ sensor: "t", value: 40.5 }] });
      console.log(JSON.stringify((await history.query(${JSON.stringify(RANGE)})).value.points));
      await history.close();`;
    writeFileSync(join(folder, "dist/run.js"), script);
    const run = spawnSync(process.execPath, [join(folder, "dist/run.js")], { encoding: "utf8" });
    expect(run.stdout).toBe(`[{"at":${AT},"min":40.5,"mean":40.5,"max":40.5,"count":1}]\n`);
    expect(run.status).toBe(0);
  });
});
