/** What may stand in a configuration file. docs/configuration.md explains each key to the person who writes it. */
import * as z from "zod";
import { type ChannelConfig, channelConfig } from "./channel-config.ts";
import {
  isOwnSetting,
  SETTING_KEYS,
  SETTINGS,
  type SettingKey,
  type SettingValues,
} from "./config-settings.ts";
import { nodeNameText } from "./roster.ts";

/** Longest file that is read: a hundred channels with templates fit many times over. */
export const CONFIG_BYTES_MAX: number = 262_144;
export const CHANNELS_MAX: number = 32;
/** Twice the largest mesh: hosts that left may still be named. */
export const NODE_POLICIES_MAX: number = 200;

/** What is expected of one member, by its name in the roster. */
export interface NodePolicy {
  readonly name: string;
  /** `sometimes`: it comes and goes as it likes, and nobody is told of its absence. Default: always. */
  readonly expected: "always" | "sometimes";
  /** `off`: nobody is told of its sensors. Default: on. */
  readonly heat: "on" | "off";
}

/** A file as it was written: whatever is absent is decided elsewhere (the shared document, then the default). */
export interface ConfigDocument {
  /** Ways to reach a person, tried by whichever node has the turn. Default: none. At most 32, names unique. */
  readonly channels?: readonly ChannelConfig[] | undefined;
  /** At most 200. */
  readonly nodes?: readonly NodePolicy[] | undefined;
  readonly settings: Partial<SettingValues>;
}

/** What a node runs with. */
export interface Config {
  /** Ways to reach a person. Default: none, and the built-in inbox. Range: 0 to 32, names unique. */
  readonly channels: readonly ChannelConfig[];
  readonly nodes: readonly NodePolicy[];
  readonly settings: SettingValues;
}

const nodePolicy = z.strictObject({
  expected: z.enum(["always", "sometimes"]).optional(),
  heat: z.enum(["on", "off"]).optional(),
});

/** The map by name; a name that no host can have is a problem of its own, placed at the name's setting. */
const nodes = z.record(z.string(), nodePolicy).superRefine((map, context) => {
  const names = Object.keys(map);
  if (names.length > NODE_POLICIES_MAX) {
    const fix = `Keep it to ${NODE_POLICIES_MAX} hosts at most.`;
    context.addIssue({ code: "custom", message: "names too many hosts", params: { fix } });
  }
  for (const name of names) {
    if (nodeNameText.safeParse(name).success) continue;
    const fix = "Write the name that `balefire nodes` shows.";
    context.addIssue({
      code: "custom",
      path: [name],
      message: "no node can have this name",
      params: { fix },
    });
  }
});

const channels = z.array(channelConfig).max(CHANNELS_MAX);

interface Branch {
  readonly [key: string]: Branch | z.ZodType;
}

/** `policy.daemonDown.grace` and its like as maps within maps. */
function branchesOf(keys: readonly SettingKey[]): Branch {
  const root: Record<string, Branch | z.ZodType> = { policy: { nodes } };
  for (const key of keys) {
    const parts = key.split(".");
    const last = parts.pop() ?? key;
    let branch = root;
    for (const part of parts) {
      branch[part] ??= {};
      branch = branch[part] as Record<string, Branch | z.ZodType>;
    }
    branch[last] = SETTINGS[key].schema;
  }
  return root;
}

function mapOf(branch: Branch): z.ZodObject {
  const entries = Object.entries(branch).map(([key, below]) => [
    key,
    (below instanceof z.ZodType ? below : mapOf(below)).optional(),
  ]);
  return z.strictObject(Object.fromEntries(entries));
}

/** What the maps hold, by the settings' own keys. */
function documentOf(maps: Record<string, unknown>): ConfigDocument {
  const settings: Record<string, unknown> = {};
  for (const key of SETTING_KEYS) {
    const value = key
      .split(".")
      .reduce<unknown>((map, part) => (map as Record<string, unknown> | undefined)?.[part], maps);
    if (value !== undefined) settings[key] = value;
  }
  const policy = maps.policy as { readonly nodes?: z.output<typeof nodes> } | undefined;
  const named = Object.entries(policy?.nodes ?? {}).map(
    ([name, { expected, heat }]): NodePolicy => ({
      name,
      expected: expected ?? "always",
      heat: heat ?? "on",
    }),
  );
  return {
    ...(maps.channels === undefined ? {} : { channels: maps.channels as ChannelConfig[] }),
    ...(named.length === 0 ? {} : { nodes: named }),
    settings,
  };
}

const schemaFor = (keys: readonly SettingKey[]): z.ZodType<ConfigDocument> =>
  mapOf({ channels, ...branchesOf(keys) }).transform(documentOf);

/** A node's own file. */
export const fileSchema: z.ZodType<ConfigDocument> = schemaFor(SETTING_KEYS);
/** The document that `config apply` hands to the whole mesh: no keys that belong to one node. */
export const sharedSchema: z.ZodType<ConfigDocument> = schemaFor(
  SETTING_KEYS.filter((key) => !isOwnSetting(key)),
);

const mapsAbove = (key: string): string[] => [...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index));

/** Every map and list of settings: one left empty in a file, its content commented out, counts as absent. */
export const CONFIG_SECTIONS: ReadonlySet<string> = new Set([
  "channels",
  "policy.nodes",
  ...SETTING_KEYS.flatMap(mapsAbove),
  ...SETTING_KEYS.filter((key) => SETTINGS[key].fromText === undefined),
]);
