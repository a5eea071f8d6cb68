/**
 * Vitest's global set-up of the tests with real daemons: the program as a package installs it, which starts in a
 * third of the source's time and stays as it is while somebody edits the source, and one shelf of formed meshes
 * (lab/driver/shelf.ts). The shelf holds private keys: it is this user's alone, and all is gone when the run ends.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { CHECKOUT, GROUND_VARIABLE, groundFolder } from "../../lab/driver/checkout.ts";
import { bundleTo } from "../../scripts/build.ts";

export default async function layGround(project: TestProject): Promise<(() => void) | undefined> {
  // Several projects of one run stand on the same ground.
  if (process.env[GROUND_VARIABLE] !== undefined) return undefined;
  const ground = mkdtempSync(join(tmpdir(), "balefire-ground-"));
  chmodSync(ground, 0o700);
  const remove = (): void => rmSync(ground, { recursive: true, force: true });
  process.once("exit", remove);
  process.env[GROUND_VARIABLE] = ground;
  mkdirSync(groundFolder("shelf") ?? "", { mode: 0o700 });
  const program = groundFolder("program") ?? "";
  await install(program);
  project.onTestsRerun(() => bundleTo(join(program, "dist")));
  return remove;
}

/** No source lies beside it, so bin/balefire runs the bundle. */
async function install(program: string): Promise<void> {
  mkdirSync(join(program, "bin"), { recursive: true });
  for (const file of ["bin/balefire", "package.json"])
    copyFileSync(join(CHECKOUT, file), join(program, file));
  symlinkSync(join(CHECKOUT, "node_modules"), join(program, "node_modules"));
  await bundleTo(join(program, "dist"));
}
