import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { boundToUs, cleanEnvironment, ended } from "./child.ts";
import { atEnd } from "./cleanup.ts";
import { within } from "./clock.ts";
import { type Answering, type Delivery, DeliveryLog, type Receiver } from "./receiver.ts";

const START_MS_MAX = 10_000;
const PROGRAM = fileURLToPath(new URL("./receiver-process.ts", import.meta.url));

type Line = { url: string } | { delivery: Delivery } | { answering: Answering };

/** The receiver as a child process, started through `inside` (`ip netns exec …`). */
export async function spawnReceiver(
  inside: (argv: readonly string[]) => readonly string[],
  host: string,
): Promise<Receiver> {
  const [command = "", ...args] = boundToUs(inside([process.execPath, PROGRAM, host]));
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env: cleanEnvironment() });
  const kill = atEnd(() => child.kill("SIGKILL"));
  const log = new DeliveryLog();
  let confirm: ((mode: Answering) => void) | undefined;
  const url = new Promise<string>((resolve, reject) => {
    child.once("exit", () => reject(new Error("the receiver ended before it was ready")));
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      if ("url" in line) resolve(line.url);
      else if ("delivery" in line) log.add(line.delivery);
      else confirm?.(line.answering);
    });
  });
  return {
    url: await within("the receiver to start", START_MS_MAX, url),
    deliveries: log.deliveries,
    listen: (listener) => log.listen(listener),
    answer: (mode) => {
      const confirmed = new Promise<void>((resolve) => {
        confirm = () => resolve();
      });
      child.stdin.write(`${JSON.stringify({ answer: mode })}\n`);
      return within("the receiver to confirm", START_MS_MAX, confirmed);
    },
    close: async () => {
      kill();
      await ended(child);
    },
  };
}
