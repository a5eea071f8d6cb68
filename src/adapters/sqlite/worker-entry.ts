import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A worker's source beside the module that starts it, or the entry that the build puts beside the bundle. */
export function workerEntry(name: string, starter: string): URL {
  const source = new URL(`./${name}.ts`, starter);
  return existsSync(fileURLToPath(source)) ? source : new URL(`./${name}.js`, starter);
}
