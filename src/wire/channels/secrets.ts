/** Settings that hold a secret: written down (`token`), or in a file that the adapter reads (`tokenFile`). */
import * as z from "zod";
import { PATH_CHARS_MAX, SECRET_CHARS_MAX } from "./common.ts";

export const secretText = (charsMin: number, charsMax: number = SECRET_CHARS_MAX): z.ZodType<string> =>
  z.string().min(charsMin).max(charsMax);

/**
 * Absolute path of a file that holds a secret, read by the daemon when it loads its configuration;
 * white space around the secret is dropped. It must exist on every node that has the channel and
 * must not be readable by everyone.
 */
export const secretFile: z.ZodType<string> = z
  .string()
  .max(PATH_CHARS_MAX)
  .startsWith("/", "must be an absolute path");

/** As much of zod's refinement context as a refusal needs. */
export interface RefusalContext {
  addIssue(issue: { code: "custom"; path: string[]; message: string; params?: { fix: string } }): void;
}

/** Refuses `key` together with `keyFile`, and where it is needed, neither of them. */
export function checkSecretPair<K extends string>(
  config: Readonly<Partial<Record<K | `${K}File`, unknown>>>,
  key: K,
  context: RefusalContext,
  needed: "optional" | "required" = "optional",
): void {
  const file: `${K}File` = `${key}File`;
  const written = config[key] !== undefined;
  const inFile = config[file] !== undefined;
  if (written && inFile) {
    const message = `is given together with \`${key}\`; keep one of the two`;
    context.addIssue({ code: "custom", path: [file], message });
  }
  if (needed === "required" && !written && !inFile) {
    const fix = `Add \`${key}\`, or \`${file}\` with the path of a file that holds it.`;
    context.addIssue({ code: "custom", path: [key], message: "is missing", params: { fix } });
  }
}
