/** Where things are in this checkout. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const CHECKOUT: string = fileURLToPath(new URL("../../", import.meta.url));

/** From the source, through the executable an operator would call. */
export const FROM_SOURCE: readonly string[] = [join(CHECKOUT, "bin/balefire")];

/** The built bundle, through the same executable. */
export const FROM_BUNDLE: readonly string[] = ["env", "BALEFIRE_BUNDLE=1", ...FROM_SOURCE];
