import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { randomBelow, seededRandom } from "../../kit/random.ts";
import { unwrap } from "../../kit/result.ts";
import { createSession, type StoreSession } from "./sqlite-session.ts";

const COMMITS = 30;
const FLIPS = 150;

interface Loaded {
  readonly records: ReadonlyMap<string, string | undefined>;
  readonly damaged: readonly string[];
}

describe("a single flipped bit, anywhere", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "balefire-flip-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const start = (path: string): StoreSession => {
    const session = createSession({ path, pagesMax: 1000 });
    unwrap(session.serve({ type: "open" }, () => undefined));
    return session;
  };
  const stop = (session: StoreSession): void => {
    unwrap(session.serve({ type: "close" }, () => undefined));
  };
  const load = (path: string): Loaded => {
    const session = start(path);
    const records = new Map<string, string | undefined>();
    const rows = (batch: readonly { key: string; value: string | undefined }[]): void => {
      for (const { key, value } of batch) records.set(key, value);
    };
    const damaged = unwrap(session.serve({ type: "load" }, rows));
    stop(session);
    return { records, damaged };
  };
  /** The files of a store with one record a commit, after an orderly end or as a crash leaves them. */
  const written = (
    end: "closed" | "crashed",
  ): { files: Map<string, Buffer>; expected: Map<string, string> } => {
    const path = join(folder, "original");
    const session = start(path);
    const expected = new Map<string, string>();
    for (let number = 0; number < COMMITS; number += 1) {
      const record = {
        key: `k/${number}`,
        value: JSON.stringify({ number, filler: "y".repeat(number * 9) }),
      };
      expected.set(record.key, record.value);
      unwrap(session.serve({ type: "commit", records: [record] }, () => undefined));
    }
    if (end === "closed") stop(session);
    const names = readdirSync(folder).filter((name) => !name.endsWith("-shm"));
    const files = new Map(
      names.map((name) => [name.slice("original".length), readFileSync(join(folder, name))]),
    );
    if (end === "crashed") stop(session);
    return { files, expected };
  };

  it.each([
    ["closed", "", 0],
    // The last commit of a log (a page of the table, one of the index) cannot be told from a torn one.
    ["crashed", "-wal", 2 * (24 + 4096)],
  ] as const)(
    "of a store that was %s (file %j) is never silent and never believed",
    (end, suffix, spared) => {
      const { files, expected } = written(end);
      const target = files.get(suffix);
      if (target === undefined) throw new Error("the file to damage is missing");
      const random = seededRandom(4711);
      for (let flip = 0; flip < FLIPS; flip += 1) {
        const bit = randomBelow(random, (target.length - spared) * 8);
        const path = join(folder, `flip-${flip}`);
        for (const [name, bytes] of files) writeFileSync(`${path}${name}`, bytes);
        const bytes = Buffer.from(target);
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        writeFileSync(`${path}${suffix}`, bytes);

        const { records, damaged } = load(path);
        for (const [key, value] of records) expect(value, `bit ${bit}`).toBe(expected.get(key));
        if (records.size < expected.size) expect(damaged.length, `bit ${bit}`).toBeGreaterThan(0);
      }
    },
  );

  it("in the log says how much is lost, and keeps a copy of it", () => {
    const { files } = written("crashed");
    const path = join(folder, "copy");
    for (const [name, bytes] of files) writeFileSync(`${path}${name}`, bytes);
    const log = readFileSync(`${path}-wal`);
    log.writeUInt8(log.readUInt8(log.length - 30_000) ^ 4, log.length - 30_000);
    writeFileSync(`${path}-wal`, log);
    const { records, damaged } = load(path);
    expect(damaged).toHaveLength(1);
    const lost = Number(/the last (\d+) commits in it are lost/.exec(damaged[0] ?? "")?.[1]);
    expect(records.size).toBe(COMMITS - lost);
    expect(readFileSync(`${path}.damaged-1-wal`)).toEqual(log);
  });

  it("is not seen where a commit was merely torn", () => {
    const { files, expected } = written("crashed");
    const log = files.get("-wal");
    if (log === undefined) throw new Error("there is no log");
    for (const missing of [1, 24, 4000, 4120, 4121, 8239]) {
      const path = join(folder, `torn-${missing}`);
      writeFileSync(path, files.get("") ?? "");
      writeFileSync(`${path}-wal`, log.subarray(0, log.length - missing));
      const { records, damaged } = load(path);
      expect(damaged).toEqual([]);
      expect(records.size).toBe(expected.size - 1);
    }
    copyFileSync(join(folder, "original"), join(folder, "untouched"));
    expect(load(join(folder, "untouched"))).toMatchObject({ damaged: [] });
  });
});
