import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The options given on the command line; undefined when there is a word that is none, or one without its value. */
export function readWords<T extends ParseArgsOptionsConfig>(
  options: T,
): ReturnType<typeof parseArgs<{ allowNegative: true; options: T }>>["values"] | undefined {
  try {
    return parseArgs({ allowNegative: true, options }).values;
  } catch {
    return undefined;
  }
}
