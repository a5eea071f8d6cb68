/** A host whose disk has no room must still watch: what was kept is read, and kept again once there is room. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fillDisk, type SmallDisk, smallDisk } from "../../../test/contract/small-disk.ts";
import { unwrap } from "../../kit/result.ts";
import { createSession } from "./sqlite-session.ts";
import { createStore } from "./sqlite-store.ts";

const KEPT = [
  { key: "a", value: "1" },
  { key: "b", value: "2" },
];

const probe = mkdtempSync(join(tmpdir(), "balefire-mount-"));
const { mounted, unmount } = smallDisk(probe);
if (mounted) unmount();
rmSync(probe, { recursive: true });

describe.skipIf(!mounted)("a full disk", () => {
  let folder: string;
  let path: string;
  let disk: SmallDisk;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "balefire-full-"));
    disk = smallDisk(folder);
    path = join(folder, "store.sqlite");
  });
  afterEach(() => {
    disk.unmount();
    rmSync(folder, { recursive: true });
  });

  const filled = async (): Promise<void> => {
    const store = await createStore({ path });
    await store.commit(KEPT);
    await store.close();
  };

  it("does not keep what was committed from being read, refuses commits, and takes them once there is room", async () => {
    await filled();
    const makeRoom = fillDisk(folder);
    const store = await createStore({ path });
    expect(await store.load()).toEqual({ records: KEPT, damaged: [] });
    const refused = store.commit([{ key: "c", value: "3" }]);
    await expect(refused).rejects.toMatchObject({ failure: { code: "store-failed", retry: true } });
    makeRoom();
    await store.commit([{ key: "c", value: "3" }]);
    expect((await store.load()).records).toHaveLength(3);
    await store.close();
  });

  it("does not lose what a crash left in the log", () => {
    const original = mkdtempSync(join(tmpdir(), "balefire-crash-"));
    const from = join(original, "store.sqlite");
    const before = createSession({ path: from, pagesMax: 1000 });
    unwrap(before.serve({ type: "open" }, () => undefined));
    unwrap(before.serve({ type: "commit", records: KEPT }, () => undefined));
    for (const suffix of ["", "-wal"]) copyFileSync(from + suffix, path + suffix);
    unwrap(before.serve({ type: "close" }, () => undefined));
    rmSync(original, { recursive: true });
    fillDisk(folder);

    const session = createSession({ path, pagesMax: 1000 });
    unwrap(session.serve({ type: "open" }, () => undefined));
    const read: unknown[] = [];
    unwrap(session.serve({ type: "load" }, (records) => read.push(...records)));
    expect(read).toEqual(KEPT);
    unwrap(session.serve({ type: "close" }, () => undefined));
  });

  it("leaves out a record whose checksum does not match, and names it", async () => {
    await filled();
    const file = new DatabaseSync(path);
    file.exec("UPDATE record SET value = 'x' WHERE key = 'a'");
    file.close();
    fillDisk(folder);
    const store = await createStore({ path });
    expect(await store.load()).toEqual({
      records: KEPT.slice(1),
      damaged: ['record "a": its checksum does not match; left out'],
    });
    await store.close();
  });

  it("holds nothing where nothing was kept yet", async () => {
    fillDisk(folder);
    const store = await createStore({ path });
    expect(await store.load()).toEqual({ records: [], damaged: [] });
    await expect(store.commit(KEPT)).rejects.toMatchObject({ failure: { code: "store-failed" } });
    await store.close();
  });

  it("is no reason to start without what cannot be read", async () => {
    mkdirSync(path);
    fillDisk(folder);
    await expect(createStore({ path })).rejects.toMatchObject({ failure: { code: "store-failed" } });
  });
});
