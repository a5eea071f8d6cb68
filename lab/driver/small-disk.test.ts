import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { moveToSmallDisk } from "./small-disk.ts";

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot && process.env.CI !== "true")(
  "a small disk holds what was there, is full to the last byte, and is gone when removed",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "small-disk-"));
    const state = join(folder, "state");
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(join(state, "kept"), "as it was", { mode: 0o600 });
    const disk = moveToSmallDisk(state);
    expect(readFileSync(join(state, "kept"), "utf8")).toBe("as it was");
    expect(statSync(join(state, "kept")).mode & 0o777).toBe(0o600);
    expect(statSync(state).mode & 0o777).toBe(0o700);
    disk.fill();
    expect(() => writeFileSync(join(state, "more"), "x")).toThrow("ENOSPC");
    disk.free();
    writeFileSync(join(state, "more"), "x");
    disk.remove();
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(state);
    rmSync(folder, { recursive: true });
  },
);
