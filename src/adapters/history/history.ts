/** History on SQLite, in a thread of its own. What happens to either costs history, and nothing else. */
import { Worker } from "node:worker_threads";
import { type Failure, fail, type Result } from "../../kit/result.ts";
import type { Duration } from "../../kit/time.ts";
import type { History } from "../../ports/history.ts";
import { workerEntry } from "../sqlite/worker-entry.ts";
import { notKept, unavailable } from "./failures.ts";
import type {
  Answer,
  Ask,
  HistoryReply,
  HistorySettings,
  NumberedRequest,
  Question,
} from "./history-requests.ts";
import {
  ANSWER_TIMEOUT,
  BATCHES_WAITING_MAX,
  FLUSH_INTERVAL,
  HISTORY_BYTES_DEFAULT,
  HISTORY_BYTES_MIN,
  QUESTIONS_WAITING_MAX,
  RESTART_DELAY,
} from "./limits.ts";

/** In MiB: for the most samples that wait for a disk, twice over. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } as const;

export interface HistoryOptions {
  /** The database; its log and shared memory lie beside it. The folder must exist. */
  readonly path: string;
  /** What happens by itself: a disk that fails, a file set aside. Told once until it is over. */
  readonly trouble: (failure: Failure) => void;
  /** Default `HISTORY_BYTES_DEFAULT`, at least `HISTORY_BYTES_MIN`. */
  readonly bytesMax?: number;
  /** What a kill may lose. Default `FLUSH_INTERVAL`. */
  readonly flushInterval?: Duration;
  /** After the thread has ended by a fault. Default `RESTART_DELAY`. */
  readonly restartDelay?: Duration;
}

/** Never fails: what cannot be opened now is tried again with every flush. */
export function createHistory(options: HistoryOptions): History {
  const line = new Line(options);
  return {
    append: (batch) => line.append(batch),
    query: (query) => line.ask("query", query),
    samples: (query) => line.ask("samples", query),
    sensors: () => line.ask("sensors", undefined),
    status: () => line.ask("status", undefined),
    flush: () => line.ask("flush", undefined),
    close: () => line.close(),
  };
}

type Settle = (result: Result<Answer<Question>>) => void;

/** Requests to the worker, answered in order. */
class Line {
  private readonly options: HistoryOptions;
  private readonly settings: HistorySettings;
  private readonly questions = new Map<number, Settle>();
  private readonly batches = new Set<number>();
  private worker: Worker | undefined;
  private restart: NodeJS.Timeout | undefined;
  private last = 0;
  private ended = false;
  private overrun = false;

  constructor(options: HistoryOptions) {
    this.options = options;
    this.settings = {
      path: options.path,
      bytesMax: Math.max(HISTORY_BYTES_MIN, options.bytesMax ?? HISTORY_BYTES_DEFAULT),
      flushMs: options.flushInterval ?? FLUSH_INTERVAL,
    };
    this.start();
  }

  append(batch: Ask<"append">): void {
    if (this.worker === undefined) return;
    if (this.batches.size >= BATCHES_WAITING_MAX) {
      if (!this.overrun) this.options.trouble(notKept(this.settings.path, "the disk is too slow"));
      this.overrun = true;
      return;
    }
    this.overrun = false;
    this.batches.add(this.send({ type: "append", about: batch }));
  }

  ask<Q extends Exclude<Question, "append">>(type: Q, about: Ask<Q>): Promise<Result<Answer<Q>>> {
    const { path } = this.settings;
    if (this.ended) return Promise.resolve(fail(unavailable(path, "it is closed")));
    if (this.worker === undefined) return Promise.resolve(fail(unavailable(path, "its thread has ended")));
    if (this.questions.size >= QUESTIONS_WAITING_MAX) {
      return Promise.resolve(fail(unavailable(path, `${QUESTIONS_WAITING_MAX} questions wait for the disk`)));
    }
    return new Promise((resolve) => {
      const number = this.send({ type, about } as NumberedRequest["request"]);
      const slow = setTimeout(() => {
        this.questions.delete(number);
        resolve(fail(unavailable(path, `no answer within ${ANSWER_TIMEOUT} ms`)));
      }, ANSWER_TIMEOUT);
      this.questions.set(number, (result) => {
        clearTimeout(slow);
        resolve(result as Result<Answer<Q>>);
      });
    });
  }

  async close(): Promise<void> {
    const closing = this.ask("close", undefined);
    this.ended = true;
    clearTimeout(this.restart);
    await closing;
    const worker = this.worker;
    this.worker = undefined;
    await worker?.terminate();
  }

  private send(request: NumberedRequest["request"]): number {
    this.last += 1;
    this.worker?.postMessage({ number: this.last, request } satisfies NumberedRequest);
    return this.last;
  }

  private start(): void {
    const entry = workerEntry("history-worker", import.meta.url);
    const worker = new Worker(entry, { workerData: this.settings, resourceLimits: WORKER_LIMITS });
    this.worker = worker;
    worker.on("message", (reply: HistoryReply) => this.heard(reply));
    worker.on("error", (error) => this.lost(worker, String(error)));
    worker.on("exit", () => this.lost(worker, "its thread has ended"));
  }

  private heard(reply: HistoryReply): void {
    if (reply.type === "trouble") {
      this.options.trouble(reply.failure);
      return;
    }
    this.batches.delete(reply.number);
    const settle = this.questions.get(reply.number);
    this.questions.delete(reply.number);
    settle?.(reply.result);
  }

  /** A fault in the thread, or no memory for it: elsewhere that ends the process, here only what was not flushed. */
  private lost(worker: Worker, why: string): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    const failure = unavailable(this.settings.path, why);
    this.batches.clear();
    for (const settle of this.questions.values()) settle(fail(failure));
    this.questions.clear();
    if (this.ended) return;
    this.options.trouble(failure);
    this.restart = setTimeout(() => this.start(), this.options.restartDelay ?? RESTART_DELAY);
    this.restart.unref();
  }
}
