import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fillDisk, smallDisk } from "../../../test/contract/small-disk.ts";
import { unwrap } from "../../kit/result.ts";
import { lockState } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "balefire-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("two holders in one process exclude each other until the first lets go", () => {
  const first = unwrap(lockState(folder));
  expect(lockState(folder)).toMatchObject({ ok: false, error: { code: "state-locked", retry: true } });
  first.release();
  unwrap(lockState(folder)).release();
  expect(statSync(join(folder, "lock")).mode & 0o777).toBe(0o600);
});

test("another process is named while it lives, and its death frees the folder", async () => {
  const script = `const { lockState } = await import(${JSON.stringify(new URL("./lock.ts", import.meta.url).href)});
    lockState(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  expect(lockState(folder)).toMatchObject({
    ok: false,
    error: { code: "state-locked", message: expect.stringContaining(`pid ${holder.pid}`) },
  });
  holder.kill("SIGKILL");
  await once(holder, "exit");
  unwrap(lockState(folder)).release();
});

test("a folder that is not there is not made", () => {
  expect(lockState(join(folder, "none"))).toMatchObject({ ok: false, error: { code: "state-missing" } });
});

test("a disk without room keeps nobody from holding the folder", () => {
  const small = mkdtempSync(join(tmpdir(), "balefire-lock-"));
  const disk = smallDisk(small);
  writeFileSync(join(small, "lock"), "");
  if (disk.mounted) fillDisk(small);
  const lock = unwrap(lockState(small));
  expect(lockState(small)).toMatchObject({ ok: false, error: { code: "state-locked" } });
  lock.release();
  if (disk.mounted) disk.unmount();
  rmSync(small, { recursive: true });
});
