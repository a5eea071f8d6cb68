/**
 * Commits that come while the disk is at work go together in the next one: one fsync for all of them.
 * An incident brings a burst of small commits, and the message waits behind them.
 */
import type { Stored } from "../../core/io.ts";

/** Characters of keys and values in one group; a single larger commit goes alone. */
const GROUP_CHARS_MAX = 262_144;

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
  commit(records: readonly Stored[], chars: number): Promise<void>;
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>;
}

/** `write` is all or nothing and in order; what it rejects with reaches those whose records it was given. */
export function createGroupCommit(write: (records: readonly Stored[]) => Promise<unknown>): GroupCommit {
  let queue: Commit[] = [];
  let underWay = 0;
  let chars = 0;
  let running: Promise<void> | undefined;

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
      await write(group.flatMap(({ records }) => records));
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
    commit: (records, size) =>
      new Promise((resolve, reject) => {
        queue.push({ records, chars: size, resolve, reject });
        chars += size;
        running ??= run();
      }),
    drained: async () => {
      while (running !== undefined) await running;
    },
  };
}
