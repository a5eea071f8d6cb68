/**
 * Vitest's global set-up of every project: what one Node process has compiled the next one loads
 * (https://nodejs.org/api/module.html#module-compile-cache), for the length of a run. Tests start hundreds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default function shareCompiled(): (() => void) | undefined {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "balefire-compiled-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  process.env.NODE_COMPILE_CACHE = folder;
  return remove;
}
