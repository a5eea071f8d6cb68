import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attribute, createPatientReader, LANES_MAX } from "./patient-reader.ts";

/** Longer than a file takes, shorter than a test should. */
/** A file must be read within it on a busy machine, too. */
const TIMEOUT_MS = 250;

let folder: string;
const pipes: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "balefire-patient-"));
});
afterEach(() => {
  for (const pipe of pipes.splice(0)) answer(pipe, "");
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Hangs whoever opens it: what a driver does that never comes back. */
function pipe(name: string): string {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  pipes.push(path);
  return path;
}

/** Lets those go who hang there; does nothing when nobody does. */
function answer(path: string, text: string): void {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(fd, text);
    closeSync(fd);
  } catch {
    // ENXIO: nobody reads, or the folder is gone.
  }
}

const one = (path: string, held = false) => ({ key: path, attributes: [attribute(path, held)] });

describe("the patient reader", () => {
  it("reads files as they are, and again when they changed", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const held = one(file("a", "41000\n"), true);
    await reader.read([held]);
    expect(held.attributes[0]).toMatchObject({ outcome: "read", text: "41000\n" });
    file("a", "42\n");
    await reader.read([held]);
    expect(held.attributes[0]?.text).toBe("42\n");
  });

  it("tells a file that is gone from one that refuses", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const gone = one(join(folder, "none"));
    const refuses = one(folder);
    await reader.read([gone, refuses]);
    expect(gone.attributes[0]?.outcome).toBe("missing");
    expect(refuses.attributes[0]?.outcome).toBe("unreadable");
  });

  it("reads all others when one hangs, and gives that one up", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const hanging = one(pipe("p"));
    const others = Array.from({ length: 20 }, (_, at) => one(file(`f${at}`, `${at}`)));
    const began = performance.now();
    await reader.read([hanging, ...others]);
    expect(performance.now() - began).toBeLessThan(TIMEOUT_MS * 10);
    expect(hanging.attributes[0]?.outcome).toBe("stuck");
    expect(others.map(({ attributes }) => attributes[0]?.text)).toEqual(others.map((_, at) => `${at}`));
    expect(reader.stuck()).toBe(1);
  });

  it("does not take a file for hanging because this process stood still", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const slow = one(file("f", "1"));
    const reading = reader.read([slow]);
    const until = performance.now() + 2 * TIMEOUT_MS;
    while (performance.now() < until);
    await reading;
    expect([slow.attributes[0]?.outcome, reader.stuck()]).toEqual(["read", 0]);
  });

  it("asks a driver that hangs no second time, however often it is told to", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const path = pipe("p");
    for (let pass = 0; pass < 10; pass += 1) {
      const again = one(path);
      const other = one(file("f", `${pass}`));
      await reader.read([again, other]);
      expect(again.attributes[0]?.outcome).toBe("stuck");
      expect(other.attributes[0]?.text).toBe(`${pass}`);
    }
    expect(reader.stuck()).toBe(1);
  });

  it("asks it again when its first answer has come", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const path = pipe("p");
    await reader.read([one(path)]);
    answer(path, "1\n");
    while (reader.stuck() > 0) await turn();
    rmSync(path);
    file("p", "43000\n");
    const back = one(path);
    await reader.read([back]);
    expect(back.attributes[0]).toMatchObject({ outcome: "read", text: "43000\n" });
  });

  it("gives up a driver's other files with the one that hangs", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const batch = {
      key: "chip",
      attributes: [
        attribute(file("a", "1"), false),
        attribute(pipe("p"), false),
        attribute(file("b", "2"), false),
      ],
    };
    await reader.read([batch]);
    expect(batch.attributes.map(({ outcome }) => outcome)).toEqual(["read", "stuck", "stuck"]);
  });

  it("never holds more threads than its lanes: the event loop and other files go on beside any number of hanging drivers", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const hanging = Array.from({ length: 12 }, (_, at) => one(pipe(`p${at}`)));
    const reading = reader.read(hanging);
    let turns = 0;
    const spinning = (async () => {
      while (reader.stuck() < LANES_MAX) {
        turns += 1;
        await turn();
      }
    })();
    // Four at once, as many as the pool has threads: with every thread hanging none would end.
    const unrelated = file("unrelated", "fine");
    const texts = await Promise.all([1, 2, 3, 4].map(() => readFile(unrelated, "utf8")));
    await Promise.all([reading, spinning]);
    expect(texts).toEqual(["fine", "fine", "fine", "fine"]);
    expect(turns).toBeGreaterThan(10);
    expect(reader.stuck()).toBe(LANES_MAX);
    expect(hanging.every(({ attributes }) => attributes[0]?.outcome === "stuck")).toBe(true);
    expect(await readFile(unrelated, "utf8")).toBe("fine");
  });

  it("goes on when drivers answer after all lanes hung", async () => {
    const reader = createPatientReader({ timeoutMs: TIMEOUT_MS });
    const paths = [pipe("p0"), pipe("p1")];
    await reader.read(paths.map((path) => one(path)));
    const refused = one(file("f", "1"));
    await reader.read([refused]);
    expect(refused.attributes[0]?.outcome).toBe("stuck");
    for (const path of paths) answer(path, "1\n");
    while (reader.stuck() > 0) await turn();
    await reader.read([refused]);
    expect(refused.attributes[0]?.outcome).toBe("read");
  });
});
