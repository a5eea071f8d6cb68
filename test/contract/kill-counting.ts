/** Kills a process that counts aloud, at no particular moment. */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Long enough for some commits, short enough to fall into the middle of one. */
const LIFE_MS_MAX = 120;

/**
 * Starts the script with the given path and number, and kills it at a random moment after its first
 * number. Returns the last that it printed, `from` when there was none.
 */
export async function countUntilKilled(script: string, path: string, from: number): Promise<number> {
  const victim = spawn(process.execPath, [script, path, String(from)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  victim.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const closed = once(victim, "close");
  await Promise.race([once(victim.stdout, "data"), closed]);
  setTimeout(() => victim.kill("SIGKILL"), Math.random() * LIFE_MS_MAX);
  const [, signal] = await closed;
  if (signal !== "SIGKILL") throw new Error("the counting process ended by itself");
  // What follows the last line break was cut off in the middle.
  return Number(printed.split("\n").at(-2) ?? from);
}
