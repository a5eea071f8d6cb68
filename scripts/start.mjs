/** `npm start`: installs when needed, then runs the demonstration on Balefire's own Node. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { CHECKOUT, installIfStale, OWN_NODE } from "./install.mjs";

installIfStale();
const child = spawn(OWN_NODE, [join(CHECKOUT, "demo/main.ts"), ...process.argv.slice(2)], {
  stdio: "inherit",
});
// A terminal sends SIGINT to the child as well; what others send us is passed on, and we end when it has cleaned up.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 130);
});
