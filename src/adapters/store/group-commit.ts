/**
 * Commits that come while the disk is at work go together in the next one: one fsync for all of them.
 * An incident brings a burst of small commits, and the message waits behind them. Those for which nobody waits
 * give the others a moment to come.
 */
import type { Stored } from "../../core/io.ts";
import type { When } from "../../ports/store.ts";

/** Characters of keys and values in one group; a single larger commit goes alone. */
const GROUP_CHARS_MAX = 262_144;
/** What is wanted soon waits for others this long at most. */
export const SOON_MS = 100;

interface Commit {
  readonly records: readonly Stored[];
  readonly chars: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface GroupCommit {
  /** How many commits are not answered yet, and their characters. */
  readonly waiting: number;
  readonly waitingChars: number;
  commit(records: readonly Stored[], chars: number, when?: When): Promise<void>;
  /** Begins to write what waits for others; resolves when nothing waits any more. */
  drained(): Promise<void>;
}

/** `write` is all or nothing and in order; what it rejects with reaches those whose records it was given. */
export function createGroupCommit(write: (records: readonly Stored[]) => Promise<unknown>): GroupCommit {
  let queue: Commit[] = [];
  let underWay = 0;
  let chars = 0;
  let running: Promise<void> | undefined;
  let soon: NodeJS.Timeout | undefined;

  const begin = (): void => {
    clearTimeout(soon);
    soon = undefined;
    running ??= run();
  };

  const run = async (): Promise<void> => {
    for (let group = nextGroup(); group.length > 0; group = nextGroup()) {
      await writeGroup(group);
      for (const one of group) chars -= one.chars;
      underWay = 0;
    }
    running = undefined;
  };

  const nextGroup = (): Commit[] => {
    let room = GROUP_CHARS_MAX;
    const end = queue.findIndex((one, index) => {
      room -= one.chars;
      return room < 0 && index > 0;
    });
    const group = end === -1 ? queue : queue.slice(0, end);
    queue = end === -1 ? [] : queue.slice(end);
    underWay = group.length;
    return group;
  };

  const writeGroup = async (group: readonly Commit[]): Promise<void> => {
    try {
      const records = group.flatMap((one) => one.records);
      if (records.length > 0) await write(records);
      for (const one of group) one.resolve();
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error as Error);
      // One of them may be at fault, or the room may do for some: each gets its own answer.
      else for (const one of group) await writeGroup([one]);
    }
  };

  return {
    get waiting() {
      return queue.length + underWay;
    },
    get waitingChars() {
      return chars;
    },
    commit: (records, size, when = "now") => {
      // Nothing to write, and nothing before it.
      if (records.length === 0 && queue.length === 0 && running === undefined) return Promise.resolve();
      return new Promise((resolve, reject) => {
        queue.push({ records, chars: size, resolve, reject });
        chars += size;
        if (when === "now") begin();
        else if (running === undefined) soon ??= setTimeout(begin, SOON_MS);
      });
    },
    drained: async () => {
      if (queue.length > 0) begin();
      while (running !== undefined) await running;
    },
  };
}
