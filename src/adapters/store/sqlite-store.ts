/** The durable store: SQLite in a thread of its own. */
import { Worker } from "node:worker_threads";
import type { Stored } from "../../core/io.ts";
import { type Failure, FailureError } from "../../kit/result.ts";
import type { Store } from "../../ports/store.ts";
import { workerEntry } from "../sqlite/worker-entry.ts";
import { createGroupCommit } from "./group-commit.ts";
import type { NumberedRequest, StoreReply, StoreRequest, StoreSettings } from "./sqlite-requests.ts";

/** 64 MiB: hundreds of times a busy ledger. When it is reached, commits fail like those on a full disk. */
export const STORE_PAGES_MAX: number = 16_384;
/** Requests that wait for a slow disk, and the characters in them; more are refused at once. */
export const STORE_WAITING_MAX: number = 10_000;
export const STORE_WAITING_CHARS_MAX: number = 16_777_216;
/** Characters in one commit. The thread must hold it: running out of memory there ends the whole process. */
export const COMMIT_CHARS_MAX: number = 4_194_304;

/** In MiB: for the largest commit, twice over. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } as const;

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
  const commits = createGroupCommit((records) => line.ask({ type: "commit", records }, []));
  return {
    load: async () => {
      await commits.drained();
      const records: Stored[] = [];
      const damaged = await line.ask({ type: "load" }, records);
      return { records, damaged };
    },
    commit: (records, when) => {
      const chars = charsOf(records);
      const why = refusal(chars, commits.waiting, commits.waitingChars);
      if (why !== undefined) return Promise.reject(new FailureError(storeFailed(settings, why)));
      return commits.commit(records, chars, when);
    },
    close: async () => {
      await commits.drained();
      await line.ask({ type: "close" }, []);
      await line.end();
    },
  };
}

interface Line {
  ask(request: StoreRequest, rows: Stored[]): Promise<readonly string[]>;
  end(): Promise<void>;
}

/**
 * Requests to the worker, answered in order. What the worker throws is a bug: its `error` event has no
 * listener, so that it ends the process as any other.
 */
function createLine(settings: StoreSettings): Line {
  const worker = new Worker(workerEntry("sqlite-worker", import.meta.url), {
    workerData: settings,
    resourceLimits: WORKER_LIMITS,
  });
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let ended = false;

  worker.on("message", (reply: StoreReply) => {
    const one = waiting.get(reply.number);
    if (one === undefined) return;
    if (reply.type === "rows") {
      one.rows.push(...reply.records);
      return;
    }
    waiting.delete(reply.number);
    if (reply.type === "done") one.resolve(reply.damaged);
    else one.reject(new FailureError(reply.failure));
  });

  return {
    ask: (request, rows) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(new FailureError(storeFailed(settings, "it is closed")));
        last += 1;
        waiting.set(last, { rows, resolve, reject });
        worker.postMessage({ number: last, request } satisfies NumberedRequest);
      }),
    end: async () => {
      ended = true;
      await worker.terminate();
    },
  };
}

const charsOf = (records: readonly Stored[]): number =>
  records.reduce((total, { key, value }) => total + key.length + (value?.length ?? 0), 0);

function refusal(chars: number, requests: number, waitingChars: number): string | undefined {
  if (chars > COMMIT_CHARS_MAX) return `a commit of ${chars} characters is too large for it`;
  if (requests >= STORE_WAITING_MAX) return `${requests} requests wait for the disk`;
  if (waitingChars + chars > STORE_WAITING_CHARS_MAX) return `${waitingChars} characters wait for the disk`;
  return undefined;
}

const storeFailed = ({ path }: StoreSettings, why: string): Failure => ({
  code: "store-failed",
  message: `${path} cannot be used: ${why}`,
  retry: true,
});
