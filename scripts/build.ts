/**
 * Bundles the source to dist/balefire.js and its lazy chunks, for packages and benchmarks.
 * Native and data-carrying packages stay in node_modules: koffi brings a shared library.
 */
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(CHECKOUT, "dist");
/** Workers are loaded by file name beside the module that starts them, so each is an entry of its own. */
const ENTRIES: Readonly<Record<string, string>> = {
  balefire: "src/main.ts",
  "sqlite-worker": "src/adapters/store/sqlite-worker.ts",
  "history-worker": "src/adapters/history/history-worker.ts",
};
const EXTERNAL = ["koffi"];

/** CommonJS packages in the bundle call `require` for Node's own modules. */
const BANNER = [
  'import { createRequire as balefireCreateRequire } from "node:module";',
  "const require = balefireCreateRequire(import.meta.url);",
].join("\n");

function newest(folder: string): number {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) latest = Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return latest;
}

function isFresh(): boolean {
  const bundle = join(DIST, "balefire.js");
  if (!existsSync(bundle)) return false;
  const built = statSync(bundle).mtimeMs;
  return (
    built > newest(join(CHECKOUT, "src")) && built > statSync(join(CHECKOUT, "package-lock.json")).mtimeMs
  );
}

/** Builds unless the bundle is newer than all it is made of; says whether it built. */
export async function buildIfStale(): Promise<boolean> {
  if (isFresh()) return false;
  await bundleTo(DIST);
  return true;
}

/** Puts the bundle into this folder, in place of all that is there. */
export async function bundleTo(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const entryPoints = Object.fromEntries(
    Object.entries(ENTRIES)
      .map(([name, source]): [string, string] => [name, join(CHECKOUT, source)])
      .filter(([, source]) => existsSync(source)),
  );
  await build({
    entryPoints,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    // ES modules keep their named exports when they are loaded lazily.
    mainFields: ["module", "main"],
    target: "node26",
    chunkNames: "[name]-[hash]",
    external: EXTERNAL,
    banner: { js: BANNER },
    legalComments: "linked",
    sourcemap: false,
    logLevel: "warning",
  });
  chmodSync(join(folder, "balefire.js"), 0o755);
}

if (import.meta.main) {
  const began = performance.now();
  await bundleTo(DIST);
  const total = readdirSync(DIST).reduce((sum, name) => sum + statSync(join(DIST, name)).size, 0);
  console.log(`dist/: ${Math.round(total / 1024)} KiB in ${Math.round(performance.now() - began)} ms`);
}
