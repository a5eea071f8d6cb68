/** The durable store: SQLite in a thread of its own. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Stored } from "../../core/io.ts";
import { type Failure, FailureError } from "../../kit/result.ts";
import type { Store } from "../../ports/store.ts";
import type { NumberedRequest, StoreReply, StoreRequest, StoreSettings } from "./sqlite-requests.ts";

/** 64 MiB: hundreds of times a busy ledger. When it is reached, commits fail like those on a full disk. */
export const STORE_PAGES_MAX: number = 16_384;
/** Requests that wait for a slow disk; more are refused at once. */
export const STORE_WAITING_MAX: number = 10_000;

/** In MiB. The thread holds 500 records at most at any time. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } as const;

export interface StoreOptions {
  /** The database; its log and shared memory lie beside it. The folder must exist. */
  readonly path: string;
  /** Default: `STORE_PAGES_MAX`. */
  readonly pagesMax?: number;
}

interface Waiting {
  readonly rows: Stored[];
  readonly resolve: (damaged: readonly string[]) => void;
  readonly reject: (error: FailureError) => void;
}

/** Rejects with a FailureError when the file can neither be opened nor set aside. */
export async function createStore(options: StoreOptions): Promise<Store> {
  const settings: StoreSettings = { path: options.path, pagesMax: options.pagesMax ?? STORE_PAGES_MAX };
  const line = createLine(settings);
  try {
    await line.ask({ type: "open" }, []);
  } catch (error) {
    await line.end();
    throw error;
  }
  return {
    load: async () => {
      const records: Stored[] = [];
      const damaged = await line.ask({ type: "load" }, records);
      return { records, damaged };
    },
    commit: async (records) => {
      await line.ask({ type: "commit", records }, []);
    },
    close: async () => {
      await line.ask({ type: "close" }, []);
      await line.end();
    },
  };
}

interface Line {
  ask(request: StoreRequest, rows: Stored[]): Promise<readonly string[]>;
  end(): Promise<void>;
}

/** Requests to the worker, answered in order. A worker that died is replaced at the next request. */
function createLine(settings: StoreSettings): Line {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let last = 0;
  let ended = false;

  const loseAll = (why: string): void => {
    worker = undefined;
    for (const one of waiting.values()) one.reject(new FailureError(storeFailed(settings, why)));
    waiting.clear();
  };
  const start = (): Worker => {
    const started = new Worker(workerUrl(), { workerData: settings, resourceLimits: WORKER_LIMITS });
    let why = "its thread ended";
    started.on("message", (reply: StoreReply) => hear(waiting, reply));
    started.on("error", (error: Error) => {
      why = `its thread failed: ${error.message}`;
    });
    started.on("exit", () => {
      if (worker === started) loseAll(why);
    });
    return started;
  };

  return {
    ask: (request, rows) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(new FailureError(storeFailed(settings, "it is closed")));
        if (waiting.size >= STORE_WAITING_MAX) {
          return reject(
            new FailureError(storeFailed(settings, `${STORE_WAITING_MAX} requests wait for the disk`)),
          );
        }
        worker ??= start();
        last += 1;
        waiting.set(last, { rows, resolve, reject });
        worker.postMessage({ number: last, request } satisfies NumberedRequest);
      }),
    end: async () => {
      ended = true;
      await worker?.terminate();
    },
  };
}

function hear(waiting: Map<number, Waiting>, reply: StoreReply): void {
  const one = waiting.get(reply.number);
  if (one === undefined) return;
  if (reply.type === "rows") {
    one.rows.push(...reply.records);
    return;
  }
  waiting.delete(reply.number);
  if (reply.type === "done") one.resolve(reply.damaged);
  else one.reject(new FailureError(reply.failure));
}

const storeFailed = ({ path }: StoreSettings, why: string): Failure => ({
  code: "store-failed",
  message: `${path} cannot be used: ${why}`,
  retry: true,
});

/** The source as it stands, or the entry that the build puts beside the bundle. */
function workerUrl(): URL {
  const source = new URL("./sqlite-worker.ts", import.meta.url);
  return existsSync(fileURLToPath(source)) ? source : new URL("./sqlite-worker.js", import.meta.url);
}
