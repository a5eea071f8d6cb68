/**
 * What of a configuration may be shown. Nearly every setting of a channel may
 * hold a secret, and a mistyped key would hide one from any list of secret keys;
 * so the list is of what may be shown, and all the rest is masked.
 */

export const MASK: string = "***";

/** `*` stands for any one list index. */
const SHOWN_VALUES: ReadonlySet<string> = new Set([
  "channels.*.name",
  "channels.*.type",
  "channels.*.secretFile",
  "channels.*.contentType",
  "channels.*.timeout",
  "policy.daemonDown.grace",
  "mesh.beat",
  "log.level",
]);

/** Maps whose keys may be shown; "" is the document itself. */
const SHOWN_KEYS_OF: ReadonlySet<string> = new Set([
  "",
  "channels.*",
  "channels.*.headers",
  "policy",
  "policy.daemonDown",
  "mesh",
  "log",
]);

export type ConfigPath = readonly (string | number)[];

const pattern = (path: ConfigPath): string =>
  path.map((part) => (typeof part === "number" ? "*" : part)).join(".");

/** Whether the value at this path may be shown: not one that runs on into the next line's key, nor a URL. */
export const valueMayBeShown = (path: ConfigPath, value: string): boolean =>
  SHOWN_VALUES.has(pattern(path)) && /^[\w .,;=!+/-]{1,64}$/.test(value);

/** Whether a key may be shown that stands in the map at this path: one that reads like a key. */
export const keyMayBeShown = (parent: ConfigPath, key: string): boolean =>
  SHOWN_KEYS_OF.has(pattern(parent)) && /^[A-Za-z][\w.-]{0,39}$/.test(key);

/** The value with everything masked that may not be shown; `path` is where it stands. */
export function masked(value: unknown, path: ConfigPath): unknown {
  if (Array.isArray(value)) return value.map((item, index) => masked(item, [...path, index]));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(
      entries.map(([key, item]) => [keyMayBeShown(path, key) ? key : MASK, masked(item, [...path, key])]),
    );
  }
  return valueMayBeShown(path, String(value)) ? value : MASK;
}
