/** Where things are in this checkout. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const CHECKOUT: string = fileURLToPath(new URL("../../", import.meta.url));
const OWN_NODE = join(CHECKOUT, "node_modules/.bin/node");

/** From the source, through the executable an operator would call. */
export const FROM_SOURCE: readonly string[] = [join(CHECKOUT, "bin/balefire")];

const BUNDLE = join(CHECKOUT, "dist/balefire.js");

/** The built bundle, with the flags that bin/balefire gives. */
export const FROM_BUNDLE: readonly string[] = [
  OWN_NODE,
  "--max-semi-space-size=2",
  "--disable-warning=ExperimentalWarning",
  BUNDLE,
];

export const bundleExists = (): boolean => existsSync(BUNDLE);
