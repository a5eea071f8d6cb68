/** What a node runs with: defaults, its own file, what the mesh shares, and the environment, in that order. */
import { failure, ok, type Result } from "../kit/result.ts";
import { nearest } from "./config-nearest.ts";
import type { Config, ConfigDocument } from "./config-schema.ts";
import { masked } from "./config-secrecy.ts";
import {
  environmentName,
  SETTING_KEYS,
  SETTINGS,
  type SettingKey,
  type SettingValues,
} from "./config-settings.ts";
import { isComplaint, type ValueKind } from "./config-values.ts";
import type { ConfigEffectiveReport } from "./rpc.ts";

export type ConfigOrigin = ConfigEffectiveReport["settings"][number]["origin"];

/** By dotted key; a channel is `channels.NAME`, a node `policy.nodes.NAME`. */
export type ConfigOrigins = Readonly<Record<string, ConfigOrigin>>;

export interface EffectiveConfig {
  readonly config: Config;
  readonly origins: ConfigOrigins;
}

export interface ConfigSources {
  /** The node's own file, parsed. */
  readonly file?: ConfigDocument | undefined;
  /** The document in the roster, parsed. */
  readonly shared?: ConfigDocument | undefined;
  /** The process environment; only the variables of `CONFIG_ENVIRONMENT`, and what looks like one, are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const NOTHING: ConfigDocument = { settings: {} };

/** Fails with `config-invalid` when the environment does not hold what it should. */
export function effectiveConfig(sources: ConfigSources): Result<EffectiveConfig> {
  const environment = readEnvironment(sources.env);
  if (!environment.ok) return environment;
  const { file = NOTHING, shared = NOTHING } = sources;
  const channels = mergeByName(file.channels, shared.channels);
  const nodes = mergeByName(file.nodes, shared.nodes);
  const layers = [
    ["environment", environment.value],
    ["shared", shared.settings],
    ["file", file.settings],
    ["default", DEFAULTS],
  ] as const;
  const origins: Record<string, ConfigOrigin> = {};
  const settings: Record<string, unknown> = {};
  for (const key of SETTING_KEYS) {
    const [origin, given] = layers.find(([, layer]) => layer[key] !== undefined) ?? layers[3];
    origins[key] = origin;
    settings[key] = given[key];
  }
  for (const { item, origin } of channels) origins[`channels.${item.name}`] = origin;
  for (const { item, origin } of nodes) origins[nodeKey(item.name)] = origin;
  return ok({
    config: {
      channels: channels.map(({ item }) => item),
      nodes: nodes.map(({ item }) => item),
      // Every key was gone through above.
      settings: settings as unknown as SettingValues,
    },
    origins,
  });
}

const DEFAULTS: Partial<SettingValues> = Object.fromEntries(
  SETTING_KEYS.map((key) => [key, SETTINGS[key].byDefault]),
);

const nodeKey = (name: string): string => `policy.nodes.${name}`;

/** A node's own are added to the shared ones; where two have the same name, the shared one counts. */
function mergeByName<T extends { readonly name: string }>(
  own: readonly T[] = [],
  shared: readonly T[] = [],
): { readonly item: T; readonly origin: ConfigOrigin }[] {
  const sharedNames = new Set(shared.map(({ name }) => name));
  return [
    ...shared.map((item) => ({ item, origin: "shared" as const })),
    ...own.filter(({ name }) => !sharedNames.has(name)).map((item) => ({ item, origin: "file" as const })),
  ];
}

const OVERRIDABLE: readonly SettingKey[] = SETTING_KEYS.filter((key) => SETTINGS[key].fromText !== undefined);

export const CONFIG_ENVIRONMENT: readonly string[] = OVERRIDABLE.map(environmentName);

/** Of each section whose settings have a variable. */
const LIKE_A_SETTING = /^BALEFIRE_(POLICY|SENSORS|MESH|HTTP|LOG)_/;

function readEnvironment(env: ConfigSources["env"]): Result<Partial<SettingValues>> {
  for (const name of Object.keys(env)) {
    if (!LIKE_A_SETTING.test(name) || CONFIG_ENVIRONMENT.includes(name)) continue;
    const candidate = nearest(name, CONFIG_ENVIRONMENT);
    const fix =
      candidate === undefined ? `Known: ${CONFIG_ENVIRONMENT.join(", ")}.` : `Did you mean ${candidate}?`;
    return failure("config-invalid", `the environment variable ${name} is not known`, fix);
  }
  const found: Record<string, unknown> = {};
  for (const key of OVERRIDABLE) {
    const name = environmentName(key);
    const text = env[name];
    const value = text === undefined ? undefined : SETTINGS[key].fromText?.(text);
    if (isComplaint(value)) return failure("config-invalid", `${name}: ${value.message}`, value.fix);
    if (value !== undefined) found[key] = value;
  }
  return ok(found);
}

/** The effective configuration for `config show`, each setting with its origin; all that may be secret is `***`. */
export function effectiveSettings({ config, origins }: EffectiveConfig): ConfigEffectiveReport["settings"] {
  const row = (key: string, value: unknown) => ({ key, value, origin: origins[key] ?? "default" });
  return [
    ...SETTING_KEYS.map((key) => row(key, writtenSetting(key, config.settings))),
    ...config.nodes.map(({ name, expected, heat }) => row(nodeKey(name), { expected, heat })),
    ...config.channels.map((channel, index) =>
      row(`channels.${channel.name}`, masked(channel, ["channels", index])),
    ),
  ];
}

function writtenSetting<K extends SettingKey>(key: K, settings: SettingValues): unknown {
  const kind: ValueKind<SettingValues[K]> = SETTINGS[key];
  return kind.written(settings[key]);
}

const OPEN_TO_OTHERS = 0o066;

/**
 * Refuses a configuration file with channels that anyone but its owner may read or write:
 * their settings hold secrets. `mode` is `stat().mode`.
 */
export function configPermissionProblem(
  mode: number,
  config: ConfigDocument,
  file: string,
): Result<undefined> {
  const secret = (config.channels ?? []).length > 0;
  if (!secret || (mode & OPEN_TO_OTHERS) === 0) return ok(undefined);
  return failure(
    "state-permissions",
    `${file} holds secrets of channels, and others than its owner may read or write it (mode ${(mode & 0o777).toString(8)})`,
    `Run: chmod 600 ${file}`,
  );
}
