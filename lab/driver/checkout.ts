/** Where things are. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const CHECKOUT: string = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Names a folder that a run of many tests has laid out for all its processes (test/e2e/ground.ts): the program
 * as a package installs it, and a shelf of formed meshes. Absent elsewhere.
 */
export const GROUND_VARIABLE = "BALEFIRE_LAB_GROUND";
export const groundFolder = (what: "program" | "shelf"): string | undefined => {
  const ground = process.env[GROUND_VARIABLE];
  return ground === undefined ? undefined : join(ground, what);
};

/** The executable an operator would call: as it is installed where a run has installed it, else from the source. */
export const FROM_SOURCE: readonly string[] = [join(groundFolder("program") ?? CHECKOUT, "bin/balefire")];

/** The built bundle of this checkout, through the same executable. */
export const FROM_BUNDLE: readonly string[] = ["env", "BALEFIRE_BUNDLE=1", join(CHECKOUT, "bin/balefire")];
