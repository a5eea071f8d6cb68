import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import { unwrap } from "../../kit/result.ts";
import { type StateFile, StateFolder } from "./folder.ts";

const COLOURS: StateFile<{ colours: string[] }> = {
  name: "colours.json",
  kind: "colours",
  shape: z.object({ colours: z.array(z.string()) }),
  remedy: "paint it again",
};
const KEYED: StateFile<{ colours: string[] }> = { ...COLOURS, name: "keyed.json", secret: true };

let path: string;
let folder: StateFolder;
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), "balefire-state-")), "state");
  folder = new StateFolder(path);
  unwrap(await folder.prepare());
});
afterEach(() => rm(join(path, ".."), { recursive: true, force: true }));

const mode = async (name: string): Promise<number> => (await stat(join(path, name))).mode & 0o777;

test("folder and files are the owner's alone, whatever was there before", async () => {
  await writeFile(join(path, "colours.json.tmp"), "left behind", { mode: 0o666 });
  await chmod(join(path, "colours.json.tmp"), 0o666);
  unwrap(await folder.writeJson(COLOURS, { colours: ["red"] }));
  expect(await mode(".")).toBe(0o700);
  expect(await mode("colours.json")).toBe(0o600);
  expect(await readdir(path)).toEqual(["colours.json"]);
  expect(unwrap(await folder.readJson(COLOURS))).toEqual({ colours: ["red"] });
});

test("what is not there is undefined, and removing it is no failure", async () => {
  expect(unwrap(await folder.readJson(COLOURS))).toBeUndefined();
  expect(unwrap(await folder.readText("x"))).toBeUndefined();
  unwrap(await folder.remove("x"));
});

test("every flipped bit is either named or changes nothing", async () => {
  unwrap(await folder.writeJson(COLOURS, { colours: ["red", "blue"] }));
  const file = join(path, "colours.json");
  const whole = await readFile(file);
  for (let at = 0; at < whole.length; at += 1) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    await writeFile(file, damaged);
    const read = await folder.readJson(COLOURS);
    if (read.ok) expect(read.value).toEqual({ colours: ["red", "blue"] });
    else expect(read.error.message).toContain(file);
    if (!read.ok && read.error.code === "state-corrupt") expect(read.error.remedy).toBe("paint it again");
  }
});

test("every torn file is named", async () => {
  unwrap(await folder.writeJson(COLOURS, { colours: ["red", "blue"] }));
  const file = join(path, "colours.json");
  const whole = await readFile(file);
  for (let length = 0; length < whole.length - 2; length += 1) {
    await writeFile(file, whole.subarray(0, length));
    expect(await folder.readJson(COLOURS)).toMatchObject({ ok: false, error: { code: "state-corrupt" } });
  }
});

test("a sound file of another kind, of another shape or of a newer release is refused", async () => {
  const other: StateFile<{ colours: number }> = { ...COLOURS, shape: z.object({ colours: z.number() }) };
  unwrap(await folder.writeJson({ ...COLOURS, kind: "shapes" }, { colours: [] }));
  expect(await folder.readJson(COLOURS)).toMatchObject({ ok: false, error: { code: "state-corrupt" } });
  unwrap(await folder.writeJson(other, { colours: 1 }));
  expect(await folder.readJson(COLOURS)).toMatchObject({ ok: false, error: { code: "state-corrupt" } });
  unwrap(await folder.writeJson(COLOURS, { colours: [] }));
  const text = await readFile(join(path, "colours.json"), "utf8");
  await writeFile(join(path, "colours.json"), text.replace('"version": 1', '"version": 2'));
  expect(await folder.readJson(COLOURS)).toMatchObject({ ok: false, error: { code: "version-unsupported" } });
});

test("a key that others can read is refused with the command that closes it", async () => {
  unwrap(await folder.writeText("node.key", "secret"));
  unwrap(await folder.writeJson(KEYED, { colours: [] }));
  unwrap(await folder.readSecret("node.key"));
  unwrap(await folder.readJson(KEYED));
  for (const open of [0o640, 0o604, 0o620, 0o601]) {
    for (const name of ["node.key", "keyed.json"]) await chmod(join(path, name), open);
    expect(await folder.readSecret("node.key")).toMatchObject({
      ok: false,
      error: { code: "state-permissions", remedy: `chmod 600 ${join(path, "node.key")}` },
    });
    expect(await folder.readJson(KEYED)).toMatchObject({ ok: false, error: { code: "state-permissions" } });
  }
});

test("a folder that others can write into is refused with the command that closes it", async () => {
  await chmod(path, 0o770);
  expect(await folder.check()).toMatchObject({
    ok: false,
    error: { code: "state-permissions", remedy: `chmod 700 ${path}` },
  });
  await chmod(path, 0o755);
  unwrap(await folder.check());
});

test("a folder that is missing, or is a file, is said by name", async () => {
  expect(await new StateFolder(join(path, "none")).check()).toMatchObject({
    ok: false,
    error: { code: "state-missing" },
  });
  await writeFile(join(path, "file"), "");
  expect(await new StateFolder(join(path, "file")).prepare()).toMatchObject({ ok: false });
  expect(await new StateFolder(join(path, "file", "below")).prepare()).toMatchObject({
    ok: false,
    error: { code: "state-corrupt" },
  });
});

test("a write that the disk refuses is a failure, and what was there stays", async () => {
  unwrap(await folder.writeJson(COLOURS, { colours: ["red"] }));
  await symlink("/proc/none/none", join(path, "colours.json.tmp"));
  expect(await folder.writeJson(COLOURS, { colours: ["blue"] })).toMatchObject({ ok: false });
  expect(unwrap(await folder.readJson(COLOURS))).toEqual({ colours: ["red"] });
});

test("a folder several levels down is made; one that cannot be is a failure, not a search without end", async () => {
  const deep = new StateFolder(join(path, "one/two/state"));
  expect((await deep.prepare()).ok).toBe(true);
  const impossible = await new StateFolder("/proc/none/state").prepare();
  expect(impossible).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining("/proc/none/state") },
  });
});

test("a damaged file is kept under a name that is free as well; where none is, the last one gives way", async () => {
  const texts: (string | undefined)[] = [];
  for (let times = 1; times <= 6; times += 1) {
    await writeFile(join(path, "colours.json"), `damaged ${times}`);
    texts.push(unwrap(await folder.copyAside("colours.json")));
    expect(await readFile(join(path, "colours.json"), "utf8")).toBe(`damaged ${times}`);
    await folder.remove("colours.json");
  }
  expect(texts).toEqual([1, 2, 3, 4, 4, 4].map((number) => `colours.json.damaged-${number}`));
  expect(await readFile(join(path, "colours.json.damaged-1"), "utf8")).toBe("damaged 1");
  expect(await readFile(join(path, "colours.json.damaged-4"), "utf8")).toBe("damaged 6");
  expect(await folder.copyAside("none.json")).toEqual({ ok: true, value: undefined });
});
