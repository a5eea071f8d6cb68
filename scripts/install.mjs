/**
 * Brings node_modules to what package-lock.json says, and only then. Plain JavaScript: it runs on the
 * machine's own Node (20 or later) before anything is installed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
/** The Node that Balefire runs on, installed as a package. */
export const OWN_NODE = join(CHECKOUT, "node_modules/.bin/node");
const NODE_MAJOR_MIN = 20;

/** @param {string} file */
const packagesIn = (file) => JSON.parse(readFileSync(file, "utf8")).packages ?? {};

/** npm leaves a lock file of what it installed inside node_modules; optional packages of other platforms are absent there. */
export function whyStale() {
  const installed = join(CHECKOUT, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return "nothing is installed yet";
  if (!existsSync(OWN_NODE)) return "Balefire's own Node is not installed";
  const present = packagesIn(installed);
  for (const [path, wanted] of Object.entries(packagesIn(join(CHECKOUT, "package-lock.json")))) {
    if (path === "") continue;
    const found = present[path];
    if (found === undefined && wanted.optional !== true) return `${path} is not installed`;
    if (found !== undefined && found.version !== wanted.version)
      return `${path} is ${found.version}, not ${wanted.version}`;
  }
  return undefined;
}

/** Installs when it must; progress goes to standard error, since standard output belongs to the command. */
export function installIfStale() {
  if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
    process.stderr.write(
      `Node ${process.versions.node} is too old: ${NODE_MAJOR_MIN} or later is needed to install.\n`,
    );
    process.exit(1);
  }
  const reason = whyStale();
  if (reason === undefined) return;
  process.stderr.write(`Installing (${reason}): npm ci\n`);
  const began = Date.now();
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: CHECKOUT,
    stdio: ["ignore", 2, 2],
  });
  if (done.status !== 0 || !existsSync(OWN_NODE)) {
    process.stderr.write(
      done.status === 0
        ? `npm ci left no ${OWN_NODE}: optional dependencies must not be omitted, and the machine be x64 or arm64.\n`
        : "npm ci failed; is the package registry reachable?\n",
    );
    process.exit(1);
  }
  process.stderr.write(`Installed in ${Math.round((Date.now() - began) / 1000)} s.\n`);
}
