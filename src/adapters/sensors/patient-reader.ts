/**
 * Reads small files that may never answer. A driver that hangs holds the thread of libuv's pool that
 * asked it, and nothing can take the thread back. So few threads are used, the files of one driver are
 * read one after another, and a driver that hangs is not asked again until its first answer has come.
 */
import { close, open, read } from "node:fs";
import type { RawOutcome } from "../../core/thermal/raw.ts";

/** Threads of the pool (libuv has four) that reading may hold at one time, hanging ones included. */
export const LANES_MAX: number = 2;
/** A driver that has not answered within this time hangs: I2C and EC accesses take some 10 ms at worst. */
export const ANSWER_TIMEOUT_MS: number = 250;
/** A sysfs attribute is a page at most (Documentation/filesystems/sysfs.rst). */
const BYTES_MAX = 4096;

export interface Attribute {
  readonly path: string;
  /** Stays open between readings: a sysfs file asks its driver anew whenever it is read from its beginning. */
  readonly held: boolean;
  fd: number | undefined;
  /** Of the latest reading. */
  outcome: RawOutcome;
  /** As read, newline included; null without an answer. */
  text: string | null;
}

export const attribute = (path: string, held: boolean): Attribute => ({
  path,
  held,
  fd: undefined,
  outcome: "missing",
  text: null,
});

/** Files that hang together: those of one chip, or of all chips on one bus. */
export interface Batch {
  readonly key: string;
  readonly attributes: readonly Attribute[];
}

export interface PatientReader {
  /** Resolves when each file is read or given up. Batches of one key become one. */
  read(batches: readonly Batch[]): Promise<void>;
  /** Batches that are still waited for. */
  stuck(): number;
}

interface Job {
  readonly batch: Batch;
  readonly done: () => void;
}

export interface PatientOptions {
  /** Default: `ANSWER_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
}

export function createPatientReader({ timeoutMs = ANSWER_TIMEOUT_MS }: PatientOptions = {}): PatientReader {
  const queue: Job[] = [];
  const buffers: Buffer[] = [];
  const hanging = new Set<string>();
  let running = 0;

  const pump = (): void => {
    while (queue.length > 0 && running + hanging.size < LANES_MAX) {
      const job = queue.shift();
      if (job !== undefined) start(job);
    }
    // All lanes hang: nothing would ever take these from the queue.
    if (running === 0) for (const job of queue.splice(0)) giveUp(job, 0);
  };

  const giveUp = ({ batch, done }: Job, from: number): void => {
    for (const each of batch.attributes.slice(from)) settle(each, "stuck", null);
    done();
  };

  const start = (job: Job): void => {
    const { key, attributes } = job.batch;
    if (hanging.has(key)) {
      giveUp(job, 0);
      return;
    }
    const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(BYTES_MAX);
    let at = 0;
    let abandoned = false;
    running += 1;
    const watchdog = watchFor(timeoutMs, () => {
      abandoned = true;
      running -= 1;
      hanging.add(key);
      giveUp(job, at);
      pump();
    });

    const next = (): void => {
      const current = abandoned ? undefined : attributes[at];
      if (current !== undefined) {
        readAttribute(current, buffer, watchdog.moved, (outcome, text) => {
          watchdog.moved();
          if (abandoned) release(current);
          else settle(current, outcome, text);
          at += 1;
          next();
        });
        return;
      }
      watchdog.end();
      buffers.push(buffer);
      if (abandoned) hanging.delete(key);
      else {
        running -= 1;
        job.done();
      }
      pump();
    };
    next();
  };

  return {
    read: (batches) =>
      new Promise((resolve) => {
        const merged = byKey(batches);
        let open = merged.length;
        if (open === 0) resolve();
        const done = (): void => {
          open -= 1;
          if (open === 0) resolve();
        };
        for (const batch of merged) queue.push({ batch, done });
        pump();
      }),
    stuck: () => hanging.size,
  };
}

interface Watchdog {
  moved(): void;
  end(): void;
}

/**
 * Calls back once when nothing has moved for that time. This process may itself have stood still:
 * answers that have come meanwhile are heard before it is judged.
 */
function watchFor(timeoutMs: number, hangs: () => void): Watchdog {
  let steps = 0;
  let over = false;
  const judge = (waiting: number): void => {
    if (over || steps !== waiting) return;
    over = true;
    hangs();
  };
  const timer = setTimeout(() => setImmediate(judge, steps), timeoutMs);
  return {
    moved: () => {
      steps += 1;
      if (!over) timer.refresh();
    },
    end: () => {
      over = true;
      clearTimeout(timer);
    },
  };
}

/** Two lanes must not ask one driver: both would hang. */
function byKey(batches: readonly Batch[]): readonly Batch[] {
  const merged = new Map<string, Attribute[]>();
  for (const { key, attributes } of batches) {
    const same = merged.get(key);
    if (same === undefined) merged.set(key, [...attributes]);
    else same.push(...attributes);
  }
  return [...merged].map(([key, attributes]) => ({ key, attributes }));
}

function settle(target: Attribute, outcome: RawOutcome, text: string | null): void {
  target.outcome = outcome;
  target.text = text;
}

type Answer = (outcome: RawOutcome, text: string | null) => void;

function readAttribute(target: Attribute, buffer: Buffer, opened: () => void, answer: Answer): void {
  if (target.fd !== undefined) {
    readOpen(target, target.fd, buffer, answer);
    return;
  }
  open(target.path, "r", (error, fd) => {
    if (error === null) {
      target.fd = fd;
      opened();
      readOpen(target, fd, buffer, answer);
    } else answer(outcomeOf(error), null);
  });
}

function readOpen(target: Attribute, fd: number, buffer: Buffer, answer: Answer): void {
  read(fd, buffer, 0, buffer.length, 0, (error, length) => {
    if (error !== null || !target.held) release(target);
    if (error === null) answer("read", buffer.toString("utf8", 0, length));
    else answer(outcomeOf(error), null);
  });
}

/** Closes a held file; it is opened again when it is next read. */
export function release(target: Attribute): void {
  const { fd } = target;
  target.fd = undefined;
  if (fd !== undefined) close(fd, () => undefined);
}

/** The device is gone, or was never there; anything else is a refusal. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENODEV", "ENXIO", "ENOTDIR"]);
const outcomeOf = (error: NodeJS.ErrnoException): RawOutcome =>
  GONE.has(error.code ?? "") ? "missing" : "unreadable";
