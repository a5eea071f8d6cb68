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
  "channels.*.timeout",
  "channels.*.every",
  "channels.*.minSeverity",
  "channels.*.kinds.*",
  "channels.*.fallback",
  "channels.*.onlyAsFallback",
  "channels.*.contentType",
  "channels.*.priority",
  "channels.*.security",
  "channels.*.port",
  "channels.*.emergency",
  "channels.*.retry",
  "channels.*.expire",
  "policy.daemonDown.grace",
  "policy.linkProblem.grace",
  "policy.clock.grace",
  "policy.missing.after",
  "policy.planned.grace",
  "policy.planned.note",
  "policy.flap.window",
  "policy.flap.quiet",
  "policy.quietHours.from",
  "policy.quietHours.to",
  "policy.quietHours.timezone",
  "policy.quietHours.severity",
  "policy.nodes.*.expected",
  "policy.nodes.*.heat",
  "sensors.watch",
  "sensors.every",
  "sensors.rules.*.node",
  "sensors.rules.*.class",
  "sensors.rules.*.sensor",
  "sensors.rules.*.warning",
  "sensors.rules.*.critical",
  "sensors.rules.*.hysteresis",
  "sensors.rules.*.sustain",
  "sensors.rules.*.ignore",
  "history",
  "history.size",
  "history.flush",
  "mesh.beat",
  "http.listen",
  "log.level",
]);

export type ConfigPath = readonly (string | number)[];

/** Hosts are named by their own names, list items by their number: both read `*`. */
const pattern = (path: ConfigPath): string =>
  path
    .map((part, depth) => (typeof part === "number" || (depth === 2 && isNodes(path)) ? "*" : part))
    .join(".");

const isNodes = ([section, key]: ConfigPath): boolean => section === "policy" && key === "nodes";

/** Where a secret lies in a file: its path, unless the secret itself was written there. */
const isFilePath = (path: ConfigPath, value: string): boolean =>
  /^channels\.\*\.[a-z][A-Za-z]*File$/.test(pattern(path)) && value.startsWith("/");

/** Maps whose keys may be shown; "" is the document itself. */
const SHOWN_KEYS_OF: ReadonlySet<string> = new Set([
  "",
  "channels.*",
  "channels.*.headers",
  "policy",
  "policy.daemonDown",
  "policy.linkProblem",
  "policy.clock",
  "policy.missing",
  "policy.planned",
  "policy.flap",
  "policy.quietHours",
  "policy.nodes",
  "policy.nodes.*",
  "sensors",
  "sensors.rules.*",
  "history",
  "mesh",
  "http",
  "log",
]);

/** No colon but that of a time of day or of an IPv4 address's port: it could be the end of a URL's scheme, or of the next line's key. */
const HARMLESS = /^([\w .,;=!+/-]{1,64}|\d?\d:\d\d|\d{1,3}(\.\d{1,3}){3}:\d{1,5})$/;

/** Whether the value at this path may be shown: not one that runs on into the next line's key, nor a URL. */
export const valueMayBeShown = (path: ConfigPath, value: string): boolean =>
  (SHOWN_VALUES.has(pattern(path)) || isFilePath(path, value)) && HARMLESS.test(value);

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
