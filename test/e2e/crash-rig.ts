/** Processes that are killed at every step that changes the disk, one step after the other. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { CrashTask } from "./crash-child.ts";
import { afterThisTest } from "./join-rig.ts";

const SCRIPT = fileURLToPath(new URL("./crash-child.ts", import.meta.url));
/** More steps than any of these has; reaching it would mean the sweep never ended. */
export const STEPS_MAX = 60;

export interface Ended {
  readonly killed: boolean;
  readonly output: string;
}

export function start(task: CrashTask): ChildProcess {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  afterThisTest(() => {
    child.kill("SIGKILL");
  });
  return child;
}

export async function runToItsEnd(task: CrashTask): Promise<Ended> {
  const child = start(task);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  expect([signal, code]).toEqual(signal === "SIGKILL" ? ["SIGKILL", null] : [null, 0]);
  return { killed: signal === "SIGKILL", output: output.trim() };
}

/** Two at a time, from the first step on, until one run gets through unharmed; gives the number of steps. */
export async function sweep(attempt: (dieAt: number) => Promise<boolean>): Promise<number> {
  let next = 1;
  let through = Number.POSITIVE_INFINITY;
  const walk = async (): Promise<void> => {
    while (next < through && next < STEPS_MAX) {
      const dieAt = next;
      next += 1;
      if (!(await attempt(dieAt))) through = Math.min(through, dieAt);
    }
  };
  await Promise.all([walk(), walk()]);
  return through - 1;
}

export async function expectTidy(stateDir: string): Promise<void> {
  const left = (await readdir(stateDir)).filter(
    (name) => name.endsWith(".tmp") || name.startsWith("pending"),
  );
  expect(left).toEqual([]);
}
