/** Processes that want all of the processor there is. */
import { spawn } from "node:child_process";
import { boundToUs, cleanEnvironment, ended } from "./child.ts";
import { atEnd } from "./cleanup.ts";

/** Starts them; the returned function ends them. */
export function startHogs(count: number): () => Promise<void> {
  const hogs = Array.from({ length: count }, () => {
    const [command = "", ...args] = boundToUs([process.execPath, "-e", "for (;;);"]);
    const child = spawn(command, args, { stdio: "ignore", env: cleanEnvironment() });
    return { child, kill: atEnd(() => child.kill("SIGKILL")) };
  });
  return async () => {
    for (const { kill } of hogs) kill();
    await Promise.all(hogs.map(({ child }) => ended(child)));
  };
}
