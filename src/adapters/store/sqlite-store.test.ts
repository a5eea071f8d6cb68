import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Stored } from "../../core/io.ts";
import type { Store } from "../../ports/store.ts";
import { COMMIT_CHARS_MAX, createStore } from "./sqlite-store.ts";

const RECORDS: readonly Stored[] = Array.from({ length: 20 }, (_, number) => ({
  key: `i/${number}`,
  value: `value-${number}-${"v".repeat(100)}`,
}));

describe("the SQLite store", () => {
  let folder: string;
  let path: string;
  const open: Store[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "balefire-store-"));
    path = join(folder, "store.sqlite");
  });
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close().catch(() => undefined);
    rmSync(folder, { recursive: true });
  });
  const openStore = async (pagesMax?: number): Promise<Store> => {
    const store = await createStore(pagesMax === undefined ? { path } : { path, pagesMax });
    open.push(store);
    return store;
  };
  const filled = async (): Promise<void> => {
    const store = await openStore();
    await store.commit(RECORDS);
    await store.close();
  };
  const damage = (change: (bytes: Buffer) => Buffer): void => writeFileSync(path, change(readFileSync(path)));
  const files = (): string[] => readdirSync(folder).sort();

  it("keeps its files from everyone else", async () => {
    writeFileSync(path, "", { mode: 0o644 });
    const store = await openStore();
    await store.commit(RECORDS);
    const modes = Object.fromEntries(
      files().map((file) => [file, statSync(join(folder, file)).mode & 0o777]),
    );
    expect(modes).toEqual({ "store.sqlite": 0o600, "store.sqlite-shm": 0o600, "store.sqlite-wal": 0o600 });
  });

  it("notices a bit that has flipped inside a value: names the record, sets it aside, keeps the others", async () => {
    await filled();
    damage((bytes) => {
      const at = bytes.indexOf("value-7-") + 3;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      return bytes;
    });
    const store = await openStore();
    const { records, damaged } = await store.load();
    expect(damaged).toEqual(['record "i/7": its checksum does not match; set aside']);
    expect(records).toEqual(RECORDS.filter(({ key }) => key !== "i/7"));
    expect((await store.load()).damaged).toEqual([]);
    await store.close();

    const file = new DatabaseSync(path);
    const [kept] = file.prepare("SELECT key, value FROM damaged").all();
    file.close();
    expect(kept?.key).toBe("i/7");
    expect(kept?.value).toMatch(/^valte-7-v/);
  });

  it("moves a file that is no database aside, says so once, and goes on with a fresh one", async () => {
    writeFileSync(path, "this is no database, and long enough to be looked at. ".repeat(100));
    const store = await openStore();
    const { records, damaged } = await store.load();
    expect(records).toEqual([]);
    expect(damaged).toHaveLength(1);
    expect(damaged[0]).toContain("file is not a database; moved to");
    expect(damaged[0]).toContain("store.sqlite.damaged-1");
    expect(readFileSync(`${path}.damaged-1`, "utf8")).toMatch(/^this is no database/);
    await store.commit(RECORDS);
    expect((await store.load()).records).toEqual(RECORDS);
    expect((await store.load()).damaged).toEqual([]);
  });

  it("saves what can be read from a file whose structure is damaged", async () => {
    await filled();
    const file = new DatabaseSync(path);
    const [index] = file.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE type = 'index'").all();
    file.close();
    damage((bytes) => bytes.fill(0, (Number(index?.page) - 1) * 4096, Number(index?.page) * 4096));
    const store = await openStore();
    const { records, damaged } = await store.load();
    expect(damaged).toHaveLength(1);
    expect(damaged[0]).toMatch(
      /moved to .*store\.sqlite\.damaged-1, and a fresh one made with the 20 records/,
    );
    expect(records).toEqual(RECORDS);
  });

  it("keeps the files of several damages, and refuses to start when they become too many", async () => {
    for (let number = 1; number <= 20; number += 1) writeFileSync(`${path}.damaged-${number}`, "");
    rmSync(`${path}.damaged-3`);
    writeFileSync(path, "no database ".repeat(1000));
    await (await openStore()).close();
    expect(files()).toContain("store.sqlite.damaged-3");
    writeFileSync(path, "no database ".repeat(1000));
    await expect(openStore()).rejects.toMatchObject({ failure: { code: "state-corrupt" } });
    expect(readFileSync(path, "utf8")).toMatch(/^no database/);
  });

  it("says that it cannot be opened, and where", async () => {
    mkdirSync(path);
    await expect(openStore()).rejects.toMatchObject({ failure: { code: "store-failed" } });
    await expect(openStore()).rejects.toThrow(path);
  });

  it("never holds up its owner while the disk does not answer", async () => {
    const store = await openStore();
    await store.commit([{ key: "a", value: "1" }]);
    const rival = new DatabaseSync(path);
    rival.exec("BEGIN EXCLUSIVE");
    let answered = false;
    const commit = store.commit([{ key: "a", value: "2" }]).then(() => {
      answered = true;
    });
    const late: number[] = [];
    for (let tick = 0; tick < 10; tick += 1) {
      const begun = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 20));
      late.push(performance.now() - begun - 20);
    }
    expect(answered).toBe(false);
    expect(late.sort((a, b) => a - b)[5]).toBeLessThan(20);
    rival.exec("ROLLBACK");
    rival.close();
    await commit;
    expect((await store.load()).records).toEqual([{ key: "a", value: "2" }]);
  });

  it("takes the largest commit, and refuses a larger one and too many that wait", async () => {
    const store = await openStore();
    const ofChars = (count: number): Stored[] => [{ key: "k", value: "€".repeat(count - 1) }];
    await store.commit(ofChars(COMMIT_CHARS_MAX));
    const tooLarge = store.commit(ofChars(COMMIT_CHARS_MAX + 1));
    await expect(tooLarge).rejects.toMatchObject({ failure: { code: "store-failed" } });
    const many = Array.from({ length: 6 }, () => store.commit(ofChars(COMMIT_CHARS_MAX)));
    const ends = await Promise.allSettled(many);
    expect(ends.map(({ status }) => status)).toEqual([...Array(4).fill("fulfilled"), "rejected", "rejected"]);
    await store.commit([{ key: "k", value: "small again" }]);
    expect((await store.load()).records).toEqual([{ key: "k", value: "small again" }]);
  });

  it("finds its thread's entry beside a bundle", async () => {
    const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
    await build({
      entryPoints: { main: here("./sqlite-store.ts"), "sqlite-worker": here("./sqlite-worker.ts") },
      outdir: join(folder, "dist"),
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "silent",
    });
    writeFileSync(join(folder, "dist/package.json"), '{"type":"module"}');
    const script = `
      const { createStore } = await import("./main.js");
      const store = await createStore({ path: ${JSON.stringify(path)} });
      await store.commit([{ key: "a", value: "1" }]);
      console.log(JSON.stringify((await store.load()).records));
      await store.close();`;
    writeFileSync(join(folder, "dist/run.js"), script);
    const run = spawnSync(process.execPath, [join(folder, "dist/run.js")], { encoding: "utf8" });
    expect(run.stdout).toBe('[{"key":"a","value":"1"}]\n');
    expect(run.status).toBe(0);
  });
});
